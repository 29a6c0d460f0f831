"""Converts orders to rows of the table and back."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from tasks.ledger.equal_values import one_mapping, one_text
from tasks.ledger.schema import orders
from tasks.money import from_nanousd, to_nanousd
from tasks.order import Order, OrderState, Reference, Usage

INTERRUPTED = "interrupted"
"""The error code of an order whose process seemed to have ended; an answer that comes after all is taken."""


_ERROR_CODE_CHARS = 64


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an order ended.

    Args:
        state: ``received``, ``refused``, ``failed`` or ``unknown``.
        cost_usd: What the provider's usage says it cost; ``None`` when it reported none.
        usage: The provider's token counts.
        latency_s: Seconds from sending to the end of the answer.
        vendor_request_id: The provider's id of the request.
        error_code: What went wrong, as a code; ``None`` when nothing did.
        error_message: The same for people.
        is_charged: Whether an order without a known cost stays charged at its estimate.
    """

    state: OrderState
    cost_usd: Decimal | None = None
    usage: Usage = field(default_factory=Usage)
    latency_s: float | None = None
    vendor_request_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    is_charged: bool = False

    def charged_usd(self, estimate_usd: Decimal) -> Decimal:
        """Return what the order is charged to its budgets from now on, dollars.

        Args:
            estimate_usd: What was reserved for it; used in place of an unknown cost.
        """
        if self.cost_usd is not None:
            return self.cost_usd
        return estimate_usd if self.is_charged or self.state == "unknown" else Decimal(0)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order and what the ledger knows about it."""

    order: Order
    state: OrderState
    n_sends: int
    sent_at: datetime | None
    charged_usd: Decimal
    settlement: Settlement | None

    @property
    def cost_usd(self) -> Decimal | None:
        """Its cost by the provider's usage, dollars; ``None`` when not (yet) known."""
        return self.settlement.cost_usd if self.settlement else None

    @property
    def estimated_usd(self) -> Decimal:
        """The part of ``charged_usd`` that is an estimate, because the cost is unknown."""
        return self.charged_usd if self.cost_usd is None else Decimal(0)


def estimated_nanousd() -> sa.ColumnElement[int]:
    """Build ``OrderRecord.estimated_usd`` as an SQL expression, in nano-dollars."""
    return sa.case((orders.c.cost_nanousd.is_(None), orders.c.charged_nanousd), else_=0)


def order_row(order: Order, position: int) -> dict[str, Any]:
    """Turn a planned order into a row of the table."""
    return {
        "order_id": order.order_id,
        "run_id": order.run_id,
        "campaign": order.campaign,
        "position": position,
        "stage": order.stage,
        "arm": order.arm,
        "row": order.row,
        "replicate": order.replicate,
        "attempt": order.attempt,
        "prompt": order.prompt,
        "provider": order.provider,
        "endpoint": order.endpoint,
        "lane": order.lane,
        "parameters": dict(order.parameters),
        "references": [_picture_as_row(reference) for reference in order.references],
        "mask": None if order.mask is None else _picture_as_row(order.mask),
        "draft_id": order.draft_id,
        "edition": order.edition,
        "further_round": order.further_round,
        "state": "planned",
        "estimate_nanousd": to_nanousd(order.estimate_usd),
        "charged_nanousd": 0,
        "n_sends": 0,
    }


def _picture_as_row(picture: Reference) -> dict[str, Any]:
    """Return what identifies a picture that is sent along; how it is drawn follows from the campaign."""
    return {name: getattr(picture, name) for name in ("file", "sha256", "width", "height", "media_type")}


def order_record(row: sa.Row[Any]) -> OrderRecord:
    """Read an order and its result from a row of the table."""
    return OrderRecord(
        order=_order(row),
        state=one_text(row.state),
        n_sends=row.n_sends,
        sent_at=row.sent_at,
        charged_usd=from_nanousd(row.charged_nanousd),
        settlement=None if row.state in ("planned", "sent") else _settlement(row),
    )


def _order(row: sa.Row[Any]) -> Order:
    return Order(
        run_id=one_text(row.run_id),
        campaign=one_text(row.campaign),
        stage=one_text(row.stage),
        arm=one_text(row.arm),
        row=row.row,
        replicate=row.replicate,
        attempt=row.attempt,
        prompt=one_text(row.prompt),
        provider=one_text(row.provider),
        endpoint=one_text(row.endpoint),
        lane=one_text(row.lane),
        parameters=one_mapping(row.parameters),
        estimate_usd=from_nanousd(row.estimate_nanousd),
        references=tuple(Reference(**reference) for reference in row._mapping["references"]),
        mask=None if row.mask is None else Reference(**row.mask),
        draft_id=row.draft_id,
        edition=one_text(row.edition),
        further_round=row.further_round,
    )


def _settlement(row: sa.Row[Any]) -> Settlement:
    return Settlement(
        state=one_text(row.state),
        cost_usd=None if row.cost_nanousd is None else from_nanousd(row.cost_nanousd),
        usage=Usage(row.text_input_tokens, row.image_input_tokens, row.output_tokens),
        latency_s=row.latency_s,
        vendor_request_id=row.vendor_request_id,
        error_code=one_text(row.error_code),
        error_message=row.error_message,
        is_charged=row.charged_nanousd > 0,
    )


def error_columns(code: str | None, message: str | None) -> dict[str, str | None]:
    """Fit a provider's texts into their columns: no NUL, which PostgreSQL rejects, and truncated."""
    return {
        "error_code": code and code.replace("\0", "")[:_ERROR_CODE_CHARS],
        "error_message": message and message.replace("\0", ""),
    }
