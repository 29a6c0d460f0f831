"""A plan whose ledger does not answer: it is shown all the same, and the ledger is waited for once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.session.prepare import prepare, spent_this_month
from tasks.errors import LedgerError
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.shell import Shell


def test_a_plan_waits_once_for_a_ledger_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For its limit; the month's charges, which are asked for next, are then not known."""
    home = tmp_path / "runs"
    looks: list[Path] = []

    @contextmanager
    def away(at: Path, _: object) -> Iterator[None]:
        looks.append(at)
        raise LedgerError(where="ledger", what="does not answer")
        yield

    for module in ("spending", "spending_limits"):
        monkeypatch.setattr(f"tasks.ledger.{module}.looking_into", away)
    file = Shell(home, {}).campaign({"budget": {"per_run_usd": "3.00", "per_month_usd": "90.00"}})
    prepared = prepare(file, Settings(home, {}), RUN_ID)
    assert (spent_this_month(prepared), prepared.ledger_per_month_usd) == (None, None)
    assert looks == [home]
