"""The vendor's error answers: one envelope, its types and codes.

Source: the vendor's error codes guide and answers seen in public threads, checked 2026-11-22.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import JSONResponse

INVALID_REQUEST = "invalid_request_error"


class Refusal(Exception):  # noqa: N818 - the vendor refuses, nothing is broken
    """An error answer of the vendor.

    Args:
        status: HTTP status.
        message: For people.
        type: ``error.type``.
        param: The request's field at fault, if any.
        code: ``error.code``, if the vendor sends one.
        headers: Further response headers.
        extra: Further keys of the ``error`` object.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = INVALID_REQUEST,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.error = {"message": message, "type": type, "param": param, "code": code, **(extra or {})}

    def response(self) -> JSONResponse:
        """The HTTP response."""
        return JSONResponse({"error": self.error}, status_code=self.status, headers=self.headers)


def missing(param: str) -> Refusal:
    """A required field is absent."""
    return Refusal(
        400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def unknown(param: str) -> Refusal:
    """A field that the endpoint, or this model, does not accept."""
    return Refusal(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def invalid_value(param: str, value: object, accepted: Iterable[str]) -> Refusal:
    """A value outside the accepted ones.

    Args:
        param: The field.
        value: What was sent.
        accepted: What could have been sent.
    """
    choices = ", ".join(f"'{choice}'" for choice in accepted)
    message = f"Invalid value: '{value}'. Supported values are: {choices}."
    return Refusal(400, message, param=param, code="invalid_value")


def invalid(param: str, message: str, code: str = "invalid_value") -> Refusal:
    """A field is invalid for a given reason.

    Args:
        param: The field.
        message: What is wrong with it.
        code: The error code.
    """
    return Refusal(400, message, param=param, code=code)


def no_key() -> Refusal:
    """The request carries no key."""
    message = "You didn't provide an API key. Send it as `Authorization: Bearer YOUR_KEY`."
    return Refusal(401, message, code="invalid_api_key")


def wrong_key() -> Refusal:
    """The key is wrong. It is not repeated, so that logs contain no keys."""
    return Refusal(401, "Incorrect API key provided.", code="invalid_api_key")


def no_such_model(model: str, *, is_retired: bool) -> Refusal:
    """The model is retired, or never existed."""
    gone = f"The model `{model}` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations"
    absent = f"The model `{model}` does not exist or you do not have access to it."
    return Refusal(404, gone if is_retired else absent, param="model", code="model_not_found")


def too_many_pictures(model: str, *, limit: int, used: int, requested: int, wait_s: int | None) -> Refusal:
    """The images-per-minute limit is reached; no wait is given when the request alone exceeds it.

    Args:
        model: The model.
        limit: Pictures per minute.
        used: Pictures in the last minute.
        requested: Pictures in this request.
        wait_s: Seconds until the request would fit; ``None`` when it never would.
    """
    message = (
        f"Rate limit reached for {model} (for limit gpt-image) in organization org-emulator on "
        f"input-images per min: Limit {limit}, Used {used}, Requested {requested}."
    )
    headers = {}
    if wait_s is not None:
        message += f" Please try again in {wait_s}s."
        headers = {"retry-after": str(wait_s), "retry-after-ms": str(1000 * wait_s)}
    return Refusal(429, message, type="input-images", code="rate_limit_exceeded", headers=headers)


def no_such_file(file_id: str, param: str | None = "id") -> Refusal:
    """The file was deleted, has expired, or never existed."""
    return Refusal(404, f"No such File object: {file_id}", param=param)


def no_such_batch(batch_id: str) -> Refusal:
    """There is no batch with that id."""
    return Refusal(404, f"No batch found with id '{batch_id}'.")


def queue_full(model: str) -> Refusal:
    """The waiting batches already have as many tokens as the account may enqueue."""
    message = (
        f"Enqueued token limit reached for {model} in organization org-emulator. Limit: 2,000,000 enqueued "
        "tokens. Please try again once some in_progress batches have been completed."
    )
    return Refusal(429, message, code="token_limit_exceeded")
