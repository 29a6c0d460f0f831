"""A night's schedule, seen in Prefect's pages and by its API: every campaign says what became of it."""

import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.support.child_process import end_by, wait_until
from tests.support.night import BROKEN, CAMPAIGNS, NIGHT_LIMIT_S, Night, flow_runs_of, night, states_of
from tests.support.prefect_server import prefect_client

FlowRun = dict[str, Any]
STATES = {
    "spring-cards": "Completed",
    "nightly": "Awaiting review",
    "big-catalogue": "Completed",
    "strict-eye": "Nothing to choose",
    "small-purse": "Out of money",
    "seller-away": "Running",
    "end-of-month": "Skipped",
    BROKEN: "Failed",
}
"""A seller that is away is waited for: a quarter of an hour."""


@pytest.fixture(scope="module")
def tonight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A night with a file that is edited at dusk; it is over once every run has its state."""
    with night(tmp_path_factory.mktemp("night")) as found:
        wait_until(lambda: len(named(found)) == len(CAMPAIGNS), 90, every_s=1, told=lambda: found.said)
        found.break_file()
        wait_until(
            lambda: states_of(found) == STATES,
            NIGHT_LIMIT_S, every_s=2, told=lambda: (states_of(found), found.said),
        )  # fmt: skip
        yield found


def ask(tonight: Night, path: str, **body: Any) -> list[dict[str, Any]]:
    """Ask Prefect's server."""
    with prefect_client(tonight.api_url) as api:
        found: list[dict[str, Any]] = api.post(path, json=body).raise_for_status().json()
    return found


def named(tonight: Night) -> list[str]:
    """List the planned flow runs of tonight that are named by campaign and slot."""
    when = f"{tonight.due_at:%Y-%m-%d %H:%M}"
    return [run["name"] for run in ask(tonight, "/flow_runs/filter") if run["name"].endswith(f" · {when}")]


def logs_of(tonight: Night, run: FlowRun) -> list[str]:
    """Read the log of a flow run."""
    lines = ask(tonight, "/logs/filter", logs={"flow_run_id": {"any_": [run["id"]]}}, limit=200)
    return [line["message"] for line in lines]


def artifact_of(tonight: Night, key: str) -> dict[str, Any]:
    """Read the newest artifact of a key."""
    (found,) = ask(tonight, "/artifacts/latest/filter", artifacts={"key": {"any_": [key]}})
    return found


@pytest.mark.long  # every day: states, messages and artifacts of one run, in test_seen_in_prefect.py
@pytest.mark.timeout(1500)
def test_every_run_of_the_night_says_what_became_of_it(tonight: Night) -> None:
    """By its name, its tags, its state and the message of that, with what it spent and a link that opens."""
    for campaign, run in flow_runs_of(tonight).items():
        message, tags = run["state"]["message"] or "", set(run["tags"])
        assert {"runoff", campaign} <= tags
        assert any(tag.startswith("by ") for tag in tags)
        if run["state_name"] in ("Completed", "Awaiting review", "Nothing to choose", "Out of money"):
            assert re.fullmatch(rf"{campaign} · [\d-]+ [\d:]+ · \d{{8}}-\d{{6}}-\w{{4}}", run["name"])
            assert re.search(r"Spent \$0\.\d+", message)
            assert "arm" in message
            (link,) = re.findall(r"http\S+", message)
            assert httpx.get(link).status_code == 200
    by_name = {name: run["state"]["message"] or "" for name, run in flow_runs_of(tonight).items()}
    assert "Decide by" in by_name["nightly"]
    assert "per_run_usd" in by_name["small-purse"]
    assert by_name["end-of-month"].startswith("This month's budget of end-of-month has $0.0100 left")
    assert by_name[BROKEN].startswith(f"{tonight.folder / BROKEN}.yaml: 1 error")
    assert "Nothing was bought." in by_name[BROKEN]


@pytest.mark.long  # every day: as above
@pytest.mark.timeout(1500)
def test_logs_and_artifacts_show_a_slow_run_and_its_pictures(tonight: Night) -> None:
    """What it planned, how far it came, a bar that ended full, and a page with thumbnails and a link."""
    lines = logs_of(tonight, flow_runs_of(tonight)["big-catalogue"])
    assert any(line.startswith("Planned: 18 drafts in 2 arms and at most 3 finalists, $") for line in lines)
    assert any(re.match(r"drafts \d+/18: \d+ pictures? · \$0\.\d+", line) for line in lines)
    assert artifact_of(tonight, "big-catalogue-drafts")["data"] == 100
    page = artifact_of(tonight, "big-catalogue-report")
    assert page["data"].count("](data:image/webp;base64,") >= 1
    assert re.fullmatch(r"done · \$0\.\d+ · 3 finalists, \d accepted", page["description"])
    log = tonight.said
    for line in (
        "nightly .*: awaits review at http",
        "big-catalogue .*: done",
        "strict-eye .*: nothing to ch",
    ):
        assert re.search(rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC  {line}", log, re.MULTILINE), log
    assert "Traceback" not in log


@pytest.mark.long  # every day: declining, in test_declining.py
@pytest.mark.timeout(1500)
def test_in_the_morning_a_declined_run_is_declined_in_prefect_too(tonight: Night) -> None:
    """With who, why and the verdict; and the whole night ends within its limit when it is told to stop."""
    run_id = flow_runs_of(tonight)["nightly"]["name"].split(" · ")[-1]
    tonight.runoff("decline", run_id, "--reason", "too dark to print")
    state = until(lambda: flow_runs_of(tonight)["nightly"], lambda run: run["state_name"] == "Declined")
    assert re.match(r"Declined by \S+: too dark to print", state["state"]["message"])
    assert "Spent $0." in state["state"]["message"]
    assert "declined" in state["tags"]
    assert "awaiting review" not in state["tags"]
    tonight.serve.stdout = tonight.serve.stderr = None
    end_by(tonight.serve, signal.SIGTERM, 90)
    assert tonight.serve.returncode == 0, tonight.said


def until(look: Callable[[], FlowRun], is_true: Callable[[FlowRun], bool]) -> FlowRun:
    """Look until something is true; returns what was seen then."""
    wait_until(lambda: is_true(look()), 90, every_s=1, told=look)
    return look()
