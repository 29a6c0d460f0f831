"""The form that Prefect's pages show for ``approval: prefect``: the offer in words, and what may be answered.

The form's fields are typed, so that the server takes no name that was not offered and nobody's unnamed word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from prefect.input import RunInput
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from flows.prefect_ui.artifacts import report_link
from flows.promotion.plan import PromotionPlan, promotion_plan
from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.ledger import open_ledger
from tasks.money import format_usd
from tasks.settings import Settings

MOST_OFFERED = 60
"""How many drafts a form offers at most; finalists are always among them. The review page offers all."""

Who = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")
]
Dollars = Annotated[str, StringConstraints(max_length=24, pattern=r"^[0-9]+([.][0-9]+)?$")]
YesOrNo = Literal["yes", "no"]


class Answer(BaseModel):
    """What somebody answered.

    Args:
        approve: ``yes`` buys the finalists; ``no`` ends the run without finals.
        decided_by: Who says so.
        finalists: Drafts by name, the one that matters most first.
        most_usd: What all their tries may cost at most, dollars.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    approve: YesOrNo
    decided_by: Who
    finalists: tuple[str, ...]
    most_usd: Decimal


@dataclass(frozen=True)
class Offer:
    """What a person is asked about.

    Args:
        campaign: The campaign's name.
        run_id: The run.
        revision: The finalists' revision; 0 is the rule's own choice.
        finalists: The drafts chosen so far, in their order.
        others: Survivors that may be chosen in their place, best first.
        plan: What buying the finalists costs.
        report: The report's address.
    """

    campaign: str
    run_id: str
    revision: int
    finalists: Sequence[Candidate]
    others: Sequence[Candidate]
    plan: PromotionPlan
    report: str


def offer_of(settings: Settings, run_id: str) -> Offer:
    """Gather what a run's form says. Spends nothing.

    Raises:
        RunoffError: The run or its campaign cannot be read or priced.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, run_id)
        last = ledger.shortlists.last(run.run_id)
        drafts = run.read_candidates("draft")
    ranked = sorted((draft for draft in drafts if draft.rank is not None), key=lambda draft: draft.rank or 0)
    finalists = [draft for draft in ranked if draft.is_finalist]
    if last is not None:
        known = {draft.candidate_id: draft for draft in drafts}
        finalists = [known[name] for name in last.candidate_ids if name in known]
    chosen = {draft.candidate_id for draft in finalists}
    others = [draft for draft in ranked if draft.candidate_id not in chosen]
    return Offer(
        campaign=run.record.campaign,
        run_id=run.run_id,
        revision=last.revision if last else 0,
        finalists=finalists,
        others=others[: max(MOST_OFFERED - len(finalists), 0)],
        plan=promotion_plan(settings, run.run_id),
        report=report_link(str(run.folder)),
    )


def form_of(offer: Offer, trouble: str = "") -> type[RunInput]:
    """Make the form of an offer.

    Args:
        offer: What is asked about.
        trouble: Why the answer before was not taken; empty for the first form.
    """
    names = [draft.name for draft in (*offer.finalists, *offer.others)]
    chosen = names[: len(offer.finalists)]
    fields: dict[str, Any] = {
        "approve": (
            YesOrNo,
            Field(title="Buy them?", description="yes buys the finalists; no ends the run without finals"),
        ),
        "decided_by": (
            Who,
            Field(title="Who decides", description="Your name; it is kept with the decision"),
        ),
        "finalists": (
            list[Literal[tuple(names)]],  # type: ignore[misc]
            Field(
                default=chosen,
                title="Finalists",
                max_length=len(names),
                description="Which drafts to buy again, the one that matters most first",
                json_schema_extra={"uniqueItems": True},
            ),
        ),
        "most_usd": (
            Dollars,
            Field(
                default=f"{offer.plan.all_usd.normalize():f}",
                title="At most, US dollars",
                description="What every try at them may cost at most, dollars; "
                "nothing is bought when it would be more",
            ),
        ),
    }
    form = cast("type[RunInput]", create_model("Approval", __base__=RunInput, **fields))
    return form.with_initial_data(description=_told(offer, trouble))


def _told(offer: Offer, trouble: str) -> str:
    """Write the offer for people, as markdown."""
    plan = offer.plan
    lines = [
        f"**Not taken: {trouble}**" if trouble else "",
        f"**{offer.campaign} · {offer.run_id}** awaits review. [Look at the report]({offer.report})",
        f"{plan.sentence} {plan.left_in.capitalize()} has {format_usd(plan.left_usd)} left.",
        "Answer here, on the review page (`runoff review`) or with `runoff promote`: the first word counts, "
        "a later one buys nothing.",
        _table(offer),
    ]
    return "\n\n".join(line for line in lines if line)


def _table(offer: Offer) -> str:
    """List the drafts on offer with rank and score, and the price of those that are chosen."""
    rows = ["| draft | rank | score | next try |", "|---|---|---|---|"]
    for draft in (*offer.finalists, *offer.others):
        cost_usd = offer.plan.of_finalist_usd.get(draft.candidate_id)
        score = "–" if draft.score is None else f"{draft.score:.2f}"
        price = "not chosen" if cost_usd is None else f"at most {format_usd(cost_usd)}"
        rows.append(f"| {draft.name} | {draft.rank or '–'} | {score} | {price} |")
    return "\n".join(rows)
