"""The plan of a promotion: what it would buy and cost, shown before anybody confirms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from flows.promotion.attempts import (
    Wanted,
    describe_left_out,
    not_left_out,
    plan_attempt,
    usable_finalists,
)
from flows.promotion.finalists import is_chosen
from flows.runs.budgets import BudgetOf, remaining_of_month, remaining_of_run
from flows.runs.lock import is_free
from flows.runs.run import StoredRun
from flows.session.prepare import Prepared, prepare, prepare_amended
from tasks.campaign.finals import Finals
from tasks.campaign.succession import FINALS, NO_PART
from tasks.campaign_file.overrides import NO_OVERRIDES, Overrides
from tasks.candidate import Candidate
from tasks.catalogue.estimates import Estimates
from tasks.errors import CatalogueError, RunError
from tasks.judging.conditions import kept_statements
from tasks.ledger import Ledger, open_ledger
from tasks.money import count_of, format_usd
from tasks.orders.finals_costs import price_question
from tasks.settings import Settings

BUDGET_NAMES: Mapping[BudgetOf, str] = {
    "run": "this run's budget",
    "campaign": "the campaign's month",
    "ledger": "the ledger's month",
}


@dataclass(frozen=True)
class PromotionPlan:
    """The plan of a promotion.

    Args:
        n_finals: Finals that are not accepted yet and have attempts left, one for each finalist and edition.
        first_usd: The most that the next attempt at each costs, with the judge's question about it.
        all_usd: The most that all remaining attempts cost, with theirs.
        n_used_up: Finals without an accepted attempt that have no attempts left.
        model: The model and quality of the finals, of each edition.
        of_finalist_usd: The most that the next attempt costs, by the draft's candidate id.
        left_usd: What is left of the tightest budget.
        left_in: The name of that budget.
        is_cut_off: An earlier promotion did not end: what it bought is still to be settled and compared.
        without_finalists: Why there are no finalists, in a sentence for people; empty if there are some.
        is_judged: Whether these prices include the judge's questions about finals.
        left_out: Which finals are left out because a picture is gone, and what to do, in lines for people;
            empty if none is.
    """

    n_finals: int
    first_usd: Decimal
    all_usd: Decimal
    n_used_up: int
    model: str
    of_finalist_usd: Mapping[str, Decimal]
    left_usd: Decimal
    left_in: str
    is_cut_off: bool
    without_finalists: str = ""
    is_judged: bool = False
    left_out: str = ""

    @property
    def has_work(self) -> bool:
        """Whether promoting now does anything: buys finals, or ends a promotion that was cut off."""
        return self.n_finals > 0 or self.is_cut_off

    @property
    def sentence(self) -> str:
        """The plan for people: one sentence, and lines about what is left out."""
        if self.left_out and not self.n_finals and not self.is_cut_off:
            return f"There is nothing to buy now. {self.left_out}"
        return "\n".join(filter(None, (self._sentence, self.left_out)))

    @property
    def _sentence(self) -> str:
        used_up = f" {count_of(self.n_used_up, 'final')} used all attempts." if self.n_used_up else ""
        if not self.n_finals and self.is_cut_off:
            return (
                "An earlier promotion did not end; what it bought is settled now, and nothing more is bought."
            )
        if self.without_finalists:
            return self.without_finalists
        if not self.n_finals:
            return "All finalists have finals or used all attempts; there is nothing to buy." + used_up
        finals = f"{count_of(self.n_finals, 'final')} with {self.model}"
        finals += ", each judged" if self.is_judged else ""
        first, every = format_usd(self.first_usd), format_usd(self.all_usd)
        every = f"{every} for all remaining attempts"
        return f"{finals}: at most {first} if the next attempts are accepted, {every}.{used_up}"


def promotion_plan(settings: Settings, run_id: str) -> PromotionPlan:
    """Price what a run's promotion would buy now. Asks no provider, spends and writes nothing.

    Raises:
        RunError: The run does not exist, or its campaign file is missing.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        return prepare_promotion(ledger, StoredRun.find(settings, ledger, run_id))[1]


def prepare_promotion(
    ledger: Ledger, run: StoredRun, overrides: Overrides = NO_OVERRIDES
) -> tuple[Prepared, PromotionPlan]:
    """Prepare and price what a run's promotion would buy now. Spends nothing and writes nothing.

    Where nothing is left to buy, the finals' model may be retired.

    Raises:
        CatalogueError: The finals' model is retired and has no successor, or something has no price.
        RunError: The run's campaign file is missing.
    """
    file, settings = run.campaign_file(), run.settings
    try:
        prepared = prepare_amended(file, settings, run.run_id, overrides, needed=FINALS)
    except CatalogueError:
        prepared = prepare(file, settings, run.run_id, needed=NO_PART)
        priced = price_promotion(ledger, prepared)
        if priced.has_work or priced.left_out:
            raise
        return prepared, priced
    return prepared, price_promotion(ledger, prepared)


def price_promotion(ledger: Ledger, prepared: Prepared) -> PromotionPlan:
    """Price what the promotion of a prepared run would buy now. Spends nothing and writes nothing.

    Raises:
        CatalogueError: Something has no price.
    """
    run = StoredRun.find(prepared.settings, ledger, prepared.run_id).decided_by(prepared.campaign)
    attempts_left: list[list[_Attempt]] = []
    left_out: dict[Wanted, RunError] = {}
    for edition in prepared.campaign.editions:
        of_edition, without = _remaining_attempts(run, prepared, edition)
        attempts_left += of_edition
        left_out |= without
    left_usd, left_in = _tightest_budget(ledger, prepared)
    models = [f"{edition.model} at {edition.quality}" for edition in prepared.campaign.editions]
    waiting = [attempts for attempts in attempts_left if attempts]
    return PromotionPlan(
        n_finals=len(waiting),
        first_usd=sum((attempts[0].usd for attempts in waiting), Decimal(0)),
        all_usd=sum((attempt.usd for attempts in waiting for attempt in attempts), Decimal(0)),
        n_used_up=len(attempts_left) - len(waiting),
        model=" and ".join(dict.fromkeys(models)),
        of_finalist_usd=_of_finalist_usd(waiting),
        left_usd=left_usd,
        left_in=left_in,
        is_cut_off=_is_cut_off(run),
        without_finalists=_why_no_finalists(run),
        is_judged=any(attempt.is_judged for attempts in waiting for attempt in attempts),
        left_out=describe_left_out(left_out, run.run_id),
    )


def _why_no_finalists(run: StoredRun) -> str:
    shortlist = run.ledger.shortlists.last(run.run_id)
    if any(is_chosen(one, shortlist) for one in run.read_candidates("draft")):
        return ""
    if run.record.state == "cancelled":
        return "The run was cancelled before it had finalists; there is nothing to buy."
    if run.record.state in ("done", "awaiting review"):
        return "No draft was chosen as a finalist; there is nothing to buy."
    if run.record.state == "waiting":
        still = "Its drafts are still being made by the provider as a batch"
    elif run.record.state == "running" and not is_free(run.ledger, run.folder):
        return "Its drafts are still being bought; finalists are chosen when all have come. See: runoff runs"
    else:
        still = "The run stopped before all its drafts were bought"
    return f"{still}, so no finalist is chosen yet. Continue it: runoff run --resume {run.run_id}"


def _is_cut_off(run: StoredRun) -> bool:
    records = [one for one in run.ledger.orders.of_run(run.run_id) if one.order.is_final]
    is_begun = any(one.state == "sent" for one in records) or (
        run.record.state == "running" and any(one.state != "planned" for one in records)
    )
    return is_begun and is_free(run.ledger, run.folder)


def _tightest_budget(ledger: Ledger, prepared: Prepared) -> tuple[Decimal, str]:
    """Find what may still be spent, dollars, and the name of the budget that limits it."""
    campaign, now = prepared.campaign, datetime.now(UTC)
    budgets = [
        remaining_of_run(ledger, campaign, prepared.run_id),
        *remaining_of_month(ledger, campaign, prepared.ledger_per_month_usd, now),
    ]
    return min((budget.left_usd, BUDGET_NAMES[budget.of]) for budget in budgets)


class _Attempt(NamedTuple):
    """An attempt that is not bought yet: its draft, and what it and the question about it cost at most."""

    draft_id: str
    usd: Decimal
    is_judged: bool


def _of_finalist_usd(waiting: Sequence[Sequence[_Attempt]]) -> dict[str, Decimal]:
    """Sum what the next attempt at each edition of a finalist costs at most."""
    costs: dict[str, Decimal] = {}
    for first, *_ in waiting:
        costs[first.draft_id] = costs.get(first.draft_id, Decimal(0)) + first.usd
    return costs


def _remaining_attempts(
    run: StoredRun, prepared: Prepared, edition: Finals
) -> tuple[list[list[_Attempt]], dict[Wanted, RunError]]:
    """List, for each finalist, the remaining attempts at one edition, in their order; and who is left out."""
    finalists, left_out = usable_finalists(run, edition)
    asking_usd = {draft.candidate_id: _asking_usd(prepared, edition, draft) for draft in finalists}
    attempts: dict[str, list[_Attempt]] = {draft.candidate_id: [] for draft in finalists}
    for number in range(edition.tries):
        attempt = plan_attempt(run, prepared, edition, number, not_left_out(finalists, edition, left_out))
        left_out |= attempt.left_out
        for order in attempt.left:
            draft_id = str(order.draft_id)
            asking = asking_usd[draft_id]
            attempts[draft_id].append(_Attempt(draft_id, order.estimate_usd + asking, asking > 0))
    without = {draft_id for draft_id, _ in left_out}
    return [some for draft_id, some in attempts.items() if some or draft_id not in without], left_out


def _asking_usd(prepared: Prepared, edition: Finals, draft: Candidate) -> Decimal:
    """Price the question about a final of a draft, dollars; 0 where no statement must be kept."""
    if not kept_statements(prepared.campaign, draft, edition.keep_statements):
        return Decimal(0)
    estimates = Estimates(prepared.catalogue, prepared.terms.provider, prepared.providers)
    return price_question(prepared.campaign, edition, draft.row, draft.arm, estimates).high_usd
