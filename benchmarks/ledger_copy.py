"""Moving a ledger of 10,000 charged orders from SQLite to PostgreSQL and back, and what differs then.

python -m benchmarks.ledger_copy
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.figures import write_figures
from flows.run_report import report_frame
from flows.runs.team_ledger import copy_to
from tasks.ledger import open_ledger
from tasks.ledger.database import LEDGER_VARIABLE
from tasks.money import format_usd, from_nanousd
from tasks.settings import Settings
from tests.support.charged_ledger import RUN_IDS, charge
from tests.support.postgresql_server import binaries, running

Seen = tuple[list[pd.DataFrame], list[str], dict[str, int]]


@contextmanager
def at(address: str) -> Iterator[dict[str, str]]:
    """Let this process use a ledger; the home's own one where the address is empty."""
    before = os.environ.pop(LEDGER_VARIABLE, None)
    if address:
        os.environ[LEDGER_VARIABLE] = address
    try:
        yield dict(os.environ)
    finally:
        os.environ.pop(LEDGER_VARIABLE, None)
        if before is not None:
            os.environ[LEDGER_VARIABLE] = before


def look(home: Path, address: str) -> Seen:
    """Read both reports, the faults that verification finds, and the orders by state."""
    with at(address) as environ, open_ledger(home, environ) as ledger:
        states: dict[str, int] = {}
        for run_id in RUN_IDS:
            for (_, state), n_orders in ledger.orders.counts(run_id).items():
                states[state] = states.get(state, 0) + n_orders
        return [report_frame(run_id, home) for run_id in RUN_IDS], ledger.verify(), states


def move(home: Path, source: str, target: str) -> tuple[float, int]:
    """Copy a ledger; returns the seconds it took by the clock, and what all orders are charged."""
    with at(source) as environ:
        began_s = time.monotonic()
        copied = copy_to(Settings(home, environ), target)
        return time.monotonic() - began_s, copied.charged_nanousd


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    n_orders = parser.parse_args().orders
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        sys.exit("PostgreSQL is not installed here.")
    with TemporaryDirectory() as folder, running(folder_of_binaries) as postgresql:
        home, there = Path(folder), postgresql.new_database()
        back = f"sqlite:///{home / 'back.db'}"
        with open_ledger(home, {}) as ledger:
            charge(ledger, home, n_orders)
        first = look(home, "")
        there_s, charged = move(home, "", there)
        second = look(home, there)
        back_s, charged_again = move(home, there, back)
        third = look(home, back)
    same = [_same(first, second), _same(first, third)]
    rows = [
        ("SQLite to PostgreSQL", there_s, charged, same[0]),
        ("PostgreSQL to SQLite", back_s, charged_again, same[1]),
    ]
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(first[2].items()))
    lines = [
        f"{n_orders:,} orders of two runs, each reserved, sent and settled: {states}.",
        "",
        "| way | took | orders are charged | both reports, orders by state, `verify` |",
        "|---|---|---|---|",
        *(_row(*row) for row in rows),
    ]
    text = "\n".join(lines)
    print(text)
    if first[1] or not all(same):
        sys.exit(f"not the same: {first[1]} {second[1]} {third[1]}")
    write_figures("benchmarks.ledger_copy", text)


def _row(way: str, took_s: float, charged_nanousd: int, is_same: bool) -> str:
    charged = format_usd(from_nanousd(charged_nanousd))
    return f"| {way} | {took_s:.1f} s | {charged} | {'equal' if is_same else 'DIFFER'} |"


def _same(one: Seen, other: Seen) -> bool:
    reports = zip(one[0], other[0], strict=True)
    return one[1:] == other[1:] and all(before.equals(after) for before, after in reports)


if __name__ == "__main__":
    main()
