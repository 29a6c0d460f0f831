"""Sidecars: what came of an order, in a file beside its pictures, written before the ledger is.

``answers/<order_id>.json`` holds the order as it was sent and its answer, or why there is none, so that a
process killed before the ledger was written loses nothing, and a lost ledger can be read back. It holds no
cost, which is computed afterwards. Earlier versions wrote no ``order``, ``state`` and ``answered_at``.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.candidate import Receipt
from tasks.errors import LedgerError
from tasks.images_api.answers import Answer
from tasks.ledger import Settlement
from tasks.limits import MOST_TOKENS, SIDECAR_BYTES
from tasks.order import Order, Reference, Stage, Usage
from tasks.redaction import hide_keys
from tasks.storage.home import ANSWERS, STAGE_FOLDERS
from tasks.storage.regular_file import open_regular

EndState = Literal["received", "refused", "failed", "unknown"]
_NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL."""
_Text = Annotated[str, Field(pattern=_NO_NUL)]
_Name = Annotated[str, Field(pattern=_NO_NUL, max_length=40)]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS)] | None


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar says.

    Args:
        order_id: The order.
        state: How it ended.
        usage: The tokens that the provider reported.
        vendor_request_id: The provider's id of the request, if known.
        latency_s: Seconds from sending to the end of the answer; ``None`` when not measured.
        receipts: Its pictures; whether their files are whole is not checked.
        content: A judging model's text.
        order: The order as it was sent; ``None`` in sidecars of earlier versions.
        answered_at: When the answer was stored, aware; ``None`` in sidecars of earlier versions.
        error_code: Why there is no picture, as a code.
        error_message: The same for people.
        reported_usd: What the answer says that it cost, dollars.
    """

    order_id: str
    state: EndState
    usage: Usage
    vendor_request_id: str | None
    latency_s: float | None
    receipts: tuple[Receipt, ...]
    content: str | None
    order: Order | None
    answered_at: datetime | None
    error_code: str | None
    error_message: str | None
    reported_usd: Decimal | None = None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Picture(_Part):
    index: Annotated[int, Field(ge=0, lt=100)]
    replicate: _Count
    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    n_bytes: Annotated[int, Field(ge=0, lt=2**53)]
    downgraded: str | None

    @field_validator("file")
    @classmethod
    def _lies_in_the_run(cls, file: str) -> str:
        parts = PurePosixPath(file).parts
        if len(parts) != 2 or parts[0] not in STAGE_FOLDERS.values() or "\0" in file or ".." in parts:
            message = "is no picture of a run"
            raise ValueError(message)
        return file


class _Usage(_Part):
    text_input_tokens: _Tokens
    image_input_tokens: _Tokens
    output_tokens: _Tokens


class _Sent(_Part):
    file: _Text
    sha256: _Text
    width: _Count
    height: _Count
    media_type: _Text


class _Order(_Part):
    run_id: _Name
    campaign: _Name
    stage: Stage
    arm: _Name
    row: _Count
    replicate: _Count
    attempt: _Count
    prompt: _Text
    provider: _Name
    endpoint: Literal["generations", "edits", "chat"]
    lane: Literal["interactive", "batch"]
    parameters: dict[str, Any]
    references: list[_Sent]
    mask: _Sent | None
    draft_id: _Name | None
    edition: Annotated[str, Field(pattern=_NO_NUL, max_length=32)] | None
    further_round: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    estimate_usd: Annotated[Decimal, Field(ge=0, lt=10**6)]

    def order(self) -> Order:
        facts = {name: getattr(self, name) for name in type(self).model_fields}
        sent = {
            "references": tuple(Reference(**one.model_dump()) for one in self.references),
            "mask": None if self.mask is None else Reference(**self.mask.model_dump()),
        }
        return Order(**(facts | sent))


class _File(_Part):
    order_id: str
    usage: _Usage
    vendor_request_id: str | None
    latency_s: Annotated[float, Field(ge=0)] | None
    pictures: list[_Picture]
    content: str | None = None
    state: EndState = "received"
    order: _Order | None = None
    answered_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    reported_usd: Annotated[Decimal, Field(ge=0, lt=10**6)] | None = None


def sidecar_file(folder: Path, order_id: str) -> Path:
    """Return the path of an order's sidecar below the run's folder."""
    return folder / ANSWERS / f"{order_id}.json"


def sidecar_of_answer(
    order: Order,
    answer: Answer,
    receipts: Sequence[Receipt],
    latency_s: float | None,
    extras: Sequence[str] = (),
) -> bytes:
    """Write the sidecar of an answer.

    Args:
        order: The order.
        answer: Its answer.
        receipts: Its pictures.
        latency_s: Seconds from sending to the end of the answer; ``None`` when not measured.
        extras: The names of the files of pictures beyond those asked for.
    """
    facts: dict[str, Any] = {
        "vendor_request_id": _without_keys(answer.vendor_request_id),
        "latency_s": latency_s,
        "usage": asdict(answer.usage),
        "pictures": [asdict(receipt) for receipt in receipts],
        "content": _without_keys(answer.content),
        **({} if answer.reported_usd is None else {"reported_usd": str(answer.reported_usd)}),
        **({"extras": list(extras)} if extras else {}),
    }
    return _written(order, "received", facts)


def sidecar_of_end(order: Order, settlement: Settlement) -> bytes:
    """Write the sidecar of an order that ended without a picture.

    Args:
        order: The order.
        settlement: How it ended.
    """
    facts: dict[str, Any] = {
        "vendor_request_id": _without_keys(settlement.vendor_request_id),
        "latency_s": settlement.latency_s,
        "usage": asdict(settlement.usage),
        "pictures": [],
        "content": None,
        "error_code": _without_keys(settlement.error_code),
        "error_message": _without_keys(settlement.error_message),
    }
    return _written(order, settlement.state, facts)


def _written(order: Order, state: str, facts: dict[str, Any]) -> bytes:
    sidecar = {
        "order_id": order.order_id,
        "state": state,
        "answered_at": datetime.now(UTC).isoformat(),
        "parameters": dict(order.parameters),  # read by people and earlier versions
        **facts,
        "order": _described(order),
    }
    return json.dumps(sidecar, indent=1).encode()


def _without_keys(text: str | None) -> str | None:
    return None if text is None else hide_keys(text)


def _described(order: Order) -> dict[str, Any]:
    described = {name: getattr(order, name) for name in _Order.model_fields}
    return described | {
        "parameters": dict(order.parameters),
        "references": [_sent(reference) for reference in order.references],
        "mask": None if order.mask is None else _sent(order.mask),
        "estimate_usd": str(order.estimate_usd),
    }


def _sent(picture: Reference) -> dict[str, Any]:
    return {name: getattr(picture, name) for name in _Sent.model_fields}


def read_sidecar(file: Path, order_id: str | None = None) -> Sidecar:
    """Read a sidecar of this or an earlier version; it is not trusted.

    Args:
        file: The sidecar.
        order_id: The order's id; by default the file's name says it.

    Raises:
        LedgerError: It cannot be read, is truncated or says something else.
    """
    try:
        with open_regular(file, SIDECAR_BYTES) as stream:
            facts = _File.model_validate(json.loads(stream.read().decode()))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(file, _reason(error)) from error
    if [one.index for one in facts.pictures] != list(range(len(facts.pictures))):
        raise _damaged(file, "its pictures are not numbered from 0")
    if facts.state == "received" and not facts.pictures and facts.content is None:
        raise _damaged(file, "it has neither a picture nor an answer")
    order = None if facts.order is None else facts.order.order()
    expected = order_id or file.stem
    if facts.order_id != expected or (order is not None and order.order_id != expected):
        raise _damaged(file, f"it describes another order: {facts.order_id}")
    return Sidecar(
        order_id=facts.order_id,
        state=facts.state,
        usage=Usage(**facts.usage.model_dump()),
        vendor_request_id=facts.vendor_request_id,
        latency_s=facts.latency_s,
        receipts=tuple(Receipt(facts.order_id, **one.model_dump()) for one in facts.pictures),
        content=facts.content,
        order=order,
        answered_at=_aware(facts.answered_at),
        error_code=facts.error_code,
        error_message=facts.error_message,
        reported_usd=facts.reported_usd,
    )


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return str(error).partition("\n")[0][:200] or type(error).__name__


def _damaged(file: Path, reason: str) -> LedgerError:
    return LedgerError(
        where=f"sidecar {file}",
        what=f"is damaged: {reason}",
        money="Its order stays charged.",
    )
