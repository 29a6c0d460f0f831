"""Prices what judging models are asked before there are pictures: the least, the most, and what is usual."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tasks.attachments.attachments import NOTHING
from tasks.attachments.sent_before import Sent
from tasks.campaign import Campaign
from tasks.campaign.briefs import brief_of, missing_briefs
from tasks.campaign.choice import Judge
from tasks.campaign.statements import duel_statements, statements_of
from tasks.catalogue import Estimate
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.sizes import Size, parse_size
from tasks.judging.brief_questions import MOST as MOST_WRITTEN
from tasks.judging.brief_questions import brief_parameters, brief_prompt
from tasks.judging.duels import duel_parameters, duel_prompt, most_pairs
from tasks.judging.rubric import rubric_parameters
from tasks.money import format_share
from tasks.order import Reference
from tasks.orders.beside import planned_beside
from tasks.orders.questions import as_asked_by_panel, forms_of, prompt_of

LIKELY_CHARACTERS = 80
"""How long a statement is taken to be that no model has written yet."""

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class JudgingPlan:
    """The cost of judging, estimated before there are pictures.

    Args:
        models: The judging models.
        pictures: The most pictures that are judged by the rubric.
        pairs: The most pairs that are compared; each is two orders.
        low_usd: Dollars when all but one picture of each arm and row are duplicates.
        high_usd: The most dollars when there are no duplicates.
        usual_usd: What is expected then, dollars.
        per_picture: The most requests about one picture.
        limit_usd: What judging may cost at most, by its share of what the drafts cost at most, dollars;
            ``None`` without a limit.
        briefs: How many briefs a model writes the statements of, once.
    """

    models: tuple[str, ...]
    pictures: int
    pairs: int
    low_usd: Decimal
    high_usd: Decimal
    usual_usd: Decimal = ZERO
    per_picture: int = 1
    briefs: int = 0
    limit_usd: Decimal | None = None

    @property
    def orders(self) -> int:
        """The most requests."""
        return self.pictures * self.per_picture + 2 * self.pairs + self.briefs


def price_statements(
    judge: Judge, rubric: Sequence[str], shown: Reference, estimates: Estimates, beside: Sent = NOTHING
) -> Estimate:
    """Price what one picture is asked about, whatever the form in which its model can answer.

    Args:
        judge: The judge.
        rubric: The statements.
        shown: The picture.
        estimates: The cost of requests.
        beside: What the judge sees beside it.
    """
    estimates = estimates.at(judge.provider) if judge.provider else estimates
    pictures = [shown, *beside.references, *([] if beside.mask is None else [beside.mask])]
    costs = [
        (
            judge.samples if form == "samples" else 1,
            estimates.of(
                rubric_parameters(judge.model, rubric, form), prompt_of(rubric, form, beside), pictures
            ),
        )
        for form in forms_of(judge)
    ]
    return replace(
        costs[0][1],
        low_usd=min(count * cost.low_usd for count, cost in costs),
        high_usd=max(count * cost.high_usd for count, cost in costs),
    )


def price_brief(campaign: Campaign, brief: str, estimates: Estimates) -> Estimate:
    """Price the question by which a model writes the statements of a brief.

    Args:
        campaign: A campaign with ``score.judge``.
        brief: What the pictures shall show.
        estimates: The cost of requests.
    """
    judge = campaign.score.judge
    assert judge is not None
    estimates = estimates.at(judge.provider) if judge.provider else estimates
    return estimates.of(brief_parameters(judge.model), brief_prompt(brief), [])


def plan_judging(campaign: Campaign, estimates: Estimates) -> JudgingPlan | None:
    """Price a campaign's judging; ``None`` when it asks for none.

    Raises:
        CatalogueError: The judging model has no published price.
    """
    wishes = campaign.score
    parts = []
    if "judge" in wishes.weights and wishes.judge is not None:
        parts += [_plan_rubric(campaign, estimates), *_plan_panel(campaign, estimates)]
    if "duel" in wishes.weights and wishes.duel is not None:
        parts.append(_plan_duels(campaign, estimates))
    if not parts:
        return None
    return JudgingPlan(
        models=tuple(dict.fromkeys(part.models[0] for part in parts)),
        pictures=sum(part.pictures for part in parts),
        pairs=sum(part.pairs for part in parts),
        low_usd=sum((part.low_usd for part in parts), ZERO),
        high_usd=sum((part.high_usd for part in parts), ZERO),
        usual_usd=sum((part.usual_usd for part in parts), ZERO),
        per_picture=parts[0].per_picture,
        briefs=parts[0].briefs,
    )


def limited(
    planned: JudgingPlan | None, share: float | None, drafts_low_usd: Decimal, drafts_high_usd: Decimal
) -> JudgingPlan | None:
    """Limit the price of judging to its share of what the drafts cost.

    Args:
        planned: The price without a limit.
        share: The share; ``None`` without a limit.
        drafts_low_usd: The least that the drafts cost.
        drafts_high_usd: The most.
    """
    if planned is None or share is None:
        return planned
    least, most = Decimal(str(share)) * drafts_low_usd, Decimal(str(share)) * drafts_high_usd
    return replace(
        planned,
        low_usd=min(planned.low_usd, least),
        high_usd=min(planned.high_usd, most),
        usual_usd=min(planned.usual_usd, most),
        limit_usd=most,
    )


def share_warnings(planned: JudgingPlan | None, share: float | None, drafts_low_usd: Decimal) -> list[str]:
    """Warn where the share of the drafts' cost is too small to judge everything.

    Args:
        planned: The price without a limit.
        share: The share; ``None`` without a limit.
        drafts_low_usd: The least that the drafts cost.
    """
    if planned is None or share is None or not drafts_low_usd:
        return []
    usual = planned.usual_usd / drafts_low_usd
    if usual <= Decimal(str(share)):
        return []
    whole = f"judging everything costs about {usual:.0%} of the drafts"
    return [
        f"score.max_share: {whole}, and {format_share(share)} is allowed: the rest is not judged, and has no"
        " score by the judge."
    ]


def _plan_rubric(campaign: Campaign, estimates: Estimates) -> JudgingPlan:
    judge = campaign.score.judge
    assert judge is not None
    drawn = dict(zip(campaign.arms, _drawn(campaign), strict=True))
    briefs = missing_briefs(campaign)
    asked = Counter(
        (_likely_statements(campaign, briefs, row, arm), drawn[arm], planned_beside(campaign, arm, row))
        for row in range(campaign.n_rows)
        for arm in campaign.arms
    )
    low, high = ZERO, ZERO
    for (rubric, shown, beside), count in asked.items():
        cost = price_statements(judge, rubric, shown, estimates, beside)
        low, high = low + count * cost.low_usd, high + count * cost.high_usd
    per_prompt = campaign.drafts.per_prompt
    written = [price_brief(campaign, brief, estimates) for brief in briefs]
    return JudgingPlan(
        models=(judge.model,),
        pictures=asked.total() * per_prompt,
        pairs=0,
        low_usd=low + sum((cost.low_usd for cost in written), ZERO),
        high_usd=per_prompt * high + sum((cost.high_usd for cost in written), ZERO),
        usual_usd=per_prompt * low + sum((cost.low_usd for cost in written), ZERO),
        per_picture=judge.samples,
        briefs=len(briefs),
    )


def _plan_panel(campaign: Campaign, estimates: Estimates) -> Iterator[JudgingPlan]:
    """Price a panel: the best pictures as if each were the dearest to judge, once for each further judge."""
    panel = campaign.score.panel
    if panel is None or campaign.finalists.most == 0:
        return
    n_pictures = campaign.n_rows * len(campaign.arms) * campaign.drafts.per_prompt
    n_best = min(panel.best, n_pictures)
    for asked in as_asked_by_panel(campaign):
        whole = _plan_rubric(asked, estimates)
        n_fewest = min(n_best, campaign.n_rows * len(campaign.arms))
        yield replace(
            whole,
            pictures=n_best,
            low_usd=whole.usual_usd * n_fewest / n_pictures,
            high_usd=whole.high_usd * n_best / n_pictures,
            usual_usd=whole.usual_usd * n_best / n_pictures,
            briefs=0,
        )


def _likely_statements(campaign: Campaign, missing: Collection[str], row: int, arm: str) -> tuple[str, ...]:
    """List a row's statements; where a model has still to write some, as many and as long as there may be."""
    texts = tuple(one.text for one in statements_of(campaign, row, arm))
    is_missing = bool(missing) and brief_of(campaign, row) in missing
    return (*texts, *(["x" * LIKELY_CHARACTERS] * MOST_WRITTEN)) if is_missing else texts


def _plan_duels(campaign: Campaign, estimates: Estimates) -> JudgingPlan:
    duel = campaign.score.duel
    assert duel is not None
    rubrics = {duel_statements(campaign, row) for row in range(campaign.n_rows)}
    prompt = max(map(duel_prompt, rubrics), key=lambda text: len(text.encode()))
    estimates = estimates.at(duel.provider) if duel.provider else estimates
    parameters, drawn = duel_parameters(duel.model), _drawn(campaign)
    costs = [estimates.of(parameters, prompt, [one, other]) for one in drawn for other in drawn]
    pairs = campaign.n_rows * most_pairs(len(drawn) * campaign.drafts.per_prompt, duel.per_row)
    least = campaign.n_rows * most_pairs(len(drawn), duel.per_row)
    return JudgingPlan(
        models=(duel.model,),
        pictures=0,
        pairs=pairs,
        low_usd=2 * least * min(cost.low_usd for cost in costs),
        high_usd=2 * pairs * max(cost.high_usd for cost in costs),
        usual_usd=2 * pairs * max(cost.low_usd for cost in costs),
    )


def _drawn(campaign: Campaign) -> list[Reference]:
    """Describe one draft of each arm before it exists."""
    sizes = [parse_size(campaign.drafts_of(arm).size) or Size(1024, 1024) for arm in campaign.arms]
    return [Reference("", "", size.width, size.height, "image/png") for size in sizes]


def unconnected_warnings(campaign: Campaign) -> list[str]:
    """Warn when there may be too few duels to compare all pictures of a row."""
    duel = campaign.score.duel
    most = len(campaign.arms) * campaign.drafts.per_prompt
    if duel is None or "duel" not in campaign.score.weights or duel.per_row >= most - 1:
        return []
    return [
        f"score.duel.per_row: {duel.per_row} pairs cannot connect the up to {most} pictures of a row;"
        f" {most - 1} can, fewer leave some without a strength."
    ]
