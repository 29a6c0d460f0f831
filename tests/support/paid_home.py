"""A home with a run whose drafts were paid: orders, pictures and sidecars, as a buyer leaves them."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from tasks.images_api.answers import Answer, Picture
from tasks.images_api.picture_files import store_answer
from tasks.ledger import Ledger, Limits, Settlement
from tasks.order import Order, Usage
from tasks.storage.home import run_folder
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger

COST_USD = Decimal("0.008")
USAGE = Usage(text_input_tokens=12, output_tokens=272)


def buy(ledger: Ledger, home: Path, orders: Sequence[Order], cost_usd: Decimal | None = COST_USD) -> None:
    """Buy orders of a run that the ledger knows: what comes is stored, then settled."""
    ledger.orders.plan(orders)
    for order in orders:
        folder = run_folder(home, order.campaign, order.run_id)
        folder.mkdir(parents=True, exist_ok=True)
        picture = Picture(f"picture {order.order_id}".encode(), "png", None)
        ledger.orders.send(order, Limits(), NOON)
        receipts = store_answer(folder, order, Answer([picture], USAGE, "req_1"), 2.0)
        settlement = Settlement("received", cost_usd, USAGE, 2.0, "req_1", is_charged=True)
        ledger.orders.settle(order.order_id, settlement, receipts)


def paid_home(home: Path, n_drafts: int = 4, run_id: str = RUN_ID) -> Path:
    """Make a run with drafts in a home; returns the run's folder."""
    with open_ledger(home) as ledger:
        ledger.runs.start(run_id, campaign="otters", provider="emulator", now=NOON)
        buy(ledger, home, [an_order(k, run_id=run_id) for k in range(n_drafts)])
    return run_folder(home, "otters", run_id)
