"""The list of runs, those that await review first."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from flows.review.page_context import PageContext
from flows.runs.lock import state_now
from tasks.ledger import RunRecord
from tasks.ledger.pictures import RunTally
from tasks.ledger.runs import RunState
from tasks.storage.home import run_folder

N_BEST = 5
MOST_RUNS = 100


def routes(context: PageContext) -> APIRouter:
    """Make the route of the list of runs."""
    router = APIRouter()

    @router.get("/")
    def page(request: Request) -> Response:
        return context.page(
            request, "runs.html", here="runs", home=str(context.settings.home), **_facts(context)
        )

    return router


def _state(context: PageContext, run: RunRecord) -> RunState:
    return state_now(context.ledger, run_folder(context.settings.home, run.campaign, run.run_id), run)


def _facts(context: PageContext) -> dict[str, Any]:
    tallies, best = context.ledger.pictures.tallies(), context.ledger.pictures.best(N_BEST)
    spent = {group.name: group.spent_usd for group in context.ledger.spending.by("run")}
    every = context.ledger.runs.all()
    waiting_first = sorted(every, key=lambda run: run.state != "awaiting review")
    return {
        "runs": [
            {
                "record": replace(run, state=_state(context, run)),
                "tally": tallies.get(run.run_id, RunTally()),
                "best": best.get(run.run_id, [])[:N_BEST],
                "spent_usd": spent.get(run.run_id),
            }
            for run in waiting_first[:MOST_RUNS]
        ],
        "n_runs": len(every),
        "n_waiting": sum(run.state == "awaiting review" for run in every),
    }
