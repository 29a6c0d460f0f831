"""The best combination of a run's factors: what is predicted for it, its price, and one confirmation.

It is made as an added round of the run, beside the best arm of before. As with more of a picture, the page
prices, the command's action buys, and a second click with the same key buys nothing more.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from flows.evaluation.verdict import compare_by_each
from flows.review.agreed import agreed
from flows.review.more import further_buyer, price_facts, require_free, require_price
from flows.review.page_context import PageContext, RunView
from flows.review.request_bodies import BestBody
from tasks.errors import RunoffError


def routes(context: PageContext) -> APIRouter:
    """Make the routes of a run's best combination."""
    router = APIRouter()

    @router.get("/runs/{run_id}/best.json")
    def best(run_id: str) -> dict[str, Any]:
        run = context.run_view(run_id)
        if run.campaign.factors is None:
            return {"best": None}
        effects = compare_by_each(run).get("effects") or {}
        found = effects.get("best")
        return {"best": found and {key: found[key] for key in ("headline", "is_made", "arm")}}

    @router.get("/runs/{run_id}/best/price.json")
    def price(run_id: str) -> dict[str, Any]:
        run = context.run_view(run_id)
        try:
            return price_facts(further_buyer(context, run).price_best(run.run_id))
        except RunoffError as error:
            return {"trouble": str(error)}

    @router.post("/runs/{run_id}/best")
    def make(request: Request, run_id: str, body: BestBody) -> dict[str, Any]:
        run = context.run_view(run_id)
        if not any(one.key == body.key for one in run.campaign.added_rounds):
            require_free(run)
            buyer = further_buyer(context, run)
            found = buyer.price_best(run.run_id)
            require_price(run, found, body.most_usd)
            with agreed(run, request.state.visitor, found.most_usd):
                buyer.start_best(run.run_id, body.key, body.most_usd, body.by)
        return _progress(context, run)

    @router.get("/runs/{run_id}/best/state.json")
    def state(run_id: str) -> dict[str, Any]:
        return _progress(context, context.run_view(run_id))

    return router


def _progress(context: PageContext, run: RunView) -> dict[str, Any]:
    purchase = context.further.look(run.run_id) if context.further else None
    return {"state": purchase.state if purchase else None, "message": purchase.message if purchase else ""}
