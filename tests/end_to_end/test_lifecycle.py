"""Models that are shut down: before the day, on it, and in the middle of a run."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.provider import OpenProvider
from tests.support.shell import CAMPAIGN, Shell

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs/campaigns/demo.yaml"

EVE, LAST_DAY = "2026-11-30", "2026-12-01"
MINI: dict[str, Any] = {
    "model": "gpt-image-1-mini",
    "quality": "low",
    "size": "1024x1024",
    "per_prompt": 3,
    "successor": {"model": "gpt-image-2.5-flare", "quality": "low"},
}
NO_FINALS: dict[str, Any] = {"finalists": {"count": 0}}


def models(shell: Shell, run_id: str) -> dict[str, int]:
    """Count a run's received orders by model."""
    frame = pd.read_parquet(shell.folder(run_id) / "report.parquet")
    counts = frame[frame["state"] == "received"]["model"].value_counts()
    return {str(model): int(count) for model, count in counts.items()}


def test_a_plan_has_the_successor_from_the_day_on(shell: Shell) -> None:
    """On the eve the old model with a warning, on the day its successor, and it is said."""
    file = shell.campaign({"drafts": MINI} | NO_FINALS)
    for day, model, said in (
        (EVE, "gpt-image-1-mini", "will be shut down on 2026-12-01; "),
        (LAST_DAY, "gpt-image-2.5-flare", "was shut down on 2026-12-01; its successor gpt-image-2.5-flare"),
    ):
        plan = json.loads(shell.runoff("plan", file, "--json", RUNOFF_TODAY=day).stdout)
        assert {arm["model"] for arm in plan["arms"]} == {model}
        assert any(said in warning for warning in plan["warnings"])


def test_the_demo_has_a_living_model_on_every_day(shell: Shell) -> None:
    """Its drafts take the cheapest, which is no longer the old one on the eve of its end."""
    for day, model in (("2026-11-29", "gpt-image-1-mini"), (EVE, "gpt-image-2.5-flare")):
        plan = json.loads(shell.runoff("plan", DEMO, "--json", RUNOFF_TODAY=day).stdout)
        assert {arm["model"] for arm in plan["arms"]} == {model}
        assert plan["notes"][0].startswith(f"drafts: model cheapest is {model} on {day}")


def test_a_run_on_the_day_uses_the_successor_and_the_report_says_so(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """What was bought, what the terminal said, and what the report says agree."""
    open_provider(today=lambda: date(2026, 12, 1))
    file = shell.campaign({"drafts": MINI} | NO_FINALS)
    done = shell.runoff("run", file, RUNOFF_TODAY=LAST_DAY)
    assert done.returncode == 0, done.stderr
    assert "its successor gpt-image-2.5-flare" in " ".join(done.stdout.split())
    (run,) = shell.json("runs")
    assert models(shell, run["run_id"]) == {"gpt-image-2.5-flare": 12}
    summary = json.loads((shell.folder(run["run_id"]) / "summary.json").read_text())
    assert any("its successor" in warning for warning in summary["warnings"])
    assert "its successor" in (shell.folder(run["run_id"]) / "report.html").read_text()


def test_without_a_successor_the_day_ends_it_with_names(shell: Shell, open_provider: OpenProvider) -> None:
    """Exit 2, the vendor's replacements, the file's name, nothing bought."""
    provider = open_provider()
    file = shell.campaign({"drafts": MINI | {"successor": None}} | NO_FINALS)
    assert shell.runoff("plan", file, RUNOFF_TODAY=EVE).returncode == 0
    for command in ("plan", "run"):
        done = shell.runoff(command, file, RUNOFF_TODAY=LAST_DAY)
        assert done.returncode == 2
        assert f"{file}: drafts: gpt-image-1-mini was shut down on 2026-12-01" in done.stderr
        assert "gpt-image-2.6-flare" in done.stderr
        assert "Nothing was bought" in done.stderr
    assert provider.n_requests == 0


@pytest.mark.slow
def test_an_end_that_only_the_provider_knows_is_heeded(shell: Shell, open_provider: OpenProvider) -> None:
    """A user's catalogue that knows no day: the provider's list overrules it on both sides of the day."""
    shell.home.mkdir()
    forgetful = {"models": {"gpt-image-1-mini": {"lifecycle": {"shutdown_on": None}}}}
    (shell.home / "catalogue.yaml").write_text(json.dumps(forgetful))
    provider = open_provider(today=lambda: date(2026, 11, 30))
    file = shell.campaign({"drafts": MINI | {"per_prompt": 1}} | NO_FINALS)
    assert shell.json("plan", file)["warnings"] == []
    done = shell.runoff("run", file, RUNOFF_TODAY=EVE)
    said = " ".join(done.stdout.split())
    assert "the provider announces its shutdown for 2026-12-01; the catalogue has no date" in said
    assert "will be shut down on 2026-12-01; " in said
    assert provider.n_requests == 4
    bare = shell.campaign({"drafts": MINI | {"successor": None}} | NO_FINALS)
    refused = shell.runoff("run", bare, RUNOFF_TODAY=LAST_DAY)
    assert (refused.returncode, provider.n_requests) == (2, 4)
    assert "was shut down on 2026-12-01" in refused.stderr


@pytest.mark.slow
def test_a_provider_without_a_list_holds_nobody_up(shell: Shell, open_provider: OpenProvider) -> None:
    """A list that fails is a note under the plan; the run goes on by the catalogue."""
    open_provider({"kind": "server_error", "path": "models", "status": 503})
    done = shell.runoff("run", shell.campaign(NO_FINALS))
    assert done.returncode == 0, done.stderr
    assert "using the catalogue's shutdown dates" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_a_run_goes_on_across_the_day(shell: Shell, open_provider: OpenProvider) -> None:
    """Half is bought on the eve, the rest on the day from the successor; no place is bought twice."""
    provider = open_provider(
        {"kind": "quota", "nth": [7, 8, 9, 10, 11, 12], "path": "images"},
        today=lambda: date(2026, 11, 30),
    )
    file = shell.campaign({"drafts": MINI} | NO_FINALS)
    assert shell.runoff("run", file, RUNOFF_TODAY=EVE).returncode == 1
    (stopped,) = shell.json("runs")
    bought = stopped["orders"]["received"]
    assert stopped["orders"] == {"received": bought, "planned": 12 - bought}
    after = open_provider(today=lambda: date(2026, 12, 1))
    done = shell.runoff("run", "--resume", "latest", RUNOFF_TODAY=LAST_DAY)
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"{12 - bought} requests to send, at most $" in done.stdout
    (run,) = shell.json("runs")
    assert run["orders"] == {"received": 12}
    assert models(shell, run["run_id"]) == {"gpt-image-1-mini": bought, "gpt-image-2.5-flare": 12 - bought}
    assert (after.n_requests, provider.bill()["total"]["charged_requests"]) == (12 - bought, bought)
    html = (shell.folder(run["run_id"]) / "report.html").read_text()
    assert f"{12 - bought} planned requests for gpt-image-1-mini will not be sent" in html
    summary = json.loads((shell.folder(run["run_id"]) / "summary.json").read_text())
    assert set(summary["models"]["draft"].split(", ")) == {"gpt-image-1-mini", "gpt-image-2.5-flare"}
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow  # every day: a retired model in integration/test_failure_taxonomy.py
def test_a_model_that_is_gone_unannounced_stops_the_run_once(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """404 model_not_found: one message, and after editing the run's campaign a resume goes on."""
    provider = open_provider(today=lambda: date(2026, 12, 1))
    file = shell.campaign({"drafts": MINI | {"successor": None}} | NO_FINALS)
    done = shell.runoff("run", file, RUNOFF_TODAY=EVE)
    assert done.returncode == 1
    assert done.stderr.count("model_not_found") == 1
    assert "Traceback" not in done.stderr
    assert provider.charged_nanousd == 0
    (stopped,) = shell.json("runs")
    assert stopped["orders"] == {"planned": 12}
    as_run = shell.folder(stopped["run_id"]) / "campaign.yaml"
    as_run.write_text(as_run.read_text().replace("gpt-image-1-mini", "gpt-image-2.5-flare"))
    assert shell.runoff("run", "--resume", "latest").returncode == 0
    assert models(shell, stopped["run_id"]) == {"gpt-image-2.5-flare": 12}


@pytest.mark.slow
def test_finals_can_be_bought_after_the_drafts_model_is_gone(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """A run that awaits review is promoted on the day, though its drafts could no longer be made."""
    provider = open_provider(today=lambda: date(2026, 11, 30))
    changes = {
        "drafts": MINI | {"successor": None, "per_prompt": 1},
        "finalists": {"count": 1, "approval": "review"},
    }
    assert shell.runoff("run", shell.campaign(changes), RUNOFF_TODAY=EVE).returncode == 0
    assert provider.n_requests == 4
    after = open_provider(today=lambda: date(2026, 12, 1))
    done = shell.runoff("promote", "latest", "--yes", RUNOFF_TODAY=LAST_DAY)
    assert done.returncode == 0, done.stderr
    assert after.n_requests == 1
    (run,) = shell.json("runs")
    assert run["orders"] == {"received": 5}
    again = shell.runoff("run", "--resume", "latest", RUNOFF_TODAY=LAST_DAY)
    assert "Nothing is left to send" in again.stdout, again.stderr
    as_run = shell.folder(run["run_id"]) / "campaign.yaml"
    as_run.write_text(as_run.read_text().replace("per_prompt: 1", "per_prompt: 2"))
    more = shell.runoff("run", "--resume", "latest", RUNOFF_TODAY=LAST_DAY)
    assert (more.returncode, after.n_requests) == (2, 1)
    assert "gpt-image-1-mini was shut down" in more.stderr


@pytest.mark.slow  # every day: the words, in integration/test_finals_of_a_gone_model.py
def test_a_run_goes_on_with_another_model_for_its_finals(shell: Shell, open_provider: OpenProvider) -> None:
    """Killed between drafts and finals, and their model is gone: the error has the command that goes on."""
    open_provider(
        {"kind": "quota", "nth": list(range(13, 30)), "path": "images"}, today=lambda: date(2026, 11, 30)
    )
    changes = {"finals": CAMPAIGN["finals"] | {"model": "gpt-image-1-mini", "size": "1024x1024"}}
    assert shell.runoff("run", shell.campaign(changes), RUNOFF_TODAY=EVE).returncode == 1
    after = open_provider(today=lambda: date(2026, 12, 1))
    (run,) = shell.json("runs")
    setting = ("--set", "finals.model=gpt-image-2.6-flare")
    for words in (("promote", run["run_id"]), ("run", "--resume", run["run_id"])):
        refused = shell.runoff(*words, RUNOFF_TODAY=LAST_DAY)
        assert (refused.returncode, after.n_requests) == (2, 0)
        assert refused.stderr.rstrip().endswith(" ".join(("runoff", *words, *setting)))
    for other in ("drafts.per_prompt=9", "name=other"):
        refused = shell.runoff(*words, "--set", other, RUNOFF_TODAY=LAST_DAY)
        assert "goes on as it began" in refused.stderr
    done = shell.runoff(*words, *setting, RUNOFF_TODAY=LAST_DAY)
    assert (done.returncode, after.n_requests) == (0, 2), done.stderr
    (run,) = shell.json("runs")
    most_usd = re.search(r"2 requests to send, at most \$(\d+\.\d+)", done.stdout)
    assert most_usd is not None
    assert after.charged_nanousd <= Decimal(most_usd[1]) * 10**9
    assert models(shell, run["run_id"]) == {"gpt-image-2.5-flare": 12, "gpt-image-2.6-flare": 2}
    assert "model: gpt-image-2.6-flare" in (shell.folder(run["run_id"]) / "campaign.yaml").read_text()
    assert "Nothing is left to send" in shell.runoff(*words, RUNOFF_TODAY=LAST_DAY).stdout
