"""Decided rounds in the ledger, on SQLite and PostgreSQL: a decision is made once and read back whole."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.campaign.rounds import ArmStanding, RoundDecision
from tasks.errors import LedgerError
from tasks.ledger import Ledger
from tasks.ledger.order_rows import order_row
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger, open_migrated_ledger, open_older_ledger

KILLED = "20261122-130000-test"

FIRST = RoundDecision(
    1,
    (
        ArmStanding("B", lead=0.04, mean_score=0.81, pictures=6, goes_on=True),
        ArmStanding("C", lead=-0.04, mean_score=0.73, pictures=6, goes_on=False, chance=0.01),
        ArmStanding("A", lead=None, mean_score=None, pictures=0, goes_on=False),
    ),
    next_first_replicate=1,
    next_replicates=3,
    is_next_last=False,
)
SECOND = RoundDecision(
    2, (ArmStanding("B", lead=0.0, mean_score=0.8, pictures=12, goes_on=True),), 4, 6, True
)


def test_a_round_is_decided_once(home: Path) -> None:
    """Whoever decides again, with other scores by now, changes nothing; what nobody knows stays unknown."""
    with open_ledger(home) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        ledger.rounds.record(RUN_ID, SECOND, NOON)
        ledger.rounds.record(RUN_ID, FIRST, NOON)
        ledger.rounds.record(RUN_ID, replace(FIRST, standings=FIRST.standings[::-1], next_replicates=9), NOON)
        assert ledger.rounds.of_run(RUN_ID) == [FIRST, SECOND]
        assert ledger.rounds.of_run("another") == []


def test_a_round_of_no_run_is_refused(home: Path) -> None:
    """A decision belongs to a run that the ledger knows."""
    with open_ledger(home) as ledger:
        with pytest.raises(LedgerError):
            ledger.rounds.record(RUN_ID, FIRST, NOON)
        assert ledger.rounds.of_run(RUN_ID) == []


def insert(older: Ledger, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows as an earlier version did, which had fewer columns."""
    with older.database.write() as connection:
        connection.execute(sa.Table(name, sa.MetaData(), autoload_with=connection).insert(), list(rows))


def begin(older: Ledger, run_id: str) -> None:
    """Begin a run as an earlier version did."""
    facts = {"campaign": "otters", "provider": "emulator", "state": "running", "warnings": []}
    insert(older, "runs", [{"run_id": run_id, "started_at": NOON.replace(tzinfo=None), **facts}])


def test_rounds_decided_before_their_sizes_were_kept_are_read_off_the_orders(home: Path) -> None:
    """Of a run that ended, and of one that was killed before its second round was planned."""
    standings = [
        [asdict(ArmStanding(arm, 0.1, 0.5, 6, arm in going_on)) for arm in arms]
        for arms, going_on in (("ABCDEF", "ABC"), ("ABC", "AB"))
    ]
    for standing in (one for kept in standings for one in kept):
        del standing["chance"]
    older = open_older_ledger(home, "0009")
    ended = {"A": 10, "B": 10, "C": 4, "D": 1, "E": 1, "F": 1}
    for run_id, replicates in ((RUN_ID, ended), (KILLED, {"A": 2, "D": 2})):
        begin(older, run_id)
        orders = [
            order_row(an_order(replicate, run_id=run_id, arm=arm), position=replicate)
            for arm, number in replicates.items()
            for replicate in range(number)
        ]
        insert(older, "orders", [{k: v for k, v in one.items() if k != "further_round"} for one in orders])
    of_runs = ((RUN_ID, 1, standings[0]), (RUN_ID, 2, standings[1]), (KILLED, 1, standings[0]))
    rows = [
        {"run_id": run_id, "number": number, "standings": kept, "decided_at": NOON.replace(tzinfo=None)}
        for run_id, number, kept in of_runs
    ]
    insert(older, "rounds", rows)
    older.close()
    with open_migrated_ledger(home) as ledger:
        first, second = ledger.rounds.of_run(RUN_ID)
        (cut_short,) = ledger.rounds.of_run(KILLED)
    assert (first.next_first_replicate, first.next_replicates, first.is_next_last) == (1, 3, False)
    assert (second.next_first_replicate, second.next_replicates, second.is_next_last) == (4, 6, True)
    assert second.standings[0] == ArmStanding("A", 0.1, 0.5, 6, goes_on=True)
    assert (cut_short.next_first_replicate, cut_short.next_replicates) == (2, 2)
