"""The form that Prefect's UI shows for ``approval: prefect``.

Its fields are typed, so that the server rejects names that are not on offer and answers without an author.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from prefect.input import RunInput
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from flows.prefect_ui.artifacts import MOST_THUMBNAILS, report_link, small_picture
from flows.promotion.plan import PromotionPlan, promotion_plan
from flows.runs.deadline import deadline_of
from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.ledger import open_ledger
from tasks.money import format_usd
from tasks.settings import Settings

MOST_OFFERED = 60
"""The most drafts that a form offers, finalists included; the review page offers all."""

Who = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")
]
Dollars = Annotated[str, StringConstraints(max_length=24, pattern=r"^[0-9]+([.][0-9]+)?$")]
Reason = Annotated[str, StringConstraints(max_length=500)]
YesOrNo = Literal["yes", "no"]


class Answer(BaseModel):
    """An answer to the form.

    Args:
        approve: ``yes`` buys the finalists; ``no`` ends the run without finals.
        decided_by: The name of the person who answered.
        finalists: Drafts by name, most important first.
        most_usd: The most that all their attempts may cost, dollars.
        reason: Why, for the report.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    approve: YesOrNo
    decided_by: Who
    finalists: tuple[str, ...]
    most_usd: Decimal
    reason: Reason = ""


@dataclass(frozen=True)
class Offer:
    """The offer that a person decides about.

    Args:
        campaign: The campaign's name.
        run_id: The run.
        revision: The revision of the finalists; 0 is the rule's choice.
        finalists: The drafts chosen so far, in their order.
        others: Unique images that can be chosen instead, best first.
        plan: The price of the finalists.
        report: The report's address.
        folder: The run's folder.
        decide: When the review ends, and what happens then; empty if it does not end.
    """

    campaign: str
    run_id: str
    revision: int
    finalists: Sequence[Candidate]
    others: Sequence[Candidate]
    plan: PromotionPlan
    report: str
    folder: Path
    decide: str = ""

    @property
    def sentence(self) -> str:
        """What it waits for, in a sentence."""
        return " ".join(filter(None, (f"{self.run_id} awaits review.", self.decide, self.report)))


def offer_of(settings: Settings, run_id: str) -> Offer:
    """Collect the contents of a run's form. Spends nothing.

    Raises:
        RunoffError: The run or its campaign cannot be read or priced.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        run = StoredRun.find(settings, ledger, run_id)
        last = ledger.shortlists.last(run.run_id)
        drafts, deadline = run.read_candidates("draft"), deadline_of(run)
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
        report=report_link(str(run.folder), settings),
        folder=run.folder,
        decide=deadline.sentence if deadline else "",
    )


def form_of(offer: Offer, trouble: str = "") -> type[RunInput]:
    """Make the form of an offer.

    Args:
        offer: The offer.
        trouble: Why the previous answer was not accepted; empty for the first form.
    """
    names = [draft.name for draft in (*offer.finalists, *offer.others)]
    chosen = names[: len(offer.finalists)]
    fields: dict[str, Any] = {
        "approve": (
            YesOrNo,
            Field(title="Buy them?", description="yes buys the finalists; no buys none, and the run is done"),
        ),
        "decided_by": (
            Who,
            Field(title="Who decides", description="Your name; it is stored with the decision"),
        ),
        "finalists": (
            list[Literal[tuple(names)]],  # type: ignore[misc]
            Field(
                default=chosen,
                title="Finalists",
                max_length=len(names),
                description="Which drafts to buy again, most important first",
                json_schema_extra={"uniqueItems": True},
            ),
        ),
        "most_usd": (
            Dollars,
            Field(
                default=f"{offer.plan.all_usd.normalize():f}",
                title="At most, US dollars",
                description="The highest acceptable cost of all attempts, US dollars; "
                "if they may cost more, nothing is bought",
            ),
        ),
        "reason": (Reason, Field(default="", title="Why", description="For the report, above all if not")),
    }
    form = cast("type[RunInput]", create_model("Approval", __base__=RunInput, **fields))
    return form.with_initial_data(description=_description(offer, trouble))


def _description(offer: Offer, trouble: str) -> str:
    """Describe the offer for people, as markdown."""
    plan = offer.plan
    lines = [
        f"**Not accepted: {trouble}**" if trouble else "",
        f"**{offer.campaign} · {offer.run_id}** awaits review. [Open the report]({offer.report})",
        f"{plan.sentence} {plan.left_in.capitalize()} has {format_usd(plan.left_usd)} left.",
        "Answer here, on the review page (`runoff review`) or with `runoff promote`; the first "
        "decision counts, and a later one buys nothing.",
        offer.decide,
        _drafts(offer),
    ]
    return "\n\n".join(line for line in lines if line)


def _drafts(offer: Offer) -> str:
    """Show the drafts on offer: the first ones with picture and price, the others as a table.

    The form is narrow: text is wrapped, and a table that is too wide is cut off.
    """
    drafts = (*offer.finalists, *offer.others)
    shown = [_shown(offer, draft) for draft in drafts[:MOST_THUMBNAILS]]
    rows = [f"| {draft.name} | {_rank(draft)} | {_score(draft)} |" for draft in drafts[MOST_THUMBNAILS:]]
    table = ["| not chosen | rank | score |", "|---|---|---|", *rows] if rows else []
    return "\n\n".join([*shown, *(["\n".join(table)] if table else [])])


def _shown(offer: Offer, draft: Candidate) -> str:
    picture = small_picture(offer.folder / draft.file)
    cost_usd = offer.plan.of_finalist_usd.get(draft.candidate_id)
    price = "not chosen" if cost_usd is None else f"at most {format_usd(cost_usd)}"
    facts = f"**{draft.name}** · rank {_rank(draft)} · score {_score(draft)} · {price}"
    return f"![{draft.name}]({picture})\n{facts}" if picture else facts


def _rank(draft: Candidate) -> str:
    return "–" if draft.rank is None else str(draft.rank)


def _score(draft: Candidate) -> str:
    return "–" if draft.score is None else f"{draft.score:.2f}"
