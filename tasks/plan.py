"""The step that plans a run: its orders, cost and duration; it sends and spends nothing."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

from tasks.attachments.attachments import SentPictures
from tasks.attachments.conversions import describe_conversions
from tasks.attachments.sent_before import NOTHING_BEFORE, SentBefore
from tasks.campaign import Campaign
from tasks.campaign.cheapest import with_cheapest
from tasks.campaign.designs import describe_design
from tasks.campaign.recurrence import count_runs
from tasks.campaign.statements import statements_of
from tasks.campaign.succession import EVERY_PART, Part, with_successors
from tasks.catalogue import Catalogue
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.providers import AUTO, ImagesPerMinute, Providers
from tasks.errors import BudgetError
from tasks.money import format_usd
from tasks.order import Order
from tasks.orders.drafts import draft_orders, draft_prompts
from tasks.orders.durations import drafts_s, finals_s
from tasks.orders.finals_costs import FinalsPlan, plan_finals_cost
from tasks.orders.judging_plan import JudgingPlan, limited, plan_judging, share_warnings, unconnected_warnings
from tasks.orders.likely_mistakes import find_likely_mistakes, unused_variables
from tasks.orders.round_costs import RoundPlan, plan_added_round, plan_round_costs
from tasks.storage.home import DEFAULT_HOME, drawn_folder

ZERO = Decimal(0)
DAYS_IN_MONTH = 30
BATCH_WINDOW_S = 24.0 * 3600
"""The vendor completes a batch within this time, or lets it expire."""


@dataclass(frozen=True)
class ArmPlan:
    """One arm's drafts: the orders, and the range of their cost in dollars."""

    arm: str
    provider: str
    model: str
    quality: str
    size: str
    orders: int
    pictures: int
    low_usd: Decimal
    high_usd: Decimal


@dataclass(frozen=True)
class MonthPlan:
    """What a schedule costs in the next 30 days: how many runs, and the range of their cost in dollars."""

    runs: int
    low_usd: Decimal
    high_usd: Decimal


@dataclass(frozen=True)
class Plan:
    """The plan of a run.

    Args:
        campaign: The campaign to run, with retired models replaced by their successors.
        run_id: The run it is planned for.
        orders: Draft orders in the sequence in which they are bought; with rounds, those of the first round.
        arms: Totals of these orders by arm.
        finals: The cost of the finals.
        judging: The cost of judging models; ``None`` when the campaign uses none.
        all_high_usd: The lowest cost of the same number of pictures, all made at the finals' quality.
        drafts_s: Seconds for the drafts at the provider's images per minute; a day by the Batch lane.
        finals_s: The same for all attempts at all finals.
        warnings: What a person should know before agreeing to the cost.
        rounds: The cost of each round; empty when there is only one.
        notes: What was decided for this day, such as which model is the cheapest.
        images_per_minute: The account's limit; ``auto`` if it is found while buying.
        found_per_minute: The limit that was found for the account before, if any.
        month: What the schedule's runs of the next 30 days cost; ``None`` without one.
    """

    campaign: Campaign
    run_id: str
    orders: tuple[Order, ...]
    arms: tuple[ArmPlan, ...]
    finals: FinalsPlan
    all_high_usd: Decimal
    drafts_s: float
    finals_s: float
    warnings: tuple[str, ...]
    judging: JudgingPlan | None = None
    rounds: tuple[RoundPlan, ...] = ()
    notes: tuple[str, ...] = ()
    images_per_minute: ImagesPerMinute = AUTO
    found_per_minute: float | None = None
    month: MonthPlan | None = None

    @property
    def pictures(self) -> int:
        """The number of drafts in all rounds; with several rounds, the maximum."""
        return sum(part.pictures for part in self.rounds or self.arms)

    @property
    def drafts_low_usd(self) -> Decimal:
        """The lowest cost of all drafts."""
        return sum((part.low_usd for part in self.rounds or self.arms), ZERO)

    @property
    def drafts_high_usd(self) -> Decimal:
        """The highest cost of all drafts: the sum of what is reserved."""
        return sum((part.high_usd for part in self.rounds or self.arms), ZERO)

    @property
    def low_usd(self) -> Decimal:
        """The lowest cost of drafts, judging and finals."""
        judging_usd = self.judging.low_usd if self.judging else ZERO
        return self.drafts_low_usd + judging_usd + self.finals.low_usd

    @property
    def high_usd(self) -> Decimal:
        """The highest cost of drafts, judging and finals, with every attempt at every final bought."""
        judging_usd = self.judging.high_usd if self.judging else ZERO
        return self.drafts_high_usd + judging_usd + self.finals.high_usd

    def requests(self) -> list[Order]:
        """Return the first draft order of each arm and row, row by row: further replicates are like it."""
        firsts = list(takewhile(lambda order: order.replicate == self.orders[0].replicate, self.orders))
        return sorted(firsts, key=lambda order: order.row)

    def statements_about(self, order: Order) -> list[str]:
        """List the statements that the judge answers about an order's pictures; empty without a judge."""
        if "judge" not in self.campaign.score.weights:
            return []
        return [one.text for one in statements_of(self.campaign, order.row, order.arm)]

    def as_dict(self) -> dict[str, Any]:
        """Return the plan without its orders, for ``--json``; dollars are exact text."""
        return {
            "campaign": self.campaign.name,
            "run_id": self.run_id,
            "provider": self.campaign.provider,
            "rows": self.campaign.n_rows,
            "lane": self.campaign.drafts.lane,
            "orders": len(self.orders),
            "pictures": self.pictures,
            "arms": [_plain(arm.__dict__) for arm in self.arms],
            **_design_as_dict(self.campaign),
            "finals": _finals_as_dict(self.finals),
            "rounds": [_plain(asdict(part)) for part in self.rounds],
            "month": _plain(asdict(self.month)) if self.month else None,
            "judging": _plain(asdict(self.judging)) if self.judging else None,
            "drafts_low_usd": _text(self.drafts_low_usd),
            "drafts_high_usd": _text(self.drafts_high_usd),
            "low_usd": _text(self.low_usd),
            "high_usd": _text(self.high_usd),
            "all_high_usd": _text(self.all_high_usd),
            "per_run_usd": _text(self.campaign.budget.per_run_usd),
            "images_per_minute": self.images_per_minute,
            "found_per_minute": self.found_per_minute,
            "drafts_s": self.drafts_s,
            "finals_s": self.finals_s,
            "prompts": [
                _request_as_dict(order) | {"statements": self.statements_about(order)}
                for order in self.requests()
            ],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def _design_as_dict(campaign: Campaign) -> dict[str, Any]:
    """Return the levels of every factor and of every arm; nothing without factors."""
    if campaign.factors is None:
        return {}
    return describe_design(campaign.factors.design, campaign.levels_by_arm, campaign.levels_by_factor)


def plan(
    campaign: Campaign,
    catalogue: Catalogue,
    providers: Providers,
    run_id: str,
    today: date,
    *,
    home: Path = Path(DEFAULT_HOME),
    needed: frozenset[Part] = EVERY_PART,
    before: SentBefore = NOTHING_BEFORE,
) -> Plan:
    """Expand a campaign into orders and add up their cost.

    Args:
        campaign: A checked campaign.
        catalogue: Models and prices.
        providers: The providers and their limits.
        run_id: The run that the orders belong to; part of their identity.
        today: The day (UTC), for models that are or will be shut down.
        home: Runoff's home, below which drawn masks will be stored; ``./runs`` by default. Nothing is written
            there now.
        needed: The parts of which something will be bought; models of the others may be retired.
        before: What the run sent before, for pictures that cannot be read any more.

    Raises:
        BudgetError: Even the lowest cost exceeds the budget of a run.
        CatalogueError: A model has been shut down and the campaign names no available successor, or something
            has no price.
        CampaignError: A reference is missing, or a mask cannot be drawn.
    """
    provider = providers.provider(campaign.provider)
    campaign, chosen = with_cheapest(campaign, catalogue, provider, today, providers)
    campaign, successor_warnings = with_successors(campaign, catalogue, today, needed)
    estimates = Estimates(catalogue, provider, providers)
    prompts = draft_prompts(campaign)
    pictures = SentPictures(campaign, drawn_folder(home), before)
    passes = campaign.planned_passes
    orders = tuple(draft_orders(campaign, prompts, pictures, estimates, run_id, passes))
    finals = plan_finals_cost(campaign, prompts, estimates)
    arms = tuple(_arm_plans(campaign, orders, estimates))
    rounds = _round_plans(campaign, orders, estimates)
    judging, parts = plan_judging(campaign, estimates), rounds or arms
    n_first = sum(arm.pictures for arm in arms)
    n_drafts = sum(part.pictures for part in rounds or arms)
    result = Plan(
        campaign=campaign,
        run_id=run_id,
        orders=orders,
        arms=arms,
        finals=finals,
        all_high_usd=_all_high(campaign, orders, estimates) * n_drafts / n_first,
        drafts_s=BATCH_WINDOW_S
        if campaign.drafts.lane == "batch"
        else drafts_s({arm.arm: arm.pictures for arm in arms}, campaign, providers) * n_drafts / n_first,
        finals_s=finals_s(finals, campaign, providers),
        judging=judging,
        rounds=rounds,
        notes=(*chosen, *_unused_notes(campaign), *filter(None, [campaign.retention.sentence])),
        images_per_minute=provider.images_per_minute,
        warnings=(
            *campaign.notes,
            *describe_conversions(campaign, orders),
            *successor_warnings,
            *estimates.notes,
            *find_likely_mistakes(campaign, orders),
            *unconnected_warnings(campaign),
            *_share_warnings(campaign, arms),
            *share_warnings(judging, campaign.score.max_share, sum((part.low_usd for part in parts), ZERO)),
        ),
    )
    result = replace(result, judging=_limited_judging(result))
    return _within_budget(_worth_warned(_with_month(result, today)))


def _limited_judging(planned: Plan) -> JudgingPlan | None:
    share = planned.campaign.score.max_share
    return limited(planned.judging, share, planned.drafts_low_usd, planned.drafts_high_usd)


def _share_warnings(campaign: Campaign, arms: Sequence[ArmPlan]) -> list[str]:
    """Warn of arms that may cost more than their own limit."""
    return [
        f"arms.{arm.arm}.budget_usd: its drafts can cost up to {format_usd(arm.high_usd)};"
        f" {format_usd(limit)} is allowed, this arm stops buying when that is reached."
        for arm in arms
        if (limit := campaign.arms[arm.arm].budget_usd) is not None and arm.high_usd > limit
    ]


def _with_month(planned: Plan, today: date) -> Plan:
    schedule = planned.campaign.schedule
    if schedule is None:
        return planned
    start = datetime(today.year, today.month, today.day, tzinfo=UTC)
    runs = count_runs(schedule, start, DAYS_IN_MONTH)
    return replace(planned, month=MonthPlan(runs, runs * planned.low_usd, runs * planned.high_usd))


def _worth_warned(planned: Plan) -> Plan:
    """Warn when drafts and finals cost as much as the same pictures all at high quality."""
    if planned.low_usd < planned.all_high_usd or not planned.finals.finalists:
        return planned
    warning = (
        f"finalists: this saves nothing: all {planned.pictures} pictures at high quality cost"
        f" {format_usd(planned.all_high_usd)}; make more drafts for each finalist, or fewer finalists."
    )
    return replace(planned, warnings=(*planned.warnings, warning))


def _unused_notes(campaign: Campaign) -> list[str]:
    """Say which variables change no picture: a mistake in a name, or a column that only joins tables."""
    unused = unused_variables(campaign)
    key = "rows" if isinstance(campaign.rows, tuple) else "variables"
    return [f"{key}: no prompt uses {', '.join(unused)}."] if unused else []


def _arm_plans(campaign: Campaign, orders: Sequence[Order], estimates: Estimates) -> Iterator[ArmPlan]:
    by_arm: dict[str, list[Order]] = {name: [] for name in campaign.arms}
    for order in orders:
        by_arm[order.arm].append(order)
    for arm, own in by_arm.items():
        at = estimates.at(campaign.provider_of(arm))
        costs = [at.of(order.parameters, order.prompt, order.references, order.lane) for order in own]
        drafts = campaign.drafts_of(arm)
        yield ArmPlan(
            arm=arm,
            provider=campaign.provider_of(arm),
            model=drafts.model,
            quality=drafts.quality,
            size=drafts.size,
            orders=len(own),
            pictures=sum(order.n for order in own),
            low_usd=sum((cost.low_usd for cost in costs), ZERO),
            high_usd=sum((cost.high_usd for cost in costs), ZERO),
        )


def _round_plans(campaign: Campaign, orders: Sequence[Order], estimates: Estimates) -> tuple[RoundPlan, ...]:
    if len(campaign.rounds) == 1:
        return ()
    n_rounds = len(campaign.added_rounds) + 1
    first, *added = (
        [o for o in orders if campaign.added_round_of(o.replicate) == n] for n in range(n_rounds)
    )
    arms = _arm_plans(campaign, first, estimates)
    first_usd = {arm.arm: (arm.low_usd, arm.high_usd) for arm in arms if arm.orders}
    planned = plan_round_costs(campaign.rounds, campaign.n_rows, first_usd)
    lows = (sum((arm.low_usd for arm in _arm_plans(campaign, own, estimates)), ZERO) for own in added)
    later = map(plan_added_round, itertools.count(len(planned) + 1), added, lows)
    return (*planned, *later)


def _all_high(campaign: Campaign, orders: Sequence[Order], estimates: Estimates) -> Decimal:
    parameters = campaign.editions[0].parameters(n=1, is_edit=False)
    estimates = estimates.at(campaign.final_provider(campaign.editions[0]))
    return sum((order.n * estimates.of(parameters, order.prompt).low_usd for order in orders), ZERO)


def _within_budget(planned: Plan) -> Plan:
    budget, approval = planned.campaign.budget.per_run_usd, planned.finals.approval
    least = planned.low_usd if approval == "auto" else planned.drafts_low_usd
    if least > budget:
        raise BudgetError(
            where=f"{planned.campaign.name}: budget.per_run_usd",
            what=f"{format_usd(budget)} is less than the lowest cost, {_format_above(least, budget)}"
            f" ({len(planned.orders)} draft orders and {planned.finals.finalists} finals)",
            accepted=f"{format_usd(planned.high_usd)} or more covers everything",
            next_step="Raise the budget, or lower drafts.per_prompt, quality, or finalists.count.",
        )
    if planned.high_usd <= budget:
        return planned
    warning = (
        f"budget: everything can cost up to {format_usd(planned.high_usd)}; {format_usd(budget)} is allowed,"
        " the run stops buying when the budget is reached."
    )
    return replace(planned, warnings=(*planned.warnings, warning))


def _format_above(usd: Decimal, limit_usd: Decimal) -> str:
    """Format dollars so that they read as more than a limit that they exceed."""
    text = format_usd(usd)
    return text if text != format_usd(limit_usd) else f"${usd:f}"


def _finals_as_dict(finals: FinalsPlan) -> dict[str, Any]:
    """Return the finals; with a single edition, its fields are merged with the totals."""
    only = _plain(asdict(finals.editions[0])) if len(finals.editions) == 1 else {}
    totals = {"most_pictures": finals.most_pictures, "low_usd": finals.low_usd, "high_usd": finals.high_usd}
    whole = {"approval": finals.approval, "finalists": finals.finalists, **totals}
    return only | _plain(whole | {"editions": [_plain(asdict(edition)) for edition in finals.editions]})


def _request_as_dict(order: Order) -> dict[str, Any]:
    """Return one request of an arm and row; people count rows from 1."""
    return {
        "arm": order.arm,
        "row": order.row + 1,
        "row_index": order.row,
        "prompt": order.prompt,
        "endpoint": order.endpoint,
        "parameters": dict(order.parameters),
        "references": [reference.file for reference in order.references],
        "mask": order.mask.file if order.mask else None,
        "estimate_usd": _text(order.estimate_usd),
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _text(value) if isinstance(value, Decimal) else value for key, value in facts.items()}


def _text(usd: Decimal) -> str:
    return format(usd.normalize() + ZERO, "f")
