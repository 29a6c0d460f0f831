"""A team's ledger: its limit holds on every machine, it is migrated on purpose, and moved row by row."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from flows.command_line import runoff
from flows.run_report import report_frame
from flows.runs.budgets import month_budgets
from flows.runs.team_ledger import copy_to, set_team_limit
from tasks.errors import BudgetError, LedgerError, RunError
from tasks.ledger import Ledger, Limits
from tasks.ledger.database import LEDGER_VARIABLE
from tasks.ledger.figures import read_figures
from tasks.ledger.ledger import open_ledger as open_by_environment
from tasks.ledger.migrating import version_of
from tasks.ledger.monthly_limit import LIMIT_VARIABLE
from tasks.ledger.schema import HEAD, budgets, metadata, runs
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.charged_ledger import RUN_IDS, charge
from tests.support.ledger_rows import a_row, tables_of
from tests.support.ledgers import open_ledger, open_older_ledger
from tests.support.postgresql_server import PostgresqlServer
from tests.support.review_home import fill_run

ESTIMATE_USD = an_order().estimate_usd


def planned(home: Path, n_orders: int = 3) -> Ledger:
    """A ledger with a run whose orders are planned."""
    ledger = open_ledger(home)
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    ledger.orders.plan([an_order(replicate=k) for k in range(n_orders)])
    return ledger


def test_a_limit_in_the_ledger_holds_for_whoever_has_none(home: Path) -> None:
    """Also for a process that began before it was set; batches keep it too, and it can be lifted."""
    with planned(home) as ledger:
        ledger.orders.send(an_order(replicate=0), Limits(), NOON)
        set_team_limit(Settings(home, os.environ), ESTIMATE_USD, "mara", NOON)
        with pytest.raises(BudgetError, match="runoff ledger limit"):
            ledger.orders.send(an_order(replicate=1), Limits(), NOON)
        with pytest.raises(BudgetError, match="ledger_per_month_usd"):
            ledger.batches.reserve([an_order(replicate=1)], Limits(), NOON)
        with pytest.raises(BudgetError):
            ledger.orders.send(an_order(replicate=1), Limits(ledger_per_month_usd=Decimal(500)), NOON)
        set_team_limit(Settings(home, os.environ), None, "jo", NOON)
        ledger.orders.send(an_order(replicate=1), Limits(), NOON)
        assert [(one.per_month_usd, one.set_by) for one in ledger.spending_limits.all()] == [
            (None, "jo"),
            (ESTIMATE_USD, "mara"),
        ]


@pytest.mark.parametrize(("here", "holds"), [("", "20"), ("30", "20"), ("7.50", "7.50")])
def test_a_variable_can_only_lower_it(tmp_path: Path, here: str, holds: str) -> None:
    """What the month has left is counted by the lower one."""
    settings = Settings(tmp_path, {LIMIT_VARIABLE: here} if here else {})
    assert set_team_limit(settings, Decimal(20), "mara", NOON).limit_usd == Decimal(holds)
    with open_by_environment(tmp_path, {}) as ledger:
        assert month_budgets(ledger, settings, NOON).ledger.limit_usd == Decimal(holds)


def runoff_says(*words: str, code: int = 0) -> str:
    """Give a command, and return what it printed."""
    done = CliRunner().invoke(runoff, words, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_the_limit_is_set_and_shown_with_who_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An amount that is none is refused; `none` lifts it; this machine's own is told apart."""
    home = ["--home", str(tmp_path)]
    monkeypatch.setenv("LOGNAME", "mara")
    assert "The whole ledger: $200.00 a month, set by mara at " in runoff_says(
        "ledger", "limit", "200", *home
    )
    assert "no limit, set by mara" in runoff_says("ledger", "limit", "none", *home)
    monkeypatch.setenv(LIMIT_VARIABLE, "50")
    told = runoff_says("ledger", "limit", *home)
    assert "  before: $200.00 a month, set by mara" in told
    assert "This machine's own limit, $50.00 a month, holds here." in told
    facts = json.loads(runoff_says("ledger", "limit", "--json", *home))
    assert (facts["limit_usd"], len(facts["set_limits"])) == ("50", 2)
    assert "or none, for no limit" in runoff_says("ledger", "limit", "lots", *home, code=2)


def start_run_of_then(older: Ledger) -> None:
    """Start a run as a program of then does, which knows no column of later."""
    run = {"run_id": RUN_ID, "campaign": "otters", "provider": "emulator", "state": "running", "number": 1}
    with older.database.write() as connection:
        connection.execute(runs.insert().values(**run, started_at=NOON, warnings=[]))


@pytest.mark.parametrize("home", ["postgresql"], indirect=True)
def test_a_shared_ledger_is_migrated_by_its_command_alone(home: Path) -> None:
    """Looking and buying refuse, and change nothing; no run may be going; then everybody can open it."""
    older = open_older_ledger(home, "0017")
    words = ["--home", str(home)]
    for act in (lambda: open_by_environment(home, os.environ), lambda: runoff_says("runs", *words)):
        with pytest.raises(LedgerError, match="it is shared, and nothing migrates it in passing") as caught:
            act()
        assert "runoff ledger migrate" in caught.value.next_step
        assert version_of(older.database) == "0017"
    start_run_of_then(older)
    with older.hold(RUN_ID), pytest.raises(RunError, match=f"a process works on {RUN_ID}"):
        runoff_says("ledger", "migrate", *words)
    assert f"was migrated from version 0017 to {HEAD}" in runoff_says("ledger", "migrate", *words)
    assert f"has version {HEAD} already" in runoff_says("ledger", "migrate", *words)
    older.close()
    open_by_environment(home, os.environ).close()


def rows_of(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """Read every row of every table, in one sequence on every database."""
    with ledger.database.read() as connection:
        return {
            table.name: sorted(
                (dict(row) for row in connection.execute(sa.select(table)).mappings()), key=str
            )
            for table in metadata.sorted_tables
        }


def fill(ledger: Ledger) -> None:
    """Write two rows into every table, the second with only what it must have."""
    with ledger.database.write() as connection:
        for table in tables_of(connection):
            connection.execute(table.insert(), [a_row(table, number) for number in range(2)])


def test_a_ledger_moves_to_postgresql_and_back(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    """Every row is the same, new ones are numbered after them, and a full database is refused."""
    with open_ledger(tmp_path) as ledger:
        fill(ledger)
        before = rows_of(ledger)
    there, back = postgresql.new_database(), f"sqlite:///{tmp_path / 'back.db'}"
    settings = Settings(tmp_path, {})
    copied = copy_to(settings, there)
    assert set(copied.rows.values()) == {2}
    with pytest.raises(LedgerError, match=r"has rows already, in .* Nothing was copied"):
        copy_to(settings, there)
    with pytest.raises(LedgerError, match="is the ledger that is to be copied"):
        copy_to(Settings(tmp_path, {LEDGER_VARIABLE: there}), there)
    with open_by_environment(tmp_path, {LEDGER_VARIABLE: there}) as moved:
        assert rows_of(moved) == before
        moved.spending_limits.set(Decimal(5), "jo", NOON)
        assert moved.spending_limits.all()[0].set_by == "jo"
    told = copy_to(Settings(tmp_path, {LEDGER_VARIABLE: there}), back)
    assert "back.db" in told.to
    with open_by_environment(tmp_path, {LEDGER_VARIABLE: back}) as returned:
        assert {name: len(rows) for name, rows in rows_of(returned).items()} == copied.rows | {
            "spending_limits": 3
        }


def test_every_charge_is_the_same_after_a_move_there_and_back(
    tmp_path: Path, postgresql: PostgresqlServer
) -> None:
    """Received, refused, failed, unknown or in flight: reports, sums, spend and the check."""
    with open_ledger(tmp_path) as ledger:
        charge(ledger, tmp_path, 60)
        before = charges_of(ledger, tmp_path)
    there, back = postgresql.new_database(), f"sqlite:///{tmp_path / 'back.db'}"
    copied = copy_to(Settings(tmp_path, {}), there)
    assert Decimal(copied.charged_nanousd) / 10**9 == sum(before["charged"]) > 0
    copy_to(Settings(tmp_path, {LEDGER_VARIABLE: there}), back)
    for address in (there, back):
        with open_by_environment(tmp_path, {LEDGER_VARIABLE: address}) as moved:
            assert charges_of(moved, tmp_path) == before
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(LEDGER_VARIABLE, address)
                reports = [report_frame(run_id, tmp_path) for run_id in RUN_IDS]
        for run_id, report in zip(RUN_IDS, reports, strict=True):
            assert report.equals(report_frame(run_id, tmp_path)), run_id
            assert report["state"].nunique() == 5


def charges_of(ledger: Ledger, home: Path) -> dict[str, Any]:
    """Read what a ledger says about money: by run, month, campaign and state; and its check."""
    with ledger.database.read() as connection:
        held = {row.scope: row.charged_nanousd for row in connection.execute(sa.select(budgets))}
    return {
        "charged": [ledger.orders.charged_usd(run_id) for run_id in RUN_IDS],
        "budgets": held,
        "states": [ledger.orders.counts(run_id) for run_id in RUN_IDS],
        "figures": read_figures(ledger.database, NOON),
        "faults": [fault for fault in ledger.verify() if str(home) not in fault],
    }


@pytest.mark.slow
def test_a_run_is_reported_the_same_before_and_after_it_moved(
    tmp_path: Path, postgresql: PostgresqlServer
) -> None:
    """Its table, its sums and its check, from the same pictures."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
        faults = ledger.verify(tmp_path)
    there = postgresql.new_database()
    before = report_frame(home=tmp_path)
    copy_to(Settings(tmp_path, {}), there)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LEDGER_VARIABLE, there)
        assert report_frame(home=tmp_path).equals(before)
        with open_by_environment(tmp_path, {LEDGER_VARIABLE: there}) as moved:
            assert moved.verify(tmp_path) == faults
