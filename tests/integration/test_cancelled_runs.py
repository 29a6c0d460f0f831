"""Runs that were given up, in the ledger and in the slots of a schedule, on SQLite and PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.schedule.take_slot import Starter, take_slot
from flows.session.cancelling import give_up
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.ledger.slots import Slot
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger

SLOT = Slot("otters@noon", "otters", NOON, "open", RUN_ID, started_by="flow-run-1")


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run that a slot began and left."""
    opened = open_ledger(home)
    opened.slots.claim(SLOT)
    opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    yield opened
    opened.close()


def test_a_cancelled_run_stays_so_until_somebody_says_otherwise(ledger: Ledger) -> None:
    """A process that ends late does not change its state; one that begins it unasked is refused."""
    assert not ledger.runs.is_cancelled(RUN_ID)
    ledger.runs.cancel(RUN_ID, NOON)
    ledger.runs.end(RUN_ID, "stopped", NOON)
    assert ledger.runs.is_cancelled(RUN_ID)
    with pytest.raises(RunError, match=f"runoff run --resume {RUN_ID}"):
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    assert ledger.runs.find(RUN_ID).state == "cancelled"
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON, takes_up_cancelled=True)
    ledger.runs.end(RUN_ID, "done", NOON)
    assert ledger.runs.find(RUN_ID).state == "done"
    assert not ledger.runs.is_cancelled("no such run")


def test_no_slot_resumes_a_cancelled_run(ledger: Ledger) -> None:
    """Neither another slot nor the one that began it."""
    assert list(ledger.slots.open_runs(["otters"])) == [RUN_ID]
    ledger.runs.cancel(RUN_ID, NOON)
    assert ledger.slots.open_runs(["otters"]) == {}
    assert ledger.slots.claim(SLOT).state == "ended"


@pytest.mark.usefixtures("ledger")
def test_what_only_resumes_claims_no_slot_without_a_left_run(home: Path) -> None:
    """The ledger's run has no folder here, so that nothing can be resumed: a turn would begin another."""
    file = home / "otters.yaml"
    file.write_text("name: otters")
    settings = Settings(home, os.environ)
    only_resumes = Starter("otters", NOON, "flow-run-2", only_resumes=True)
    taken = take_slot(file, settings, only_resumes)
    assert not taken.is_begun
    assert "Nothing was left over: no run of otters is unfinished" in taken.reason
    with open_ledger(home) as opened:
        assert [slot.name for slot in opened.slots.all()] == [SLOT.name]
    assert take_slot(file, settings, Starter("otters", NOON, "flow-run-2")).reason == ""


def test_a_run_without_its_folder_is_not_given_up(home: Path, ledger: Ledger) -> None:
    """No report could be written; nothing is changed."""
    with pytest.raises(RunError, match=r"campaign file is missing.* made in this home: put its folder back"):
        give_up(Settings(home, os.environ), RUN_ID)
    assert ledger.runs.find(RUN_ID).state == "running"
    ledger.runs.end(RUN_ID, "done", NOON)
    given_up = give_up(Settings(home, os.environ), RUN_ID)
    assert given_up.sentence == f"{RUN_ID} is done. Nothing was changed."
