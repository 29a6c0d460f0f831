"""The review page as one ASGI application with access control."""

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from flows.metrics import registry_of
from flows.review import (
    best,
    duels,
    duplicates,
    finalists,
    finals,
    gallery,
    grid,
    made_from,
    more,
    over_time,
    pictures,
    remarks,
    runs,
    side_by_side,
    similar_pairs,
    statements,
)
from flows.review.access import AccessMiddleware
from flows.review.page_context import HERE, PageContext
from flows.review.refusals import NOTHING_HERE, title_of, wants_page
from flows.review.root_path import RootPathMiddleware
from tasks.errors import LedgerError, RunError, RunoffError

NOT_FOUND, CONFLICT, UNAVAILABLE = 404, 409, 503


def create_app(context: PageContext) -> ASGIApp:
    """Build the page.

    Args:
        context: What all pages share.

    Returns:
        The application with access control.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    of_runs = (runs, gallery, grid, duplicates, similar_pairs, duels, statements, finalists, finals)
    for part in (*of_runs, best, more, remarks, side_by_side, over_time, pictures, made_from):
        app.include_router(part.routes(context))
    app.mount("/static", StaticFiles(directory=HERE / "static"))

    registry = registry_of(context.settings)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    @app.exception_handler(RunoffError)
    def known_error(request: Request, error: RunoffError) -> Response:
        read_status = NOT_FOUND if isinstance(error, RunError) else UNAVAILABLE
        status = read_status if request.method == "GET" else CONFLICT
        return _answer(context, request, _message(error), status)

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        is_bare = error.detail == HTTPStatus(error.status_code).phrase  # the framework's own
        message = NOTHING_HERE if is_bare else str(error.detail)
        return _answer(context, request, message, error.status_code)

    @app.exception_handler(RequestValidationError)
    def invalid_body(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _answer(context, request, f"{where}: {first['msg']}", 422)

    guarded = AccessMiddleware(app, context.access, lambda: _health(context))
    root_path = context.access.root_path
    return RootPathMiddleware(guarded, root_path) if root_path else guarded


def _health(context: PageContext) -> Response:
    """Say whether the page can work: its ledger answers."""
    try:
        with context.ledger.database.read():
            return JSONResponse({"ok": True})
    except LedgerError:
        return JSONResponse({"ok": False}, UNAVAILABLE)


def _message(error: RunoffError) -> str:
    """Describe an error without its location: a page must not show paths."""
    what = error.what[:1].upper() + error.what[1:]
    return " ".join(part.rstrip(".") + "." for part in (what, error.money, error.next_step) if part)


def _answer(context: PageContext, request: Request, message: str, status: int) -> Response:
    """Answer with an error: a page for a browser's navigation, JSON for a script."""
    if wants_page(request.headers, request.method):
        told = message[:1].upper() + message[1:].rstrip(".") + "."
        page = context.page(request, "trouble.html", here="", title=title_of(status), message=told)
        page.status_code = status
        return page
    return JSONResponse({"message": message}, status)
