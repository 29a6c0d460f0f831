"""The emulator as an ASGI application: its routes, the models, and the doors to its bill and its faults."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tasks.emulator import refusals
from tasks.emulator.batch_routes import BatchRoutes
from tasks.emulator.bill import BillEntry
from tasks.emulator.chat_models import CHAT_MODELS
from tasks.emulator.chat_routes import ChatRoutes
from tasks.emulator.delivery import DroppableStarlette
from tasks.emulator.faults import explain, read_rules
from tasks.emulator.file_routes import FileRoutes
from tasks.emulator.images_routes import ImagesRoutes
from tasks.emulator.models import MODELS
from tasks.emulator.settings import EmulatorSettings
from tasks.emulator.state import Office


def create_app(settings: EmulatorSettings | None = None) -> Starlette:
    """Build an emulator.

    Args:
        settings: How it behaves; ``None`` for the defaults.

    Returns:
        The application. ``app.state.emulator`` is the ``Office`` behind it, with its bill.
    """
    office = Office(settings or EmulatorSettings())
    batches = BatchRoutes(office)
    routes = _images(office) + _control(office, batches)
    if office.manners.has_batches:
        routes += _files(office) + _batches(office, batches)

    async def wrong_path(request: Request, _error: Exception) -> Response:
        return office.manners.wrong_path(request)

    app = DroppableStarlette(routes=routes, exception_handlers={404: wrong_path, 405: wrong_path})
    app.state.emulator = office
    return app


def _images(office: Office) -> list[BaseRoute]:
    images, models, chat = ImagesRoutes(office), ModelRoutes(office), ChatRoutes(office)
    return [
        Route("/v1/images/generations", office.billed(images.generations), methods=["POST"]),
        Route("/v1/images/edits", office.billed(images.edits), methods=["POST"]),
        Route("/v1/chat/completions", office.billed(chat.complete), methods=["POST"]),
        Route("/v1/models", office.billed(models.list)),
        Route("/v1/models/{id}", office.billed(models.show)),
    ]


def _files(office: Office) -> list[BaseRoute]:
    files = FileRoutes(office)
    return [
        Route("/v1/files", office.billed(files.upload), methods=["POST"]),
        Route("/v1/files", office.billed(files.list)),
        Route("/v1/files/{id}", office.billed(files.show)),
        Route("/v1/files/{id}", office.billed(files.delete), methods=["DELETE"]),
        Route("/v1/files/{id}/content", office.billed(files.content)),
    ]


def _batches(office: Office, batches: BatchRoutes) -> list[BaseRoute]:
    return [
        Route("/v1/batches", office.billed(batches.create), methods=["POST"]),
        Route("/v1/batches", office.billed(batches.list)),
        Route("/v1/batches/{id}", office.billed(batches.show)),
        Route("/v1/batches/{id}/cancel", office.billed(batches.cancel), methods=["POST"]),
    ]


def _control(office: Office, batches: BatchRoutes) -> list[BaseRoute]:
    async def show_bill(request: Request) -> Response:
        """``GET /_bill``; ``?after=N`` leaves out the first N entries."""
        await batches.advance()
        return JSONResponse(office.bill.as_wire(int(request.query_params.get("after", "0"))))

    async def control_faults(request: Request) -> Response:
        """``GET``, ``POST`` (replace) and ``DELETE /_faults``."""
        book = office.fault_book
        if request.method == "POST":
            try:
                book.replace(read_rules(json.loads(await request.body())))
            except ValueError as error:
                return JSONResponse({"error": {"message": explain(error)}}, 422)
        elif request.method == "DELETE":
            book.replace(())
        rules: list[Any] = [rule.model_dump(mode="json", exclude_defaults=True) for rule in book.rules]
        return JSONResponse({"faults": rules, "fired": book.fired})

    return [
        Route("/_bill", show_bill),
        Route("/_faults", control_faults, methods=["GET", "POST", "DELETE"]),
    ]


class ModelRoutes:
    """The models endpoint.

    Args:
        office: What all routes share.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    async def list(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/models``: those that still answer."""

        async def tell() -> Response:
            today = self._office.settings.today()
            models = [model.as_wire() for model in MODELS.values() if not model.is_retired(today)]
            answering = [model.as_wire() for model in CHAT_MODELS.values()]
            return JSONResponse({"object": "list", "data": models + answering})

        return await self._office.act(request, entry, tell)

    async def show(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/models/{id}``."""
        id = entry.model = request.path_params["id"]

        async def tell() -> Response:
            if answering := CHAT_MODELS.get(id):
                return JSONResponse(answering.as_wire())
            model = MODELS.get(id)
            if model is None or model.is_retired(self._office.settings.today()):
                raise refusals.no_such_model(id, is_retired=model is not None)
            return JSONResponse(model.as_wire())

        return await self._office.act(request, entry, tell)
