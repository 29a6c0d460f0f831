"""More of one picture: what to ask for, its price, the one confirmation, and what grew from the picture.

Looking never buys: the page prices, and a confirmed purchase is started by an action that the command gives
to the page. The purchase has a key that the browser makes, so that a second click buys nothing more.
"""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from flows.further.action import FurtherBuyer, FurtherPrice
from flows.further.asked import MOST, Asked, Base
from flows.review.agreed import agreed
from flows.review.gallery import row_names, run_facts
from flows.review.page_context import PageContext, RunView, usd
from flows.review.request_bodies import FurtherBody
from flows.review.visitors import Visitor
from tasks.campaign.prompts import own_words
from tasks.campaign.statements import VARIABLE
from tasks.candidate import Candidate
from tasks.errors import CatalogueError, RunError, RunoffError
from tasks.ledger.runs import cancelled_error

PROMPT_CHARACTERS = 5000
"""The longest prompt that is asked for on this page."""


def routes(context: PageContext) -> APIRouter:
    """Make the routes of further rounds."""
    router = APIRouter()

    @router.get("/runs/{run_id}/more/{candidate_id}")
    def page(request: Request, run_id: str, candidate_id: str) -> Response:
        run = context.run_view(run_id)
        draft = _draft(run, candidate_id)
        return context.page(request, "more.html", here="more", **run_facts(run), **_page_facts(run, draft))

    @router.get("/runs/{run_id}/more/{candidate_id}/price.json")
    def price(
        run_id: str,
        candidate_id: str,
        base: Annotated[Base, Query()],
        n: Annotated[int, Query(ge=1, le=MOST)],
        prompt: Annotated[str | None, Query(max_length=PROMPT_CHARACTERS)] = None,
        model: Annotated[str | None, Query(max_length=100)] = None,
    ) -> dict[str, Any]:
        run = context.run_view(run_id)
        asked = Asked(_draft(run, candidate_id).candidate_id, n, base, prompt, model)
        try:
            return price_facts(further_buyer(context, run).price(run.run_id, asked))
        except RunoffError as error:
            return {"trouble": str(error)}

    @router.post("/runs/{run_id}/more/{candidate_id}")
    def buy(request: Request, run_id: str, candidate_id: str, body: FurtherBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        draft = _draft(run, candidate_id)
        asked = Asked(draft.candidate_id, body.n, body.base, body.prompt, body.model)
        _buy(context, run, asked, body, request.state.visitor)
        return further_facts(run, draft)

    @router.get("/runs/{run_id}/more/{candidate_id}/state.json")
    def state(run_id: str, candidate_id: str) -> dict[str, Any]:
        run = context.run_view(run_id)
        return further_facts(run, _draft(run, candidate_id))

    return router


def _draft(run: RunView, candidate_id: str) -> Candidate:
    """Find a draft; of a final, the draft that it was made from."""
    by_id = {one.candidate_id: one for one in run.candidates}
    found = by_id.get(candidate_id)
    draft = by_id.get(str(found.draft_id)) if found is not None and found.is_final else found
    if draft is None:
        raise HTTPException(404, "this run has no such picture")
    return draft


def further_buyer(context: PageContext, run: RunView) -> FurtherBuyer:
    """Return what prices and buys further rounds.

    Raises:
        RunError: This page buys none.
    """
    if context.further is None:
        raise RunError(
            where=f"run {run.run_id}",
            what="more of a picture cannot be bought on this page",
            next_step=f"Ask for it with: runoff more {run.run_id} PICTURE",
        )
    return context.further


def _buy(context: PageContext, run: RunView, asked: Asked, body: FurtherBody, visitor: Visitor) -> None:
    """Start the purchase of a further round, unless one with its key was made.

    Raises:
        RunError: The price has risen, it does not fit the budget or the person's own limit, or the run is
            cancelled or being worked on. Nothing was bought.
    """
    if any(one.key == body.key for one in run.ledger.further_rounds.of_run(run.run_id)):
        return
    require_free(run)
    buyer = further_buyer(context, run)
    price = buyer.price(run.run_id, asked)
    require_price(run, price, body.most_usd)
    with agreed(run, visitor, price.most_usd):
        buyer.start(run.run_id, asked, body.key, body.most_usd, body.by)


def require_free(run: RunView) -> None:
    """Refuse to buy for a run that was given up, or is being worked on.

    Raises:
        RunError: It is one of them. Nothing was bought.
    """
    if run.record.state == "cancelled":
        raise cancelled_error(run.run_id)
    if run.is_worked_on:
        raise RunError(
            where=f"run {run.run_id}",
            what="the run is being worked on",
            next_step="Wait until it has ended, then ask again.",
        )


def require_price(run: RunView, price: FurtherPrice, shown_usd: Decimal) -> None:
    """Refuse what costs more than was shown, or than is left.

    Raises:
        RunError: It does. Nothing was bought.
    """
    if price.most_usd > shown_usd or not price.is_within:
        what = f"it can cost up to {usd(price.most_usd)} now, {usd(shown_usd)} was shown, and"
        raise RunError(
            where=f"run {run.run_id}",
            what=f"{what} {usd(price.left_usd)} is left in {price.left_in}",
            next_step="Check the new price and confirm again.",
        )


def _page_facts(run: RunView, draft: Candidate) -> dict[str, Any]:
    campaign = run.campaign
    row = campaign.all_rows[draft.row] if draft.row < len(campaign.all_rows) else {}
    return {
        "draft": draft,
        "colour": run.arms[draft.arm],
        "row_name": row_names(run)[draft.row],
        "values": {name: value for name, value in row.items() if name != VARIABLE},
        "arm_prompt": campaign.arms[draft.arm].prompt if draft.arm in campaign.arms else "",
        "words": own_words(draft.prompt),
        "models": _models(run, draft),
        "most": MOST,
        "characters": PROMPT_CHARACTERS,
    }


def _models(run: RunView, draft: Candidate) -> list[str]:
    """List the models that the provider of a draft's arm sells at a known price, other than its own."""
    if draft.arm not in run.campaign.arms:
        return []
    provider = run.providers.provider(run.campaign.provider_of(draft.arm))
    own, found = run.campaign.drafts_of(draft.arm).model, []
    for model in run.catalogue.models.values():
        if model.kind != "image" or model.capabilities is None or model.id == own:
            continue
        try:
            model.prices_at(provider)
        except CatalogueError:
            continue
        found.append(model.id)
    return found


def price_facts(price: FurtherPrice) -> dict[str, Any]:
    """Return a price as the page shows it."""
    return {
        "what": price.what,
        "prompt": price.prompt,
        "model": price.model,
        "drafts": usd(price.drafts_usd),
        "judging": usd(price.judging_usd) if price.judging_usd else None,
        "most": usd(price.most_usd),
        "most_usd": f"{price.most_usd:f}",
        "left": usd(price.left_usd),
        "left_in": price.left_in,
        "is_within": price.is_within,
        "n_before": price.n_before,
        "notes": list(price.notes),
    }


def further_facts(run: RunView, draft: Candidate) -> dict[str, Any]:
    """Return what grew from a picture, and the progress of what is being bought."""
    buyer = run.context.further
    purchase = buyer.look(run.run_id) if buyer else None
    return {
        "state": purchase.state if purchase else None,
        "message": purchase.message if purchase else "",
        "family": _member(run, _origin(run, draft)),
    }


def _origin(run: RunView, draft: Candidate) -> Candidate:
    """Find the campaign's draft from which a draft grew in the end."""
    by_id = {one.candidate_id: one for one in run.candidates}
    while draft.is_further_draft and (grown_from := by_id.get(str(draft.draft_id))) is not None:
        draft = grown_from
    return draft


def _member(run: RunView, one: Candidate) -> dict[str, Any]:
    children = [
        other
        for other in run.candidates
        if other.draft_id == one.candidate_id and (other.is_further_draft or other.is_final)
    ]
    children.sort(key=lambda child: (child.is_final, child.further_round or 0, child.replicate))
    return {
        "id": one.candidate_id,
        "name": one.name,
        "kind": "final" if one.is_final else f"round {one.further_round}" if one.further_round else "draft",
        "score": one.score,
        "status": one.status,
        "words": own_words(one.prompt),
        "children": [_member(run, child) for child in children],
    }
