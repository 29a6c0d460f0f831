"""Builds the orders for judging models: one per judged picture, two per compared pair.

Only unique images are judged, so that nothing is spent on duplicates or unfit pictures. The highest cost is
planned before there are pictures; earlier answers are found by the orders' questions.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from tasks.attachments.attachments import NOTHING, Sent
from tasks.campaign import Campaign
from tasks.campaign.briefs import brief_of, missing_briefs
from tasks.campaign.choice import Judge
from tasks.campaign.statements import duel_statements, statements_of
from tasks.candidate import Candidate
from tasks.catalogue import Estimate
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.sizes import Size, parse_size
from tasks.judging.brief_questions import MOST as MOST_WRITTEN
from tasks.judging.brief_questions import brief_parameters, brief_prompt
from tasks.judging.duels import duel_parameters, duel_prompt, most_pairs
from tasks.judging.forms import Form
from tasks.judging.rubric import rubric_parameters, rubric_prompt
from tasks.order import Order, Reference
from tasks.orders.beside import fault_of, planned_beside, shown_beside

BOUGHT = ("judge", "duel")
"""The scorers whose scores are bought."""

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

    @property
    def orders(self) -> int:
        """The most requests."""
        return self.pictures * self.per_picture + 2 * self.pairs + self.briefs


class Place(NamedTuple):
    """Where in a campaign a question belongs that shows no picture."""

    arm: str
    row: int
    replicate: int


@dataclass(frozen=True, slots=True)
class Questions:
    """Builds a run's orders for its judging models.

    Args:
        campaign: The campaign; it must have a judge or duels for the orders requested.
        run_id: The run.
        folder: The run's folder, to which the pictures' files are relative.
        estimates: The cost of orders; without it the orders only serve to find answers and must not be
            bought.
        sent: The references and the mask that drafts were made with, by the draft's candidate id; needed
            where the judge sees them.
    """

    campaign: Campaign
    run_id: str
    folder: str
    estimates: Estimates | None = None
    sent: Mapping[str, Sent] = field(default_factory=dict)

    def about(self, draft: Candidate, form: Form | None = None, sample: int = 0) -> Order:
        """Build the order that has one picture judged by the rubric.

        Args:
            draft: The picture.
            form: How the statements are answered; by default as the campaign prefers.
            sample: Which of several answers about the same picture it is, from 0.
        """
        judge = self.campaign.score.judge
        assert judge is not None
        form = form or forms_of(judge)[0]
        rubric = [one.text for one in statements_of(self.campaign, draft.row, draft.arm)]
        beside = self.beside(draft)
        prompt = _prompt(rubric, form, beside, sample)
        parameters = rubric_parameters(judge.model, rubric, form)
        return self._order(draft, prompt, parameters, [draft], draft.candidate_id, beside)

    def beside(self, picture: Candidate) -> Sent:
        """Return what the judge sees beside a picture: of a final, what its draft was made with."""
        judge = self.campaign.score.judge
        assert judge is not None
        draft_id = picture.draft_id if picture.is_final else None
        return shown_beside(judge, self.sent.get(draft_id or picture.candidate_id, NOTHING))

    def fault_beside(self, picture: Candidate) -> str:
        """Say why a picture cannot be asked about: what belongs beside it is gone, or another picture now."""
        return fault_of(self.beside(picture))

    def all_about(self, draft: Candidate, form: Form) -> list[Order]:
        """Build the orders by which one picture is judged in a form: one, or as many as are averaged."""
        judge = self.campaign.score.judge
        assert judge is not None
        n_samples = judge.samples if form == "samples" else 1
        return [self.about(draft, form, sample) for sample in range(n_samples)]

    def of_brief(self, brief: str, row: int, attempt: int = 0) -> Order:
        """Build the order by which a model writes the statements of a brief.

        Args:
            brief: What the pictures shall show.
            row: The first row that has it.
            attempt: 0, or which time it is asked again because an answer could not be read.
        """
        judge = self.campaign.score.judge
        assert judge is not None
        prompt, parameters = brief_prompt(brief, attempt), brief_parameters(judge.model)
        name = "b-" + hashlib.sha256(brief.encode()).hexdigest()[:20]
        at = Place(next(iter(self.campaign.arms)), row, 0)
        return self._order(at, prompt, parameters, [], name)

    def between(self, first: Candidate, second: Candidate) -> Order:
        """Build the order that compares two pictures, shown in this order."""
        duel = self.campaign.score.duel
        assert duel is not None
        parameters = duel_parameters(duel.model)
        name = duel_name(first.candidate_id, second.candidate_id)
        prompt = duel_prompt(duel_statements(self.campaign, first.row))
        return self._order(first, prompt, parameters, [first, second], name)

    def _order(
        self,
        at: "Candidate | Place",
        prompt: str,
        parameters: Mapping[str, Any],
        shown: Sequence[Candidate],
        about: str,
        beside: Sent = NOTHING,
    ) -> Order:
        references = (*(self._shown(draft) for draft in shown), *beside.references)
        estimates = self.estimates
        pictures = references if beside.mask is None else (*references, beside.mask)
        estimate = estimates.of(parameters, prompt, pictures).high_usd if estimates else ZERO
        return Order(
            run_id=self.run_id,
            campaign=self.campaign.name,
            stage="judge",
            arm=at.arm,
            row=at.row,
            replicate=at.replicate,
            attempt=0,
            prompt=prompt,
            provider=self.campaign.provider,
            endpoint="chat",
            parameters=parameters,
            references=references,
            mask=beside.mask,
            estimate_usd=estimate,
            draft_id=about,
        )

    def _shown(self, draft: Candidate) -> Reference:
        seen = draft.inspection
        width, height, kind = (seen.width or 0, seen.height or 0, seen.format) if seen else (0, 0, None)
        return Reference(f"{self.folder}/{draft.file}", draft.sha256, width, height, f"image/{kind or 'png'}")


def forms_of(judge: Judge) -> tuple[Form, ...]:
    """Return the forms in which a rubric is put to its model, or was; the preferred one first."""
    if judge.answers == "yes_no":
        return ("yes_no", "first_yes_no")
    return ("log_probabilities", "samples" if judge.samples > 1 else "word_of_five")


def _prompt(rubric: Sequence[str], form: Form, beside: Sent, sample: int = 0) -> str:
    shows_mask = beside.mask is not None
    return rubric_prompt(rubric, form, sample, len(beside.references), shows_mask=shows_mask)


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
    pictures = [shown, *beside.references, *([] if beside.mask is None else [beside.mask])]
    costs = [
        (
            judge.samples if form == "samples" else 1,
            estimates.of(
                rubric_parameters(judge.model, rubric, form), _prompt(rubric, form, beside), pictures
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
    return estimates.of(brief_parameters(judge.model), brief_prompt(brief), [])


def duel_name(first_id: str, second_id: str) -> str:
    """Return a pair's name, independent of the order in which it is shown."""
    return "d-" + hashlib.sha256("".join(sorted((first_id, second_id))).encode()).hexdigest()[:20]


def worth_judging(drafts: Iterable[Candidate]) -> list[Candidate]:
    """List the unique images, equal bytes only once."""
    found: dict[str, Candidate] = {}
    for draft in sorted(drafts, key=lambda draft: draft.candidate_id):
        if draft.is_survivor:
            found.setdefault(draft.sha256, draft)
    return list(found.values())


def plan_judging(campaign: Campaign, estimates: Estimates) -> JudgingPlan | None:
    """Price a campaign's judging; ``None`` when it asks for none.

    Raises:
        CatalogueError: The judging model has no published price.
    """
    wishes = campaign.score
    parts = []
    if "judge" in wishes.weights and wishes.judge is not None:
        parts.append(_plan_rubric(campaign, estimates))
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
