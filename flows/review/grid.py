"""The grid of a run: its drafts by the levels of its factors, or by arms and rows."""

from importlib.resources import files

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flows.evaluation.grid import read_grid
from flows.review.gallery import run_facts
from flows.review.page_context import PageContext
from tasks.report_page.grid import grid_facts

SHARED = {"grid.js": "text/javascript", "grid.css": "text/css"}
"""Files that the report's page has too."""


def routes(context: PageContext) -> APIRouter:
    """Make the routes of a run's grid."""
    router = APIRouter()

    @router.get("/runs/{run_id}/grid")
    def page(request: Request, run_id: str) -> Response:
        run = context.run_view(run_id)
        return context.page(
            request,
            "grid.html",
            here="grid",
            has_factors=run.campaign.factors is not None,
            **run_facts(run),
        )

    @router.get("/runs/{run_id}/grid.json")
    def grid(run_id: str) -> JSONResponse:
        run = context.run_view(run_id)
        pictures = {one.candidate_id: f"/thumbnails/{one.candidate_id}" for one in run.drafts}
        facts = grid_facts(read_grid(run).grid, pictures)
        return JSONResponse(facts | {"colours": run.arms})

    @router.get("/shared/{name}")
    def shared(name: str) -> Response:
        if name not in SHARED:
            raise HTTPException(404, "no such file")
        return Response((files("tasks.report_page") / name).read_bytes(), media_type=SHARED[name])

    return router
