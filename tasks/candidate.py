"""Orders and candidates: what is bought, and what came of it.

An order is one paid request; a candidate is one picture. Both are frozen facts: the ledger keeps them, the
steps read them and write back by id. Position in a list is never identity.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Stage = Literal["draft", "final"]
OrderState = Literal["planned", "sent", "received", "refused", "failed", "unknown"]
ORDER_STATES: tuple[OrderState, ...] = ("planned", "sent", "received", "refused", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture sent along with an order.

    Args:
        file: Absolute path of the picture.
        sha256: Hex digest of its bytes; part of the order's identity.
        width: Pixels.
        height: Pixels.
        media_type: ``image/png``, ``image/jpeg`` or ``image/webp``.
    """

    file: str
    sha256: str
    width: int
    height: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Order:
    """One paid request to an images endpoint.

    Args:
        run_id: The run it belongs to.
        campaign: The campaign's name.
        stage: ``draft`` or ``final``.
        arm: The arm's name.
        row: Index of the row of variables, from 0.
        replicate: Index of the first picture of this order among its arm and row, from 0.
        attempt: 0 for a draft; 0, 1, … for the tries at one final.
        prompt: The rendered text.
        provider: A name in ``providers.yaml``.
        endpoint: Which images endpoint is called.
        parameters: The request's own fields beside the prompt (model, quality, size, n, …), as sent.
        references: Pictures sent with the request, in order.
        mask: The mask sent with the request, if any.
        estimate_usd: What is reserved for it: the high end of the estimate, dollars.
        draft_id: For a final, the candidate it is made from.
    """

    run_id: str
    campaign: str
    stage: Stage
    arm: str
    row: int
    replicate: int
    attempt: int
    prompt: str
    provider: str
    endpoint: Literal["generations", "edits"]
    parameters: Mapping[str, Any]
    estimate_usd: Decimal
    references: Sequence[Reference] = ()
    mask: Reference | None = None
    draft_id: str | None = None
    lane: Literal["interactive", "batch"] = "interactive"
    order_id: str = field(init=False)

    def __post_init__(self) -> None:
        identity = [
            self.run_id, self.stage, self.arm, self.row, self.replicate, self.attempt, self.draft_id,
            self.provider, self.endpoint, self.prompt, dict(self.parameters),
            [reference.sha256 for reference in self.references], self.mask and self.mask.sha256,
        ]  # fmt: skip
        object.__setattr__(self, "order_id", "o-" + _digest(identity))

    @property
    def n(self) -> int:
        """How many pictures are asked for, 1-10."""
        return int(self.parameters.get("n", 1))

    @property
    def file_stem(self) -> str:
        """The name of the order's first picture file, without its ending."""
        stem = f"{self.arm}-{self.row:03d}-{self.replicate:03d}"
        return stem if self.stage == "draft" else f"{stem}-try{self.attempt + 1}"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the provider says it used for one request; ``None`` is what it did not say."""

    text_input_tokens: int | None = None
    image_input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def input_tokens(self) -> int | None:
        """Text and picture tokens together; ``None`` when neither was said."""
        if self.text_input_tokens is None and self.image_input_tokens is None:
            return None
        return (self.text_input_tokens or 0) + (self.image_input_tokens or 0)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One picture received: where its bytes are and where it stands in the answer.

    Args:
        order_id: The order that paid for it.
        index: Its place in the response, from 0.
        replicate: Its place among the pictures of its arm and row, from 0.
        file: Path relative to the run's folder.
        sha256: Hex digest of the bytes as received.
        n_bytes: Their number.
        downgraded: What differs from the request, or ``None`` when all was checked and agrees.
    """

    order_id: str
    index: int
    replicate: int
    file: str
    sha256: str
    n_bytes: int
    downgraded: str | None

    @property
    def candidate_id(self) -> str:
        """The picture's name everywhere: derived from its order and its place in the answer."""
        return candidate_id(self.order_id, self.index)


def candidate_id(order_id: str, index: int) -> str:
    """Name the ``index``-th picture of an order."""
    return "c-" + _digest([order_id, index])


def _digest(identity: object) -> str:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class SentOrder:
    """An order as the ledger holds it."""

    order: Order
    state: OrderState
    sent_at: datetime | None
    cost_usd: Decimal | None
