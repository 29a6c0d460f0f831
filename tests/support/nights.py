"""Nights of a campaign in a ledger: runs that were bought and scored, without a provider."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tasks.candidate import Receipt, Score, Standing
from tasks.ledger import Ledger
from tasks.ledger.candidates import insert_receipts
from tasks.ledger.schema import orders
from tasks.storage.home import run_folder
from tests.support.builders import NOON, an_order
from tests.support.review_home import CAMPAIGN

N_ROWS = 6
ROWS = [{"action": f"doing {number}"} for number in range(N_ROWS)]
STOPPING = {
    **{key: value for key, value in CAMPAIGN.items() if key != "variables"},
    "rows": ROWS,
    "schedule": {"cron": "0 6 * * *"},
    "verdict": {"stop_when": "decided"},
}


def add_night(
    home: Path,
    ledger: Ledger,
    number: int,
    lifts: Mapping[str, float | Callable[[int], float]],
    *,
    version: str = "4",
    campaign: Mapping[str, Any] = STOPPING,
) -> str:
    """Write a run that was bought and scored: each arm's pictures score better by its lift there."""
    now = NOON + timedelta(days=number)
    run_id = f"{now:%Y%m%d-%H%M%S}-test"
    ledger.runs.start(run_id, campaign="otters", provider="emulator", now=now)
    folder = run_folder(home, "otters", run_id)
    folder.mkdir(parents=True)
    (folder / "campaign.yaml").write_text(yaml.safe_dump(dict(campaign)))
    made = [
        an_order(replicate, run_id=run_id, arm=arm, row=row)
        for arm in lifts
        for row in range(len(campaign["rows"]))
        for replicate in range(2)
    ]
    ledger.orders.plan(made)
    receipts = [
        Receipt(one.order_id, 0, one.replicate, f"drafts/{k}.png", f"{k}", 1, None)
        for k, one in enumerate(made)
    ]
    with ledger.database.write() as connection:
        here = orders.c.order_id.in_([order.order_id for order in made])
        connection.execute(orders.update().where(here).values(state="received", n_sends=1))
        insert_receipts(connection, [(run_id, one) for one in receipts])
    rng = np.random.default_rng(number)
    scores = {
        receipt.candidate_id: float(
            np.clip(0.5 + 0.02 * order.row + _lift(lifts[order.arm], order.row) + rng.normal(0, 0.03), 0, 1)
        )
        for order, receipt in zip(made, receipts, strict=True)
    }
    told = {name: {"technical": Score(value, "", {}, version)} for name, value in scores.items()}
    ledger.candidates.record_scores(told, dict(scores))
    ledger.candidates.record_standings({name: Standing("survivor", name) for name in scores})
    ledger.runs.end(run_id, "done", now)
    return run_id


def _lift(lift: float | Callable[[int], float], row: int) -> float:
    return lift(row) if callable(lift) else lift
