"""What people see of a run in Prefect's pages: names of states, messages, links, pictures, and its log."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from flows.prefect_ui.artifacts import Progress, description_of, markdown_of, report_link
from flows.prefect_ui.flow_states import end_line, state_message, state_name
from flows.prefect_ui.run_log import LoggedDisplay
from flows.runs.outcome import Outcome, outcome_of
from flows.runs.progress import PlainDisplay
from flows.runs.run import StoredRun
from tasks.redaction import Secret
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run

AWAITING = Outcome(
    run_id=RUN_ID, campaign="otters", state="awaiting review", folder=f"/runs/otters/{RUN_ID}", orders={},
    pictures=8, duplicates=1, finals=0, accepted=0, spent_usd=Decimal("0.30"), unknown_usd=Decimal(0),
    exit_code=0, verdict="Arm B beats arm A.", decide="Decide by noon.", finalists=[{"rank": 1}],
)  # fmt: skip
PUBLIC = Settings(Path("/runs"), {"RUNOFF_PUBLIC_URL": "https://studio.example.org/runoff/"})
PAGE = f"https://studio.example.org/runoff/runs/{RUN_ID}"


async def test_the_bar_of_a_stage_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six batches end at once, and the server takes long for the first: one more request, with all six."""
    asked: list[float] = []
    is_moved, shown = asyncio.Event(), []

    async def create(**_: object) -> UUID:
        return UUID(int=1)

    async def update(_: UUID, progress: float) -> None:
        asked.append(progress)
        if len(asked) == 1:
            await is_moved.wait()
        shown.append(progress)

    monkeypatch.setattr("flows.prefect_ui.artifacts.acreate_progress_artifact", create)
    monkeypatch.setattr("flows.prefect_ui.artifacts.aupdate_progress_artifact", update)
    progress = Progress("otters-drafts", "draft", 6)
    await progress.begin()
    batches = [asyncio.create_task(progress.add(1)) for _ in range(6)]
    while not asked:
        await asyncio.sleep(0)
    is_moved.set()
    await asyncio.gather(*batches)
    assert shown == [100 / 6, 100.0]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Awaiting review"),
        ({"state": "done"}, "Completed"),
        ({"state": "done", "finalists": []}, "Nothing to choose"),
        ({"state": "done", "finalists": [], "pictures": 0}, "Completed"),
        ({"state": "stopped", "exit_code": 3}, "Out of money"),
        ({"state": "stopped"}, "Stopped"),
        ({"state": "waiting"}, "Waiting for a batch"),
        ({"state": "done", "exit_code": 4}, "Completed"),
    ],
)
def test_a_state_is_named_by_what_became_of_the_run(changes: dict[str, object], name: str) -> None:
    """By its state and its exit code, not by words of its message."""
    assert state_name(replace(AWAITING, **changes)) == name  # type: ignore[arg-type]


def test_its_message_says_verdict_spend_and_where() -> None:
    """With an address that a browser opens, where there is one."""
    assert state_message(AWAITING, PUBLIC) == f"Arm B beats arm A. Spent $0.3000. Decide by noon. {PAGE}"
    assert end_line(AWAITING, PUBLIC) == f"awaits review at {PAGE}. Decide by noon."
    done = replace(AWAITING, state="done", finalists=[], decide="")
    assert end_line(done, PUBLIC) == f"nothing to choose. Arm B beats arm A. Spent $0.3000. {PAGE}"


@pytest.mark.parametrize("address", ["", "studio.example.org", "javascript:alert(1)"])
def test_what_is_no_address_is_no_link(address: str) -> None:
    """The report's own address stays."""
    settings = Settings(Path("/runs"), {"RUNOFF_PUBLIC_URL": address})
    assert report_link(AWAITING.folder, settings) == f"file:///runs/otters/{RUN_ID}/report.html"


def test_the_artifact_shows_pictures_with_labels_and_no_markup_of_others(tmp_path: Path) -> None:
    """A row's value cannot leave its cell, nor make a link."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
        outcome = outcome_of(StoredRun.find(Settings(tmp_path, {}), ledger, RUN_ID))
    rows = [{"action": "a | [b](http://evil)\n# c"}] * 2
    text = markdown_of(outcome, rows, PAGE)
    assert text.count("](data:image/webp;base64,") == len(outcome.finalists) == 2
    assert "![A, row " in text
    assert r"a \| \[b\]\(http://evil\) \# c" in text
    assert f"[Look, vote and choose]({PAGE})" in text
    assert description_of(outcome) == "awaiting review · $0.00 · 2 finalists"


class Bought:
    """A finished order."""

    state, n_pictures, charged_usd = "received", 1, Decimal("0.01")


def test_what_a_run_says_is_logged_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line once, without secrets, and the figures of a stage at its end."""
    logged: list[str] = []
    key = f"sk-proj-{'aB3' * 10}"
    Secret(key)
    display = LoggedDisplay(PlainDisplay(), logged.append)
    display.say(f"The ledger answers again. {key}")
    display.start("drafts", 2)
    for _ in range(2):
        display.bought(Bought())  # type: ignore[arg-type]
    display.finish()
    assert key not in logged[0]
    assert logged[1].startswith("drafts 2/2: 2 pictures · $0.0200")
    assert len(logged) == 2
    assert "The ledger answers again." in capsys.readouterr().err
