"""A ledger whose orders were reserved, sent and settled one by one, with every end and what it is charged."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import yaml

from tasks.candidate import Inspection, Receipt, Score
from tasks.ledger import Ledger, Limits, Settlement
from tasks.order import Order, Usage
from tasks.storage.home import run_folder
from tests.support.builders import NOON, a_receipt, an_order
from tests.support.review_home import CAMPAIGN

RUN_IDS = ("20261122-120000-aaaa", "20261122-130000-bbbb")
LIMITS = Limits(per_run_usd=Decimal(10_000), per_month_usd=Decimal(100_000))


def charge(ledger: Ledger, home: Path, n_orders: int) -> None:
    """Make two runs of orders that are received (at a known cost or not), refused, failed, unknown or sent.

    Args:
        ledger: An empty ledger.
        home: Its home, for the campaign's file.
        n_orders: How many, in both runs together.
    """
    for run_id in RUN_IDS:
        folder = run_folder(home, "otters", run_id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN))
        ledger.runs.start(run_id, campaign="otters", provider="emulator", now=NOON)
        orders = [
            an_order(replicate=k // 4, row=k % 2, arm="AB"[k // 2 % 2], run_id=run_id)
            for k in range(n_orders // 2)
        ]
        ledger.orders.plan(orders)
        names = [receipt.candidate_id for receipt in _end_all(ledger, orders)]
        ledger.candidates.record_inspections({name: Inspection(64, 40, "png") for name in names})
        scored = {name: {"technical": Score(k / len(names), "sharp")} for k, name in enumerate(names)}
        ledger.candidates.record_scores(
            scored, {name: one["technical"].value for name, one in scored.items()}
        )
        ledger.runs.end(run_id, "done", NOON + timedelta(hours=1))


def _end_all(ledger: Ledger, orders: Sequence[Order]) -> Iterator[Receipt]:
    for k, order in enumerate(orders):
        ledger.orders.send(order, LIMITS, NOON + timedelta(seconds=k))
        settlement = _settlement(k)
        if settlement is None:
            continue
        receipts = [a_receipt(order)] if settlement.state == "received" else []
        ledger.orders.settle(order.order_id, settlement, receipts)
        yield from receipts


def _settlement(k: int) -> Settlement | None:
    """Choose an end; one order of ten stays in flight."""
    ends = {
        0: Settlement("unknown", error_code="timeout"),
        1: Settlement("refused", error_code="moderation_blocked", error_message="é, “no”"),
        2: Settlement("failed", error_code="server_error"),
        3: Settlement("received", is_charged=True, latency_s=9.5),
        4: None,
    }
    cost_usd = Decimal(k % 97 + 1) / 12_345_678
    cost_usd = cost_usd.quantize(Decimal("0.000000001"))
    received = Settlement("received", cost_usd, Usage(10, 20), 2.5, f"req-{k}")
    return ends.get(k % 10, received)
