"""Orders: one paid request each, with an id derived from what is requested.

The ledger stores orders; steps read them and write results back by id. A position in a list is never an
identity.
"""

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

Stage = Literal["draft", "final", "judge"]


OrderState = Literal["planned", "sent", "received", "refused", "failed", "unknown"]


ORDER_STATES: tuple[OrderState, ...] = ("planned", "sent", "received", "refused", "failed", "unknown")


class Drawing(Hashable, Protocol):
    """A picture that Runoff draws to send along; immutable, and equal for equal pictures."""

    def draw(self) -> bytes:
        """Draw it as a png, with the same bytes each time.

        Raises:
            ReferenceFaultError: It cannot be drawn.
            OSError: A picture that it is drawn from is missing.
        """


BILLED_WITHOUT_PICTURE = "billed_without_picture"
"""The error code of a failed order that, according to the provider's bill, was billed."""


ANSWER_KEPT_CODES = ("address_only", "unreadable", "unreadable_answer")
"""The error codes of unknown orders whose answer came and is kept: they were paid, and can be read again."""


def may_be_billed(state: OrderState, error_code: str | None) -> bool:
    """Return whether an order was, or may have been, billed; without a known cost it is charged its estimate.

    Args:
        state: The order's state.
        error_code: Its error code, if any.
    """
    return state in ("sent", "received", "unknown") or error_code == BILLED_WITHOUT_PICTURE


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture sent along with an order.

    Args:
        file: Absolute path of the picture.
        sha256: Hex digest of its bytes; part of the order's identity.
        width: Pixels.
        height: Pixels.
        media_type: ``image/png``, ``image/jpeg`` or ``image/webp``.
        drawing: How Runoff draws it, if it does; known while planning, not stored in the ledger.
    """

    file: str
    sha256: str
    width: int
    height: int
    media_type: str
    drawing: Drawing | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """One paid request: to an images endpoint, or a question to a judging model.

    Args:
        run_id: The run it belongs to.
        campaign: The campaign's name.
        stage: ``draft``, ``final`` or ``judge``; a judge's order has the arm, row and replicate of the first
            picture that it shows.
        arm: The arm's name.
        row: Index of the row of variables, from 0.
        replicate: Index of the first picture of this order among its arm and row, from 0.
        attempt: 0 for a draft; 0, 1, … for the attempts at one final.
        prompt: The rendered text.
        provider: A name in ``providers.yaml``.
        endpoint: Which images endpoint is called, or ``chat``.
        parameters: The request's fields other than the prompt (model, quality, size, n, …), as sent.
        references: Pictures sent with the request, in order.
        mask: The mask sent with the request, if any.
        estimate_usd: What is reserved for it: the high end of the estimate, dollars.
        draft_id: For a final, the candidate it is made from; for a draft of a further round, the picture that
            it grew from; for a judge's order, the candidate judged, or the name of the duel.
        lane: ``interactive`` or ``batch``.
        edition: For a final, which of the campaign's editions it is; ``None`` where there is only one.
        further_round: Which further round buys it, or bought a final's draft, from 1; ``None`` for what the
            campaign itself asks for.
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
    endpoint: Literal["generations", "edits", "chat"]
    parameters: Mapping[str, Any]
    estimate_usd: Decimal
    references: Sequence[Reference] = ()
    mask: Reference | None = None
    draft_id: str | None = None
    lane: Literal["interactive", "batch"] = "interactive"
    edition: str | None = None
    further_round: int | None = None
    order_id: str = field(init=False)

    def __post_init__(self) -> None:
        identity = [
            self.run_id, self.stage, self.arm, self.row, self.replicate, self.attempt, self.draft_id,
            self.provider, self.endpoint, self.prompt, dict(self.parameters),
            [reference.sha256 for reference in self.references], self.mask and self.mask.sha256,
            *([self.edition] if self.edition else []),
            *([{"further_round": self.further_round}] if self.further_round else []),
        ]  # fmt: skip
        object.__setattr__(self, "order_id", "o-" + digest_of(identity))

    @property
    def is_draft(self) -> bool:
        """Whether it buys drafts."""
        return self.stage == "draft"

    @property
    def is_further_draft(self) -> bool:
        """Whether it buys drafts that a person asked for from one picture, beside those of the campaign."""
        return self.is_draft and self.further_round is not None

    @property
    def is_final(self) -> bool:
        """Whether it buys a final."""
        return self.stage == "final"

    @property
    def is_question(self) -> bool:
        """Whether it asks a judging model."""
        return self.stage == "judge"

    @property
    def n(self) -> int:
        """The number of pictures requested, 1-10."""
        return int(self.parameters.get("n", 1))

    @property
    def sent(self) -> tuple[Reference, ...]:
        """The pictures sent with it: references, then the mask."""
        return tuple(self.references) if self.mask is None else (*self.references, self.mask)

    @property
    def question(self) -> str:
        """A digest of the question, independent of run and order: equal questions need only one answer."""
        shown = [reference.sha256 for reference in self.references]
        mask = [] if self.mask is None else [self.mask.sha256]
        asked = [self.provider, self.endpoint, self.prompt, dict(self.parameters), shown, *mask]
        return "q-" + digest_of(asked)

    def is_upright(self, picture: Reference) -> bool:
        """Whether one of its pictures is sent upright, whatever its EXIF says: a mask, and what it masks."""
        return self.mask is not None and picture in (self.mask, self.references[0])

    def upload_key(self, picture: Reference) -> str:
        """Return a hex digest of one of its pictures in the form in which it is sent, 64 digits."""
        if not self.is_upright(picture):
            return picture.sha256
        return hashlib.sha256(f"{picture.sha256} upright".encode()).hexdigest()

    def file_stem(self, index: int = 0) -> str:
        """Return the file name of the order's ``index``-th picture, without folder and extension."""
        stem = f"{self.arm}-{self.row:03d}-{self.replicate + index:03d}"
        if self.further_round is not None:
            stem = f"{stem}-more{self.further_round}"
        if self.is_draft:
            return stem
        return "-".join(filter(None, (stem, self.edition, f"try{self.attempt + 1}")))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the provider reported for one request; ``None`` is what it did not report."""

    text_input_tokens: int | None = None
    image_input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def input_tokens(self) -> int | None:
        """Text and picture tokens together; ``None`` when neither was reported."""
        if self.text_input_tokens is None and self.image_input_tokens is None:
            return None
        return (self.text_input_tokens or 0) + (self.image_input_tokens or 0)


def digest_of(identity: object) -> str:
    """Return the first 20 hex digits of the SHA-256 of ``identity`` as JSON."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
