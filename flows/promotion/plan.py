"""What a promotion would buy, and for how much: shown before anybody says yes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from flows.promotion.finalists import open_finalists
from flows.runs.budgets import BudgetOf, remaining_of_month, remaining_of_run
from flows.runs.lock import bring_files
from flows.runs.run import StoredRun
from flows.session.prepare import Prepared, prepare
from tasks.campaign.finals import Finals
from tasks.ledger import Ledger, open_ledger
from tasks.ledger.replanning import left_to_send
from tasks.money import count_of, format_usd
from tasks.order import Order
from tasks.orders.finals import plan_finals
from tasks.settings import Settings

BUDGET_NAMES: Mapping[BudgetOf, str] = {
    "run": "this run's budget",
    "campaign": "the campaign's month",
    "ledger": "the ledger's month",
}


@dataclass(frozen=True)
class PromotionPlan:
    """What a promotion would buy.

    Args:
        n_finals: Finals, one for each finalist and edition, not yet accepted that still have a try.
        first_usd: The most that the next try at each costs.
        all_usd: The most that all tries left cost.
        n_used_up: Finals whose tries are used up, none of them accepted.
        model: The finals' model and quality; of several editions, each one's.
        of_finalist_usd: The most that the next try costs, by the draft's candidate id.
        left_usd: What the tightest budget has left.
        left_in: Which budget that is.
    """

    n_finals: int
    first_usd: Decimal
    all_usd: Decimal
    n_used_up: int
    model: str
    of_finalist_usd: Mapping[str, Decimal]
    left_usd: Decimal
    left_in: str

    @property
    def sentence(self) -> str:
        """The plan in one sentence for people."""
        used_up = f" {count_of(self.n_used_up, 'final')} used up all tries." if self.n_used_up else ""
        if not self.n_finals:
            return "No finalist waits for a final; there is nothing to buy." + used_up
        finals = f"{count_of(self.n_finals, 'final')} with {self.model}"
        first, every = format_usd(self.first_usd), format_usd(self.all_usd)
        return f"{finals}: at most {first} if next tries are accepted, {every} for every try left.{used_up}"


def promotion_plan(settings: Settings, run_id: str) -> PromotionPlan:
    """Price what a run's promotion would buy now. Asks nobody, spends nothing and writes nothing.

    Raises:
        RunError: The run does not exist, or its campaign is gone.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, run_id)
        return price_promotion(
            ledger, prepare(run.campaign_file(), settings, run.run_id, are_drafts_done=True)
        )


def price_promotion(ledger: Ledger, prepared: Prepared) -> PromotionPlan:
    """Price what the promotion of a prepared run would buy now. Spends nothing and writes nothing.

    Raises:
        RunError: A finalist's picture cannot be sent.
    """
    run = StoredRun.find(prepared.settings, ledger, prepared.run_id).decided_by(prepared.campaign)
    tries_left = [
        tries for edition in prepared.campaign.editions for tries in _tries_left(run, prepared, edition)
    ]
    left_usd, left_in = _tightest_budget(ledger, prepared)
    models = [f"{edition.model} at {edition.quality}" for edition in prepared.campaign.editions]
    waiting = [tries for tries in tries_left if tries]
    return PromotionPlan(
        n_finals=len(waiting),
        first_usd=sum((tries[0].estimate_usd for tries in waiting), Decimal(0)),
        all_usd=sum((order.estimate_usd for tries in waiting for order in tries), Decimal(0)),
        n_used_up=len(tries_left) - len(waiting),
        model=" and ".join(dict.fromkeys(models)),
        of_finalist_usd=_of_finalist_usd(waiting),
        left_usd=left_usd,
        left_in=left_in,
    )


def _tightest_budget(ledger: Ledger, prepared: Prepared) -> tuple[Decimal, str]:
    """Find what may still be spent, dollars, and which budget says so."""
    campaign, now = prepared.campaign, datetime.now(UTC)
    budgets = [
        remaining_of_run(ledger, campaign, prepared.run_id),
        *remaining_of_month(ledger, campaign, prepared.ledger_per_month_usd, now),
    ]
    return min((budget.left_usd, BUDGET_NAMES[budget.of]) for budget in budgets)


def _of_finalist_usd(waiting: Sequence[Sequence[Order]]) -> dict[str, Decimal]:
    """Add up what the next try at each edition of a finalist costs at most."""
    costs: dict[str, Decimal] = {}
    for tries in waiting:
        draft_id = str(tries[0].draft_id)
        costs[draft_id] = costs.get(draft_id, Decimal(0)) + tries[0].estimate_usd
    return costs


def _tries_left(run: StoredRun, prepared: Prepared, edition: Finals) -> list[list[Order]]:
    """List, for each finalist, the tries at one edition that would still be sent, in their order."""
    finalists = open_finalists(run, edition.name)
    bring_files(run.folder, [draft.file for draft in finalists])  # a frame is drawn around some of them
    tries: dict[str | None, list[Order]] = {draft.candidate_id: [] for draft in finalists}
    for attempt in range(edition.tries):
        orders = plan_finals(
            prepared.campaign,
            prepared.catalogue,
            prepared.providers,
            finalists,
            run_id=run.run_id,
            folder=run.folder,
            attempt=attempt,
            edition=edition,
            home=prepared.home,
        )
        for order in left_to_send(run.ledger, run.run_id, orders):
            tries[order.draft_id].append(order)
    return list(tries.values())
