"""Builds the orders for judging models: one per judged picture, two per compared pair.

Only unique images are judged, so that nothing is spent on duplicates or unfit pictures. Earlier answers are
found by the orders' questions.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from tasks.attachments.attachments import NOTHING
from tasks.attachments.sent_before import Sent
from tasks.campaign import Campaign
from tasks.campaign.choice import Judge
from tasks.campaign.statements import duel_statements, statements_of
from tasks.candidate import Candidate
from tasks.catalogue.estimates import Estimates
from tasks.judging.brief_questions import brief_parameters, brief_prompt
from tasks.judging.duels import duel_parameters, duel_prompt
from tasks.judging.forms import Form
from tasks.judging.rubric import rubric_parameters, rubric_prompt
from tasks.order import Order, Reference
from tasks.orders.beside import fault_of, shown_beside

BOUGHT = ("judge", "duel")
"""The scorers whose scores are bought."""

ZERO = Decimal(0)


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
        prompt = prompt_of(rubric, form, beside, sample)
        parameters = rubric_parameters(judge.model, rubric, form)
        at = judge.provider
        return self._order(draft, prompt, parameters, [draft], draft.candidate_id, beside, provider=at)

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
        return self._order(at, prompt, parameters, [], name, provider=judge.provider)

    def between(self, first: Candidate, second: Candidate) -> Order:
        """Build the order that compares two pictures, shown in this order."""
        duel = self.campaign.score.duel
        assert duel is not None
        parameters = duel_parameters(duel.model)
        name = duel_name(first.candidate_id, second.candidate_id)
        prompt = duel_prompt(duel_statements(self.campaign, first.row))
        return self._order(first, prompt, parameters, [first, second], name, provider=duel.provider)

    def _order(
        self,
        at: "Candidate | Place",
        prompt: str,
        parameters: Mapping[str, Any],
        shown: Sequence[Candidate],
        about: str,
        beside: Sent = NOTHING,
        *,
        provider: str | None,
    ) -> Order:
        references = (*(self._shown(draft) for draft in shown), *beside.references)
        seller = provider or self.campaign.provider
        estimates = self.estimates and self.estimates.at(seller)
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
            provider=seller,
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


def as_asked_by_panel(campaign: Campaign) -> list[Campaign]:
    """Return the campaign as each further judge of its panel is asked by it; none without a panel."""
    score = campaign.score
    if score.judge is None or score.panel is None:
        return []
    judges = [
        score.judge.model_copy(update={"model": one.model, "provider": one.provider})
        for one in score.panel.judges
    ]
    return [
        campaign.model_copy(update={"score": score.model_copy(update={"judge": judge})}) for judge in judges
    ]


def forms_of(judge: Judge) -> tuple[Form, ...]:
    """Return the forms in which a rubric is put to its model, or was; the preferred one first."""
    if judge.answers == "yes_no":
        return ("yes_no", "first_yes_no")
    return ("log_probabilities", "samples" if judge.samples > 1 else "word_of_five")


def prompt_of(rubric: Sequence[str], form: Form, beside: Sent, sample: int = 0) -> str:
    """Write the question by the rubric.

    Args:
        rubric: The statements.
        form: How they are answered.
        beside: What the judge sees beside the picture.
        sample: Which of several answers about the same picture it is, from 0.
    """
    shows_mask = beside.mask is not None
    return rubric_prompt(rubric, form, sample, len(beside.references), shows_mask=shows_mask)


def duel_name(first_id: str, second_id: str) -> str:
    """Return a pair's name, independent of the order in which it is shown."""
    return "d-" + hashlib.sha256("".join(sorted((first_id, second_id))).encode()).hexdigest()[:20]


def worth_judging(drafts: Iterable[Candidate]) -> list[Candidate]:
    """List the unique images, equal bytes of a row only once."""
    found: dict[tuple[int, str], Candidate] = {}
    for draft in sorted(drafts, key=lambda draft: draft.candidate_id):
        if draft.is_survivor:
            found.setdefault((draft.row, draft.sha256), draft)
    return list(found.values())
