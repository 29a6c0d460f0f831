"""Decided rounds in the ledger, on SQLite and PostgreSQL: a decision is made once and read back whole."""

from pathlib import Path

import pytest

from tasks.errors import LedgerError
from tasks.ledger import open_ledger
from tasks.rounds import ArmStanding, RoundDecision
from tests.builders import NOON, RUN_ID

FIRST = RoundDecision(
    1,
    (
        ArmStanding("B", lead=0.04, mean_score=0.81, pictures=6, goes_on=True),
        ArmStanding("A", lead=None, mean_score=None, pictures=0, goes_on=False),
    ),
)
SECOND = RoundDecision(2, (ArmStanding("B", lead=0.0, mean_score=0.8, pictures=12, goes_on=True),))


def test_a_round_is_decided_once(home: Path) -> None:
    """Whoever decides again, with other scores by now, changes nothing; what nobody knows stays unknown."""
    with open_ledger(home) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        ledger.rounds.record(RUN_ID, SECOND, NOON)
        ledger.rounds.record(RUN_ID, FIRST, NOON)
        ledger.rounds.record(RUN_ID, RoundDecision(1, FIRST.standings[::-1]), NOON)
        assert ledger.rounds.of_run(RUN_ID) == [FIRST, SECOND]
        assert ledger.rounds.of_run("another") == []


def test_a_round_of_no_run_is_refused(home: Path) -> None:
    """A decision belongs to a run that the ledger knows."""
    with open_ledger(home) as ledger:
        with pytest.raises(LedgerError):
            ledger.rounds.record(RUN_ID, FIRST, NOON)
        assert ledger.rounds.of_run(RUN_ID) == []
