"""What a promotion would buy, and for how much: shown before anybody says yes."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from flows.finalists import open_finalists
from flows.open_run import prepare
from tasks.home import CAMPAIGN_FILE, run_folder
from tasks.ledger import open_ledger
from tasks.money import format_usd
from tasks.plan import plan_finals


@dataclass(frozen=True)
class PromotionPlan:
    """What a promotion would buy.

    Args:
        n_orders: Finalists without an accepted final.
        first_usd: The most that one try at each costs.
        all_usd: The most that all tries at each cost.
        attempts: How many tries each may have.
        model: The finals' model and quality.
    """

    n_orders: int
    first_usd: Decimal
    all_usd: Decimal
    attempts: int
    model: str

    @property
    def sentence(self) -> str:
        """The plan in one sentence for people."""
        if not self.n_orders:
            return "Every finalist has its final; there is nothing to buy."
        finals = "1 final" if self.n_orders == 1 else f"{self.n_orders} finals"
        return (
            f"{finals} with {self.model}: at most {format_usd(self.first_usd)} if first tries are accepted, "
            f"at most {format_usd(self.all_usd)} in all ({self.attempts} tries each)."
        )


def promotion_plan(home: Path, run_id: str) -> PromotionPlan:
    """Price what a run's promotion would buy now. Spends nothing.

    Raises:
        RunError: The run does not exist.
    """
    ledger = open_ledger(home)
    try:
        record = ledger.runs.find(run_id)
        folder = run_folder(home, record.campaign, record.run_id)
        prepared = prepare(folder / CAMPAIGN_FILE, home, record.run_id, are_drafts_done=True)
        finalists = open_finalists(ledger, record.run_id, prepared.campaign)
    finally:
        ledger.close()
    orders = plan_finals(
        prepared.campaign,
        prepared.catalogue,
        prepared.providers,
        finalists,
        run_id=record.run_id,
        folder=folder,
    )
    first_usd = sum((order.estimate_usd for order in orders), Decimal(0))
    finals = prepared.campaign.finals
    return PromotionPlan(
        len(orders),
        first_usd,
        first_usd * finals.attempts,
        finals.attempts,
        f"{finals.model} at {finals.quality}",
    )
