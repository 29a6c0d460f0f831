"""Turns of schedules in the ledger, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.ledger import Ledger
from tasks.ledger.slots import Slot
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger

SLOT = Slot("otters@noon", "otters", NOON, "open", RUN_ID, started_by="flow-run-1")


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A new ledger."""
    opened = open_ledger(home)
    yield opened
    opened.close()


def test_a_slot_is_claimed_once_however_many_try(ledger: Ledger) -> None:
    """Of eight that claim one slot at once, each with a run of its own, all get the same run."""
    tries = [replace(SLOT, run_id=f"run-{n}", started_by=f"flow-run-{n}") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(ledger.slots.claim, tries))
    assert len(set(claimed)) == 1
    assert ledger.slots.all() == [claimed[0]]


def test_who_starts_again_finds_its_own_slot(ledger: Ledger) -> None:
    """A retried flow run may think that it is another time; what it claimed first counts."""
    ledger.slots.claim(SLOT)
    later = replace(SLOT, name="otters@one", due_at=NOON + timedelta(hours=1), run_id="another")
    assert ledger.slots.claim(later) == SLOT
    assert ledger.slots.run_of("flow-run-1") == RUN_ID
    assert ledger.slots.run_of("flow-run-2") is None
    nameless = replace(later, started_by="")
    assert ledger.slots.claim(nameless) == nameless


def test_a_skipped_slot_keeps_its_reason_and_newest_come_first(ledger: Ledger) -> None:
    """What is told of a turn, in the sequence that people read."""
    ledger.slots.claim(SLOT)
    ledger.slots.claim(replace(SLOT, name="otters@one", due_at=NOON + timedelta(hours=1), started_by="2"))
    ledger.slots.change("otters@noon", "skipped", "No money.")
    assert [(slot.name, slot.state, slot.reason) for slot in ledger.slots.all()] == [
        ("otters@one", "open", ""),
        ("otters@noon", "skipped", "No money."),
    ]


def test_open_runs_are_those_that_were_begun_and_have_not_ended(ledger: Ledger) -> None:
    """Neither one that was claimed and never begun, nor another campaign's, nor one that came to its end."""
    for number in range(2):
        due_at = NOON + timedelta(hours=number)
        ledger.slots.claim(replace(SLOT, name=f"otters@{number}", due_at=due_at, started_by=str(number)))
    ledger.slots.claim(replace(SLOT, name="cats@noon", campaign="cats", run_id="cats-run", started_by="c"))
    ledger.slots.claim(replace(SLOT, name="otters@9", run_id="never begun", started_by="9"))
    assert ledger.slots.open_runs(["otters"]) == {}
    for run_id, campaign in ((RUN_ID, "otters"), ("cats-run", "cats")):
        ledger.runs.start(run_id, campaign=campaign, provider="emulator", now=NOON)
    assert ledger.slots.open_runs(["otters"]) == {RUN_ID: 2}
    assert ledger.slots.open_runs(["otters", "cats"]).keys() == {RUN_ID, "cats-run"}
    ledger.slots.end_run(RUN_ID)
    assert ledger.slots.open_runs(["otters"]) == {}
    assert [slot.state for slot in ledger.slots.all() if slot.run_id == RUN_ID] == ["ended", "ended"]
