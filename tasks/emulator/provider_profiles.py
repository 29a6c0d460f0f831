"""Provider profiles: how the vendor, or a gateway that resells it, answers.

A gateway answers mostly like the vendor, with differences: its own error envelope with the request's id
inside the message, client errors with status 500, web pages for unknown paths, other keys in ``usage``, no
files and no batches. Source: the gateway's documentation of errors and images, and answers seen in public
threads, checked 2026-11-22.
"""

# ruff: noqa: EM101 - the literals are names of fields, not messages

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tasks.emulator.fault_kinds import gateway_page, spoil
from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.refusals import Refusal, unknown
from tasks.emulator.settings import EmulatorSettings

API_VERSION = "2020-10-01"
ABSENT_AT_GATEWAY = ("/v1/files", "/v1/batches")


class VendorProfile:
    """The vendor's own profile.

    Args:
        settings: How the emulator behaves.
    """

    has_batches = True
    key_header = "authorization"

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings

    def request_id(self, number: int) -> str:
        """Return the id of the ``number``-th request."""
        return f"req_emu{self.settings.seed}_{number:08d}"

    def refuse(self, refusal: Refusal, _request_id: str) -> Response:
        """Build an error answer."""
        return refusal.response()

    def sign(self, response: Response, request_id: str, elapsed_s: float) -> None:
        """Add the headers that every answer has.

        Args:
            response: The answer.
            request_id: Its id.
            elapsed_s: Seconds since the request came in.
        """
        response.headers["x-request-id"] = request_id
        response.headers["openai-processing-ms"] = str(round(1000 * elapsed_s))
        response.headers["openai-version"] = API_VERSION

    def wrong_path(self, request: Request) -> Response:
        """The answer to a path that does not exist."""
        return Refusal(404, f"Invalid URL ({request.method} {request.url.path})").response()

    def read(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of an images request that the provider uses."""
        return fields

    def admit(self, order: ImagesRequest) -> None:
        """Reject requests that the vendor's models support and this provider does not.

        Raises:
            Refusal: The provider does not support it.
        """

    def dress(self, _order: ImagesRequest, answer: dict[str, Any], _address: str) -> dict[str, Any]:
        """Make the last changes to an answer, of an emulator at an address."""
        return answer

    def shape(self, answer: dict[str, Any], _charged_nanousd: int) -> dict[str, Any]:
        """Give a finished answer the shape of the protocol."""
        return answer


class AzureProfile(VendorProfile):
    """The profile of Azure's deployment route: its key in a header of its own, the model in the path.

    Source: MicrosoftDocs/azure-ai-docs, dall-e.md (2026-04-17); BerriAI/litellm issue 26316 (2026).
    """

    has_batches = False
    key_header = "api-key"
    path = "/openai/deployments/{deployment}/images/{endpoint}"

    def fields_of(self, request: Request, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of a request with its deployment as the model.

        Raises:
            Refusal: The version is missing, or the body names a model too.
        """
        if not request.query_params.get("api-version"):
            raise Refusal(404, "Resource not found", code="404")
        if "model" in fields:
            message = f"The model '{fields['model']}' does not exist."
            raise Refusal(
                400, message, type="image_generation_user_error", param="model", code="invalid_value"
            )
        if fields.get("output_format") == "webp":
            raise Refusal(400, "Invalid value: 'webp'.", param="output_format", code="invalid_value")
        return fields | {"model": request.path_params["deployment"]}


class GatewayProfile(VendorProfile):
    """The profile of CometAPI."""

    has_batches = False

    def request_id(self, number: int) -> str:
        """Return a request's id, made of the date and a number."""
        return f"{self.settings.today():%Y%m%d}{self.settings.seed:04d}{number:012d}"

    def refuse(self, refusal: Refusal, request_id: str) -> Response:
        """Build an error in the gateway's envelope; client errors become server errors."""
        error, status, code = refusal.error, refusal.status, refusal.error["code"]
        if code == "model_not_found":
            status = 503
        elif status == 400 and error["type"] == "invalid_request_error":
            status, code = 500, "invalid_request"
        message = error["message"]
        if "(request id:" not in message:
            message += f" (request id: {request_id})"
        own = {"message": message, "type": "comet_api_error", "param": "", "code": code}
        return _enveloped(status, own, refusal.headers)

    def sign(self, response: Response, request_id: str, elapsed_s: float) -> None:
        """Add none of the vendor's headers.

        Args:
            response: The answer.
            request_id: Its id.
            elapsed_s: Seconds since the request came in.
        """

    def wrong_path(self, request: Request) -> Response:
        """A web page: 404 for endpoints it does not offer, else a redirect to its front page."""
        if request.url.path.startswith(ABSENT_AT_GATEWAY):
            return Response(gateway_page(404, "Not Found"), 404, media_type="text/html")
        page = gateway_page(301, "Moved Permanently")
        return Response(page, 301, {"location": "/"}, media_type="text/html")

    def read(self, fields: dict[str, Any]) -> dict[str, Any]:
        """All fields but ``response_format``, which is ignored."""
        return {name: value for name, value in fields.items() if name != "response_format"}

    def admit(self, order: ImagesRequest) -> None:
        """Reject streams, and several pictures at a time of some models."""
        if order.stream:
            raise unknown("stream")
        if order.n > 1 and order.model.id in self.settings.one_picture_models:
            message = f"The model {order.model.id} supports n=1 only."
            raise Refusal(400, message, param="n", code="invalid_value")

    def dress(self, order: ImagesRequest, answer: dict[str, Any], _address: str) -> dict[str, Any]:
        """Add the gateway's own keys to the ``usage`` of edits."""
        return spoil("foreign_usage_keys", answer) if order.endpoint == "edits" else answer


class RelayProfile(GatewayProfile):
    """The profile of a relay of the new-api kind: its pictures are at addresses, for as long as it runs.

    All three keys of a picture are there, those without a value as an empty text. Source: the code of
    QuantumNous/new-api, read 2026-11-28.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        super().__init__(settings)
        self._files: list[bytes] = []

    def dress(self, _order: ImagesRequest, answer: dict[str, Any], address: str) -> dict[str, Any]:
        """Put each picture at an address.

        Args:
            _order: The request; not used.
            answer: The answer.
            address: Where the relay is.
        """
        for item in answer["data"]:
            self._files.append(base64.b64decode(item["b64_json"]))
            item |= {"url": f"{address}/files/{len(self._files)}", "b64_json": "", "revised_prompt": ""}
        return answer

    def file(self, request: Request) -> Response:
        """``GET /files/{number}``: a picture."""
        number = int(request.path_params["number"])
        if not 0 < number <= len(self._files):
            return Response("expired", 404)
        return Response(self._files[number - 1], media_type="application/octet-stream")


def _enveloped(status: int, error: dict[str, Any], headers: dict[str, str]) -> Response:
    refusal = Refusal(status, error["message"], headers=headers)
    refusal.error = error
    return refusal.response()
