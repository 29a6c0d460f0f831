"""Events and automations: what the docs hold is taken by a real server, and fires for what Runoff tells."""

import os
import re
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger

from flows.engine import start_engine
from flows.prefect_ui.flow_states import STATE_NAMES
from flows.prefect_ui.looked_after import DECLINED
from flows.prototype import prototype
from flows.runs.outcome import Outcome
from flows.session.prepare import prepare
from tasks.settings import Settings
from tests.support.builders import NOON
from tests.support.ledgers import open_ledger
from tests.support.prefect_server import prefect_client

ROOT = Path(__file__).parents[2]
LIMIT_S = 60
CAMPAIGN = {
    "name": "otters",
    "provider": "emulator",
    "budget": {"per_run_usd": 1, "per_month_usd": "0.01"},
    "arms": {"A": {"prompt": "A baby sea otter"}},
    "drafts": {"model": "gpt-image-1-mini", "quality": "low", "per_prompt": 8,
               "successor": {"model": "gpt-image-2.5-flare", "quality": "low"}},
    "finals": {"model": "gpt-image-2.5-sunburst", "quality": "high"},
}  # fmt: skip
OUTCOME = Outcome(
    run_id="20261122-120000-test", campaign="otters", state="awaiting review", folder="/otters/x", orders={},
    pictures=8, duplicates=1, finals=1, accepted=1, spent_usd=Decimal("0.30"), unknown_usd=Decimal(0),
    exit_code=0,
)  # fmt: skip


def automations() -> list[dict[str, Any]]:
    """Read the automations of the page."""
    page = (ROOT / "docs" / "automations.md").read_text()
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]


def test_what_takes_up_dead_runs_can_only_resume_them() -> None:
    """A deployment's own defaults would begin a new run, with its schedule paused too."""
    found = yaml.safe_load((ROOT / "configs" / "automations.yaml").read_text())["automations"]
    dead, taken_up = map(AutomationCore.model_validate, found)
    expected = {name.removeprefix("prefect.flow-run.") for name in found[0]["trigger"]["expect"]}
    assert {*STATE_NAMES.values(), DECLINED, "Out of money", "Nothing to choose", "Skipped"} <= expected
    assert [action.type for action in dead.actions] == ["change-flow-run-state"]
    (action,) = taken_up.actions
    assert isinstance(action, RunDeployment)
    assert action.parameters == {"only_resumes": True}
    assert "only_resumes" in prototype.parameters.properties


def test_every_automation_of_the_page_is_one_that_prefect_takes() -> None:
    """Each reads as Prefect reads it, waits for an event that Runoff tells, and does something."""
    source = (ROOT / "flows" / "prefect_ui" / "events.py").read_text()
    for automation in map(AutomationCore.model_validate, automations()):
        assert isinstance(automation.trigger, EventTrigger)
        assert automation.actions
        assert all(f'"{event}"' in source for event in automation.trigger.expect)


@pytest.mark.slow  # every day: the test above
def test_every_automation_of_the_page_fires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is created by the command that the page names, and each event fires its own, once."""
    prefect = str(Path(sys.executable).with_name("prefect"))
    with start_engine(tmp_path / "home", print, with_schedules=True) as engine:
        engine.wait_ready()
        file = tmp_path / "automations.yaml"
        file.write_text(yaml.safe_dump({"automations": automations()}))
        command = [prefect, "automation", "create", "--from-file", str(file)]
        subprocess.run(command, check=True, capture_output=True, timeout=100)
        time.sleep(1)
        tell_everything(tmp_path, monkeypatch)
        fired = wait_for_fired(engine.api_url, len(automations()))
    assert sorted(fired) == sorted(automation["name"] for automation in automations())


def tell_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell all events, as runs do."""
    from flows.prefect_ui import events

    monkeypatch.setenv("RUNOFF_TODAY", "2026-11-22")
    file = folder / "otters.yaml"
    file.write_text(yaml.safe_dump(CAMPAIGN))
    prepared = prepare(file, Settings(folder / "home", os.environ), "plan")
    events.emit_finished(OUTCOME, "file:///report.html")
    events.emit_skipped("otters", NOON, "Awaiting review at otters: 3 runs. Nothing was bought.")
    events.emit_approved("otters", OUTCOME.run_id, ["a", "b"], "mara")
    nights = {"winner": "B", "nights": 9, "headline": "Over 9 nights and 12 rows, arm B beats arm A."}
    events.emit_decided("otters", OUTCOME.run_id, nights)
    events.emit_retired("otters", OUTCOME.run_id, nights, "A", "beaten by B over 9 nights")
    with open_ledger(folder / "home") as ledger:
        events.emit_low_budgets(prepared, ledger)
    events.emit_retiring_models(prepared, date(2026, 11, 22))


def wait_for_fired(api_url: str, n_wanted: int) -> list[str]:
    """Wait until the server says that so many automations fired; returns their names."""
    deadline = time.monotonic() + LIMIT_S
    wanted = {"filter": {"event": {"name": ["prefect.automation.triggered"]}}, "limit": 50}
    with prefect_client(api_url) as server:
        while True:
            found = server.post("/events/filter", json=wanted).raise_for_status().json()["events"]
            names = [event["resource"]["prefect.resource.name"] for event in found]
            if len(names) >= n_wanted or time.monotonic() > deadline:
                return names
            time.sleep(0.5)
