"""What a ledger's backup, its check before spending, and its verification cost, by the number of orders.

Writes its table into ``benchmarks/README.md``.

    python -m benchmarks.ledger_backup [--orders 2000 20000 100000]
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import write_figures
from tasks.candidate import Receipt
from tasks.ledger import Ledger, Settlement, open_ledger
from tasks.ledger.reading_back import FoundOrder, FoundRun, enter
from tasks.order import Order

RUN_ID = "20261122-120000-test"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COST_USD = Decimal("0.01")


def fill(ledger: Ledger, n_orders: int) -> None:
    """Enter a run of drafts that were received."""
    run = FoundRun(RUN_ID, "otters", "emulator", NOON, "")
    received = Settlement("received", COST_USD)
    drafts = [_draft(k) for k in range(n_orders)]
    found = [
        FoundOrder(draft, received, [_receipt(draft)], None, NOON, is_moment_known=True) for draft in drafts
    ]
    enter(ledger.database, run, found)


def _draft(replicate: int) -> Order:
    return Order(
        run_id=RUN_ID,
        campaign="otters",
        stage="draft",
        arm="A",
        row=0,
        replicate=replicate,
        attempt=0,
        prompt="A baby sea otter asleep in kelp, watercolour on rough paper. " * 5,
        provider="emulator",
        endpoint="generations",
        parameters={"model": "gpt-image-1-mini", "n": 1, "quality": "low", "size": "1024x1024"},
        estimate_usd=Decimal("0.01"),
    )


def _receipt(draft: Order) -> Receipt:
    return Receipt(draft.order_id, 0, draft.replicate, f"drafts/{draft.file_stem()}.png", "ab" * 32, 9, None)


def cpu_s(work: Callable[[], object]) -> float:
    """Measure the processor time of a call, seconds."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def main() -> None:
    """Measure, print and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=[2_000, 20_000, 100_000])
    lines = ["| orders | ledger | backup | check before spending | verification without files |",
             "|---|---|---|---|---|"]  # fmt: skip
    for n_orders in parser.parse_args().orders:
        with TemporaryDirectory() as folder:
            home = Path(folder)
            with open_ledger(home, {}) as ledger:
                fill(ledger, n_orders)
            size_mb = (home / "ledger.db").stat().st_size / 1e6
            with open_ledger(home, {}) as ledger:
                backup_s = cpu_s(partial(ledger.back_up, datetime.now(UTC)))
                check_s = cpu_s(partial(ledger.require_fit_to_spend, home))
                verify_s = cpu_s(ledger.verify)
            lines.append(
                f"| {n_orders:,} | {size_mb:.1f} MB | {backup_s:.2f} s | {check_s:.2f} s | {verify_s:.2f} s |"
            )
    print("\n".join(lines))
    write_figures("benchmarks.ledger_backup", "\n".join(lines))


if __name__ == "__main__":
    main()
