"""The kinds of fault: what each does, and where it can happen.

Some are error answers (``refusal_for``), some let the pictures be made and change the answer (``spoil``),
some apply to a batch. ``BILLED`` says which are charged unless the rule says otherwise; on a route without
pictures a billed fault lets the call take effect, and only its answer is lost. Source of the codes and
shapes: the vendor's error guide, a gateway's error pages and answers seen in public threads, checked
2026-11-22.
"""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from PIL import Image

from tasks.emulator import refusals
from tasks.emulator.faults import FailureKind, FaultRule
from tasks.emulator.refusals import Refusal

LINE_KINDS: frozenset[FailureKind] = frozenset({"bill_then_hang", "bill_then_drop", "drop"})
BODY_KINDS: frozenset[FailureKind] = frozenset({"slow_body", "truncated_body"})
SPOILING_KINDS: frozenset[FailureKind] = frozenset(
    {
        "wrong_size", "wrong_format", "lower_tier", "fewer_pictures", "foreign_usage_keys", "missing_usage",
        "no_picture", "truncated_png", "bomb",
    }
)  # fmt: skip
BILLED: frozenset[FailureKind] = (
    SPOILING_KINDS
    | BODY_KINDS
    | {"bill_then_hang", "bill_then_drop", "stream_drop", "fewer_partials", "judge_refusal", "judge_broken"}
)

REFUSING_KINDS: frozenset[FailureKind] = frozenset(
    {
        "rate_limited", "quota", "billing_hard_limit", "server_error", "slow_down", "comet_error",
        "moderation", "retired", "unverified", "invalid_key",
    }
)  # fmt: skip
ANSWER_KINDS: frozenset[FailureKind] = (
    REFUSING_KINDS | LINE_KINDS | {"html_200", "redirect_html", "empty_data"}
)
IMAGE_KINDS: frozenset[FailureKind] = ANSWER_KINDS | BODY_KINDS | SPOILING_KINDS
JUDGE_KINDS: frozenset[FailureKind] = frozenset({"judge_refusal", "judge_broken"})
STREAM_KINDS: frozenset[FailureKind] = frozenset({"stream_error", "stream_drop", "fewer_partials"})
DOWNLOAD_KINDS: frozenset[FailureKind] = ANSWER_KINDS | {"file_gone", "download_cut"}
BATCH_FATES: tuple[FailureKind, ...] = (
    "batch_invalid", "batch_expires", "batch_all_failed", "batch_reversed", "batch_line_doubled",
    "batch_line_truncated", "batch_line_missing",
)  # fmt: skip
BATCH_LINE_KINDS: frozenset[FailureKind] = (
    REFUSING_KINDS | SPOILING_KINDS | {"drop", "bill_then_drop", "empty_data"}
)

QUOTA_MESSAGES = {
    "insufficient_quota": "You exceeded your current quota, please check your plan and billing details.",
    "credit_balance_exhausted": "Your credit balance is exhausted. Add credits to continue.",
    "organization_spend_limit_exceeded": "The organization has reached its spend limit.",
    "project_spend_limit_exceeded": "The project has reached its spend limit.",
    "organization_usage_limit_exceeded": "The organization has reached its usage limit.",
}
GATEWAY_PAGE = (
    "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1>"
    "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
GATEWAY_REASONS = {502: "Bad Gateway", 504: "Gateway Time-out", 524: "A timeout occurred"}
BOMB_EDGE_PX = 20_000


def is_billed(rule: FaultRule) -> bool:
    """Whether a request with this fault is charged."""
    return rule.kind in BILLED if rule.billed is None else rule.billed


def gateway_page(status: int, reason: str | None = None) -> str:
    """The HTML error page of a gateway."""
    return GATEWAY_PAGE.format(status=status, reason=reason or GATEWAY_REASONS[status])


def refusal_for(rule: FaultRule, request_id: str, model: str | None) -> Refusal | None:
    """Build the error answer of a rule; ``None`` when its kind is not an error answer.

    Args:
        rule: The rule that fired.
        request_id: Named in some messages.
        model: The requested model, named in some messages.
    """
    model = model or "gpt-image-2.6-flare"
    build: dict[str, Callable[[], Refusal]] = {
        "rate_limited": lambda: _rate_limited(rule, model),
        "quota": lambda: _quota(rule),
        "billing_hard_limit": lambda: Refusal(
            400, "Billing hard limit has been reached", code="billing_hard_limit_reached"
        ),
        "server_error": lambda: _server_error(rule, request_id),
        "slow_down": lambda: Refusal(503, "Slow Down", type="server_error", code="slow_down"),
        "comet_error": lambda: _gateway_error(rule, request_id),
        "moderation": lambda: _moderation(rule, request_id),
        "retired": lambda: refusals.no_such_model(model, is_retired=True),
        "unverified": lambda: _unverified(model),
        "invalid_key": refusals.wrong_key,
        "enqueued_limit": lambda: refusals.queue_full(model),
    }
    return build[rule.kind]() if rule.kind in build else None


def _rate_limited(rule: FaultRule, model: str) -> Refusal:
    refusal = refusals.too_many_pictures(model, limit=5, used=5, requested=1, wait_s=rule.retry_after)
    if rule.retry_after is None:
        refusal.headers = {}
    return refusal


def _quota(rule: FaultRule) -> Refusal:
    code = rule.code or "insufficient_quota"
    return Refusal(429, QUOTA_MESSAGES.get(code, code), type="insufficient_quota", code=code)


def _server_error(rule: FaultRule, request_id: str) -> Refusal:
    if rule.status == 503:
        message = "The engine is currently overloaded, please try again later"
        return Refusal(503, message, type="server_error", code="server_overloaded")
    message = f"The server had an error while processing your request. (request ID {request_id})"
    return Refusal(rule.status, message, type="server_error")


def _gateway_error(rule: FaultRule, request_id: str) -> Refusal:
    code = rule.code or "invalid_request"
    return Refusal(
        503 if code == "model_not_found" else 500,
        f"the upstream refused the request (request id: {request_id})",
        type="comet_api_error",
        param="",
        code=code,
    )


def _moderation(rule: FaultRule, request_id: str) -> Refusal:
    message = (
        "Your request was rejected by the safety system. If you believe this is an error, include the "
        f"request ID {request_id}. safety_violations=[violence]."
    )
    details = {"moderation_stage": rule.stage, "categories": ["violence"]}
    return Refusal(
        400,
        message,
        type="image_generation_user_error",
        code="moderation_blocked",
        extra={"moderation_details": details},
    )


def stream_error(rule: FaultRule, request_id: str) -> dict[str, Any]:
    """The ``error`` object that ends a stream instead of its picture."""
    if rule.code == "moderation_blocked":
        return _moderation(rule.model_copy(update={"stage": "output"}), request_id).error
    message = f"The server had an error while processing your request. (request ID {request_id})"
    return Refusal(500, message, type="server_error", code=rule.code).error


def _unverified(model: str) -> Refusal:
    message = (
        f"Your organization must be verified to use the model `{model}`. If you just verified, it can take "
        "up to 15 minutes for access to propagate."
    )
    return Refusal(403, message)


def spoil(kind: FailureKind, answer: dict[str, Any]) -> dict[str, Any]:
    """Change a finished answer as its kind of fault requires; other kinds leave it as it is."""
    if kind == "fewer_pictures":
        answer["data"] = answer["data"][:-1]
    elif kind == "missing_usage":
        del answer["usage"]
    elif kind == "foreign_usage_keys":
        answer["usage"] |= {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0},
            "claude_cache_creation_5_m_tokens": 0,
        }
    elif change := _PICTURE_CHANGES.get(kind):
        for picture in answer["data"]:
            picture["b64_json"] = base64.b64encode(change(base64.b64decode(picture["b64_json"]))).decode()
    return answer


def _other_size(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        smaller = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))
        return _encode(smaller, picture.format or "PNG")


def _other_format(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        # Via RGBA: Pillow warns when a palette with transparency is converted to RGB directly.
        return _encode(picture.convert("RGBA").convert("RGB"), "JPEG" if picture.format == "PNG" else "PNG")


def _encode(picture: Image.Image, format: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format)
    return stream.getvalue()


def _no_picture(_data: bytes) -> bytes:
    return b"I'm sorry, I cannot draw that. Would you like something else instead?"


@lru_cache(maxsize=1)
def _bomb_png() -> bytes:
    """A valid PNG of 400 million black pixels: a few kilobytes here, 50 MB or more once decoded."""
    row_bytes = 1 + BOMB_EDGE_PX // 8
    deflate = zlib.compressobj(9)
    rows = [deflate.compress(bytes(row_bytes * 100)) for _ in range(BOMB_EDGE_PX // 100)]
    header = struct.pack(">IIBBBBB", BOMB_EDGE_PX, BOMB_EDGE_PX, 1, 0, 0, 0, 0)
    body = b"".join(rows) + deflate.flush()
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


_PICTURE_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "wrong_size": _other_size,
    "wrong_format": _other_format,
    "no_picture": _no_picture,
    "truncated_png": lambda data: data[: len(data) // 2],
    "bomb": lambda _data: _bomb_png(),
}
