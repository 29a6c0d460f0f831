"""Estimates the cost of finals before there are drafts: the lowest and the highest possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tasks.attachments.fit import framed_size
from tasks.attachments.paths import fill_path, is_template
from tasks.attachments.references import ReferenceFaultError, read_reference
from tasks.campaign import Campaign
from tasks.campaign.finals import Finals
from tasks.campaign.pictures import PictureSettings
from tasks.campaign.row_groups import row_groups_of
from tasks.campaign.statements import statements_of
from tasks.catalogue import Estimate
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.sizes import Size, parse_size
from tasks.order import Reference
from tasks.orders.beside import planned_beside
from tasks.orders.finals import final_template
from tasks.orders.judging_plan import price_statements

ZERO = Decimal(0)


@dataclass(frozen=True)
class EditionPlan:
    """One edition of the finals: its cost with one attempt per finalist, and with all attempts.

    ``questions`` are the most that a judge is asked about these finals; their cost is in ``low_usd`` and
    ``high_usd``.
    """

    name: str | None
    model: str
    quality: str
    size: str
    method: str
    fewest_pictures: int
    most_pictures: int
    low_usd: Decimal
    high_usd: Decimal
    questions: int = 0


@dataclass(frozen=True)
class FinalsPlan:
    """All finals together.

    Args:
        approval: ``auto``, or ``review`` or ``prefect`` when a person approves first.
        finalists: The most drafts that are chosen.
        editions: The editions that each is bought in.
    """

    approval: str
    finalists: int
    editions: tuple[EditionPlan, ...]

    @property
    def most_pictures(self) -> int:
        """The number of pictures when every attempt is needed."""
        return sum(edition.most_pictures for edition in self.editions)

    @property
    def low_usd(self) -> Decimal:
        """The cost when every first attempt is accepted."""
        return sum((edition.low_usd for edition in self.editions), ZERO)

    @property
    def high_usd(self) -> Decimal:
        """The cost when every attempt is bought."""
        return sum((edition.high_usd for edition in self.editions), ZERO)


def plan_finals_cost(
    campaign: Campaign, prompts: Mapping[str, Sequence[str]], estimates: Estimates
) -> FinalsPlan:
    """Price the finals of a campaign whose drafts do not exist yet.

    Args:
        campaign: The campaign to run.
        prompts: The drafts' texts by arm, in the order of the rows.
        estimates: The cost of requests.

    Raises:
        CatalogueError: Something has no price.
    """
    count = _most_finalists(campaign)
    editions = tuple(
        _plan_edition(campaign, edition, prompts, estimates, count) for edition in campaign.editions
    )
    return FinalsPlan(campaign.finalists.approval, count, editions)


def _plan_edition(
    campaign: Campaign,
    edition: Finals,
    prompts: Mapping[str, Sequence[str]],
    estimates: Estimates,
    count: int,
) -> EditionPlan:
    seller = estimates.at(campaign.final_provider(edition))
    first = list(_estimates_of(campaign, edition, prompts, seller, 0)) if count else []
    low_usd = min((estimate.low_usd for estimate in first), default=ZERO)
    high_usd = edition.attempts * max((estimate.high_usd for estimate in first), default=ZERO)
    if edition.fallback and count:
        last = _estimates_of(campaign, edition, prompts, seller, edition.attempts)
        high_usd += max(estimate.high_usd for estimate in last)
    asked = list(_questions_of(campaign, edition, estimates)) if count else []
    low_usd += min((estimate.low_usd for estimate in asked), default=ZERO)
    high_usd += edition.tries * max((estimate.high_usd for estimate in asked), default=ZERO)
    return EditionPlan(
        name=edition.name,
        model=edition.model,
        quality=edition.quality,
        size=edition.size,
        method=edition.method,
        fewest_pictures=count,
        most_pictures=count * edition.tries,
        low_usd=count * low_usd,
        high_usd=count * high_usd,
        questions=count * edition.tries * _asks_each(campaign) if asked else 0,
    )


def _asks_each(campaign: Campaign) -> int:
    judge = campaign.score.judge
    return judge.samples if judge else 1


def _questions_of(campaign: Campaign, edition: Finals, estimates: Estimates) -> Iterator[Estimate]:
    """Estimate the question about a final of each arm and row; nothing where its statements are not kept."""
    if edition.keep_statements != "none":
        for row in range(campaign.n_rows):
            for arm in campaign.arms:
                yield price_question(campaign, edition, row, arm, estimates)


def price_question(campaign: Campaign, edition: Finals, row: int, arm: str, estimates: Estimates) -> Estimate:
    """Price the judge's question about a final that does not exist yet.

    Args:
        campaign: A campaign with ``score.judge``.
        edition: The edition of the final.
        row: Index of its row.
        arm: Its arm.
        estimates: The cost of requests.
    """
    judge = campaign.score.judge
    assert judge is not None
    rubric = [one.text for one in statements_of(campaign, row, arm)]
    size = parse_size(edition.size) or Size(1024, 1024)
    shown = Reference("", "", size.width, size.height, f"image/{edition.format}")
    return price_statements(judge, rubric, shown, estimates, planned_beside(campaign, arm, row))


def _estimates_of(
    campaign: Campaign,
    edition: Finals,
    prompts: Mapping[str, Sequence[str]],
    estimates: Estimates,
    attempt: int,
) -> Iterator[Estimate]:
    """Estimate the shortest and the longest text, with every combination of pictures."""
    is_edit = edition.method_of(attempt) == "edit"
    template = final_template(edition, attempt)
    parameters = edition.parameters(n=1, is_edit=is_edit)
    others = _other_references(campaign, edition) if is_edit else [()]
    for arm in campaign.arms:
        first = (_planned_reference(campaign.drafts_of(arm), edition),) if is_edit else ()
        pairs = zip(campaign.all_rows, prompts[arm], strict=True)
        texts = [template.render({**row, "prompt": prompt}) for row, prompt in pairs]
        for text in (min(texts, key=_n_bytes), max(texts, key=_n_bytes)):
            for other in others:
                yield estimates.of(parameters, text, (*first, *other))


def _other_references(campaign: Campaign, edition: Finals) -> list[tuple[Reference, ...]]:
    """List the references sent besides the draft, one for each size; without rows whose pictures are gone."""
    rows = campaign.all_rows if any(map(is_template, edition.references)) else campaign.all_rows[:1]
    by_size = {}
    for row in rows:
        try:
            found = tuple(read_reference(fill_path(file, row)) for file in edition.references)
        except ReferenceFaultError:
            continue
        by_size[tuple((picture.width, picture.height) for picture in found)] = found
    return list(by_size.values()) or [()]


def _planned_reference(drafts: PictureSettings, edition: Finals) -> Reference:
    draft = parse_size(drafts.size) or Size(1024, 1024)
    size = framed_size(draft, parse_size(edition.size) or draft, edition.fit)
    return Reference("", "", size.width, size.height, f"image/{drafts.format}")


def _n_bytes(text: str) -> int:
    return len(text.encode())


def _most_finalists(campaign: Campaign) -> int:
    rule, arms = campaign.finalists, len(campaign.arms)
    limits = [arms * campaign.n_rows * campaign.drafts.per_prompt]
    if rule.most is not None:
        limits.append(rule.most)
    limits += [groups.most * len(groups.names) for groups in row_groups_of(campaign)]
    if rule.max_per_arm is not None:
        limits.append(rule.max_per_arm * arms)
    if rule.max_per_prompt is not None:
        limits.append(rule.max_per_prompt * campaign.n_rows * arms)
    return min(limits)
