"""The emulator's ASGI application: its routes, the models endpoint, and access to its bill and faults."""

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
from tasks.emulator.other_protocols import OtherProtocol, PredictionsProfile
from tasks.emulator.provider_profiles import AzureProfile, RelayProfile
from tasks.emulator.settings import EmulatorSettings
from tasks.emulator.state import EmulatorState


def create_app(settings: EmulatorSettings | None = None) -> Starlette:
    """Build an emulator.

    Args:
        settings: How it behaves; ``None`` for the defaults.

    Returns:
        The application. ``app.state.emulator`` is the ``EmulatorState`` behind it, with its bill.
    """
    emulator = EmulatorState(settings or EmulatorSettings())
    batches = BatchRoutes(emulator)
    routes = _images(emulator) + _control(emulator, batches)
    if isinstance(emulator.profile, RelayProfile):
        routes.append(Route("/files/{number:int}", emulator.profile.file))
    if isinstance(emulator.profile, AzureProfile):
        sold = emulator.billed(ImagesRoutes(emulator).at_deployment)
        routes.append(Route(emulator.profile.path, sold, methods=["POST"]))
    if isinstance(emulator.profile, OtherProtocol):
        sold = emulator.billed(ImagesRoutes(emulator).by_protocol)
        routes.insert(0, Route(emulator.profile.path, sold, methods=["POST"]))
    if isinstance(emulator.profile, PredictionsProfile):
        routes.append(Route("/v1/predictions/{id}", emulator.profile.show))
    if emulator.profile.has_batches:
        routes += _files(emulator) + _batches(emulator, batches)

    async def wrong_path(request: Request, _error: Exception) -> Response:
        return emulator.profile.wrong_path(request)

    app = DroppableStarlette(routes=routes, exception_handlers={404: wrong_path, 405: wrong_path})
    app.state.emulator = emulator
    return app


def _images(emulator: EmulatorState) -> list[BaseRoute]:
    images, models, chat = ImagesRoutes(emulator), ModelRoutes(emulator), ChatRoutes(emulator)
    return [
        Route("/v1/images/generations", emulator.billed(images.generations), methods=["POST"]),
        Route("/v1/images/edits", emulator.billed(images.edits), methods=["POST"]),
        Route("/v1/chat/completions", emulator.billed(chat.complete), methods=["POST"]),
        Route("/v1/models", emulator.billed(models.list)),
        Route("/v1/models/{id}", emulator.billed(models.show)),
    ]


def _files(emulator: EmulatorState) -> list[BaseRoute]:
    files = FileRoutes(emulator)
    return [
        Route("/v1/files", emulator.billed(files.upload), methods=["POST"]),
        Route("/v1/files", emulator.billed(files.list)),
        Route("/v1/files/{id}", emulator.billed(files.show)),
        Route("/v1/files/{id}", emulator.billed(files.delete), methods=["DELETE"]),
        Route("/v1/files/{id}/content", emulator.billed(files.content)),
    ]


def _batches(emulator: EmulatorState, batches: BatchRoutes) -> list[BaseRoute]:
    return [
        Route("/v1/batches", emulator.billed(batches.create), methods=["POST"]),
        Route("/v1/batches", emulator.billed(batches.list)),
        Route("/v1/batches/{id}", emulator.billed(batches.show)),
        Route("/v1/batches/{id}/cancel", emulator.billed(batches.cancel), methods=["POST"]),
    ]


def _control(emulator: EmulatorState, batches: BatchRoutes) -> list[BaseRoute]:
    async def show_bill(request: Request) -> Response:
        """``GET /_bill``; ``?after=N`` leaves out the first N entries."""
        await batches.advance()
        return JSONResponse(emulator.bill.as_wire(int(request.query_params.get("after", "0"))))

    async def control_faults(request: Request) -> Response:
        """``GET``, ``POST`` (replace) and ``DELETE /_faults``."""
        book = emulator.fault_book
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
        emulator: What all routes share.
    """

    def __init__(self, emulator: EmulatorState) -> None:
        self._emulator = emulator

    async def list(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/models``: the models that are not retired."""

        async def respond() -> Response:
            today = self._emulator.settings.today()
            models = [model.as_wire() for model in MODELS.values() if not model.is_retired(today)]
            answering = [model.as_wire() for model in CHAT_MODELS.values()]
            return JSONResponse({"object": "list", "data": models + answering})

        return await self._emulator.act(request, entry, respond)

    async def show(self, request: Request, entry: BillEntry) -> Response:
        """``GET /v1/models/{id}``."""
        id = entry.model = request.path_params["id"]

        async def respond() -> Response:
            if answering := CHAT_MODELS.get(id):
                return JSONResponse(answering.as_wire())
            model = MODELS.get(id)
            if model is None or model.is_retired(self._emulator.settings.today()):
                raise refusals.no_such_model(id, is_retired=model is not None)
            return JSONResponse(model.as_wire())

        return await self._emulator.act(request, entry, respond)
