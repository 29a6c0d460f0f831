"""Choosing finalists and confirming to buy them.

Every change is a revision and names the one it was made from. A revision is confirmed once: the ledger
accepts one confirmation, so that a second click, tab or person buys nothing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from flows.decline import decline
from flows.evaluation.drafts import select_finalists
from flows.evaluation.winners import find_winners_of_run
from flows.promotion.action import Price
from flows.review.agreed import agreed
from flows.review.gallery import run_facts
from flows.review.page_context import PageContext, RunView, moment, usd
from flows.review.request_bodies import ConfirmBody, DeclineBody, ShortlistBody
from flows.review.visitors import Visitor
from flows.runs.deadline import deadline_of
from flows.runs.lock import locked_with_campaign
from tasks.campaign.row_groups import row_groups_of
from tasks.errors import EngineError, RunError, RunoffError, SettingError
from tasks.ledger.runs import cancelled_error


def routes(context: PageContext) -> APIRouter:
    """Make the routes of finalists and of the start of a promotion."""
    router = APIRouter()

    @router.get("/runs/{run_id}/finalists")
    def page(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        deadline = deadline_of(run)
        decide = deadline.sentence if deadline else ""
        return context.page(request, "finalists.html", here="finalists", decide=decide, **run_facts(run))

    @router.get("/runs/{run_id}/shortlist.json")
    def shortlist(run_id: str) -> dict[str, Any]:
        return shortlist_facts(context.run_view(run_id))

    @router.post("/runs/{run_id}/shortlist")
    def choose(run_id: str, body: ShortlistBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        _choose(run, body.candidate_ids, body.after, body.by)
        return shortlist_facts(context.run_view(run_id))

    @router.post("/runs/{run_id}/confirm")
    def confirm(request: Request, run_id: str, body: ConfirmBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        _confirm(run, body, request.state.visitor)
        _start(run)
        return {"finals": f"{context.access.root_path}/runs/{run.run_id}/finals"}

    @router.post("/runs/{run_id}/decline")
    def choose_none(run_id: str, body: DeclineBody) -> dict[str, str]:
        run = context.run_view(run_id)
        declined = decline(run.settings, run.ledger, run.run_id, body.by, body.reason)
        return {"message": f"{declined.run_id} is done: none of its pictures is bought again."}

    return router


def _choose(run: RunView, candidate_ids: list[str], after: int, by: str) -> None:
    """Record the next revision and choose by it.

    Raises:
        RunError: The list was changed meanwhile, another process works on the run, or a picture is not one
            of its drafts. Nothing was written.
    """
    fit = {draft.candidate_id for draft in run.drafts if draft.is_fit}
    if not set(candidate_ids) <= fit or len(set(candidate_ids)) < len(candidate_ids):
        raise RunError(
            where=f"run {run.run_id}",
            what="the list names a picture twice, or one that is not a selectable draft of this run",
            next_step="Reload the page.",
        )
    with locked_with_campaign(run.ledger, run.folder):
        run.ledger.shortlists.choose(run.run_id, candidate_ids, after=after, by=by, now=datetime.now(UTC))
        select_finalists(run)


def _confirm(run: RunView, body: ConfirmBody, visitor: Visitor) -> None:
    """Record the confirmation to buy.

    Raises:
        RunError: There is nothing to buy, the price has risen, a promotion is running, the list was changed
            or already confirmed, or the person's own limit is reached. Nothing was bought.
    """
    if run.record.state == "cancelled":
        raise cancelled_error(run.run_id)
    revision, ids = run.shortlist_ids()
    if body.revision == revision == 0:
        # The rule's choice becomes this person's revision; of two people at once, one is rejected.
        _choose(run, ids, 0, body.by)
    price = run.context.promoter.price(run.run_id)
    if _is_buying(run):
        raise _rejected(run, "its finalists are already being bought", "See the progress under Finals.")
    last = run.ledger.shortlists.last(run.run_id)
    if last is None or last.confirmed_at is None:
        _check_price(run, price, body.most_usd)
    with agreed(run, visitor, price.all_usd):
        run.ledger.shortlists.confirm(run.run_id, max(body.revision, 1), by=body.by, now=datetime.now(UTC))


def _start(run: RunView) -> None:
    """Begin to buy the confirmed finalists.

    Raises:
        RunError: It could not be started. The list stays confirmed.
    """
    try:
        run.context.promoter.start(run.run_id)
    except (SettingError, EngineError) as error:
        raise RunError(
            where=f"run {run.run_id}",
            what=f"the finalists are confirmed, but they are not being bought: {error.what}",
            next_step=f"If no finals appear, run: runoff promote {run.run_id}, or buy them here again",
        ) from error


def _check_price(run: RunView, price: Price, shown_usd: Decimal) -> None:
    if not price.has_work:
        raise _rejected(run, price.sentence.rstrip("."), "Reload the page.")
    if price.all_usd > shown_usd:
        what = f"it would now cost up to {usd(price.all_usd)}, and {usd(shown_usd)} was shown"
        raise _rejected(run, what, "Check the new price and confirm again.")


def _rejected(run: RunView, what: str, next_step: str) -> RunError:
    return RunError(
        where=f"run {run.run_id}", what=what, money="Nothing more was bought.", next_step=next_step
    )


def _is_buying(run: RunView) -> bool:
    promotion = run.context.promoter.look(run.run_id)
    return promotion is not None and promotion.state == "running"


def shortlist_facts(run: RunView) -> dict[str, Any]:
    """Return the finalists in their order, and their price."""
    revision, ids = run.shortlist_ids()
    winners = find_winners_of_run(run) if revision == 0 else None
    last = run.ledger.shortlists.last(run.run_id)
    drafts = {draft.candidate_id: draft for draft in run.drafts}
    accepted = {final.draft_id for final in run.finals if final.is_accepted}
    return {
        "revision": revision,
        "chosen_by": last.chosen_by if last else "rule",
        "rule": f"{winners.state()}." if winners else "",
        "confirmed": last and last.confirmed_at and f"{last.confirmed_by}, {moment(last.confirmed_at)}",
        "is_buying": _is_buying(run),
        "finalists": [
            {
                "id": name,
                "name": drafts[name].name,
                "arm": drafts[name].arm,
                "colour": run.arms[drafts[name].arm],
                "score": drafts[name].score,
                "prompt": drafts[name].prompt,
                "has_final": name in accepted,
            }
            for name in ids
            if name in drafts
        ],
        "without": _without_finalist(run, ids),
        "price": _price(run),
    }


def _without_finalist(run: RunView, ids: Sequence[str]) -> list[str]:
    """Name the rows, or other groups that the campaign limits, that none of these drafts belongs to."""
    chosen = set(ids)
    rows = {draft.row for draft in run.drafts if draft.candidate_id in chosen}
    return [name for groups in row_groups_of(run.campaign) for name in groups.without(rows)]


def _price(run: RunView) -> dict[str, Any]:
    """Return the price, or why it cannot be computed."""
    try:
        price = run.context.promoter.price(run.run_id)
    except RunoffError as error:
        return {"trouble": str(error)}
    return {
        "n_finals": price.n_finals,
        "has_work": price.has_work,
        "model": price.model,
        "first": usd(price.first_usd),
        "all": usd(price.all_usd),
        "most_usd": f"{price.all_usd:f}",
        "left": usd(price.left_usd),
        "left_in": price.left_in,
        "is_within": price.all_usd <= price.left_usd,
        "begins": price.first_usd <= price.left_usd,
        "of_finalist": {name: usd(amount) for name, amount in price.of_finalist_usd.items()},
        "sentence": price.sentence,
    }
