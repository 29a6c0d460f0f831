"""How long the answer to an order may take, and how large it may be, from what the order asks for.

Giving up costs the picture, and waiting costs nothing, so the time is long: by quality from the provider's
description, longer for more pixels, and several times what the ledger has seen.
"""

import math
from collections.abc import Iterable

from tasks.catalogue.sizes import parse_size
from tasks.images_api.disk_space import LARGEST_PX
from tasks.images_api.questions import CHAT_READ_TIMEOUT_S
from tasks.images_api.receiving import Bounds
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, RequestKind
from tasks.limits import (
    ANSWER_MARGIN_BYTES,
    ANSWER_PIXELS,
    BYTES_PER_PIXEL,
    JSON_BYTES,
    SLOWEST_DOWNLOAD_BYTES_PER_S,
    SLOWEST_SEEN_FACTOR,
    VECTOR_BYTES,
)
from tasks.order import Order

STANDARD_PX = 1024 * 1024
"""The pixels that the provider's times are for."""
_RASTER_FORMATS = ("png", "jpeg", "webp")


class AnswerBounds:
    """The bounds of answers from one provider.

    Args:
        terms: The provider's terms.
        ledger: Where earlier answers are; read once, when first asked.
    """

    def __init__(self, terms: Terms, ledger: Ledger) -> None:
        self._terms = terms
        self._ledger = ledger
        self._slowest_s: dict[RequestKind, float] | None = None

    def of(self, order: Order) -> Bounds:
        """Return what the answer to an order may take.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        expected_s = self._terms.read_timeout_s(order) * growth(order)
        if self._slowest_s is None:
            least_s = min(CHAT_READ_TIMEOUT_S, *self._terms.provider.timeouts.read_s.values())
            self._slowest_s = self._ledger.latencies.slowest_s(over_s=least_s / SLOWEST_SEEN_FACTOR)
        seen_s = self._slowest_s.get(RequestKind.of(order), 0.0)
        return Bounds(max(expected_s, SLOWEST_SEEN_FACTOR * seen_s), most_bytes(order))

    def note(self, order: Order, latency_s: float) -> None:
        """Remember how long an answer took."""
        if self._slowest_s is not None:
            kind = RequestKind.of(order)
            self._slowest_s[kind] = max(latency_s, self._slowest_s.get(kind, 0.0))


def growth(order: Order) -> float:
    """Return by how much the pixels asked for lengthen the time: by their square root, and never below 1.

    The largest size takes 1.9 times the tokens of 1024x1024 at each quality, by the vendor's own calculator
    (checked 2026-11-22), and gets 2.8 times the time.
    """
    if order.endpoint == "chat":
        return 1.0
    return math.sqrt(max(1.0, order.n * _pixels(order) / STANDARD_PX))


def most_bytes(order: Order) -> int:
    """Return the most bytes of an answer: its pictures uncompressed, written as Base64, and a margin.

    Whatever size and format were asked for, others may come: up to 2048 x 2048 pixels there is room for them.
    """
    if order.endpoint == "chat":
        return JSON_BYTES
    if order.parameters.get("output_format", "png") in _RASTER_FORMATS:
        each = math.ceil(max(_pixels(order), ANSWER_PIXELS) * BYTES_PER_PIXEL)
    else:
        each = VECTOR_BYTES
    partials = order.parameters.get("partial_images") or 0
    return (order.n + int(partials)) * (each + ANSWER_MARGIN_BYTES)


def bounds_of_file(orders: Iterable[Order], within_s: float) -> Bounds:
    """Return the bounds of a batch's file of results: as long as it keeps coming, it is read.

    Args:
        orders: The batch's orders.
        within_s: How long it may take before its first bytes count, seconds.
    """
    total = ANSWER_MARGIN_BYTES + sum(most_bytes(order) for order in orders)
    return Bounds(within_s, total, SLOWEST_DOWNLOAD_BYTES_PER_S)


def _pixels(order: Order) -> int:
    size = parse_size(order.parameters.get("size"))
    return LARGEST_PX if size is None else size.width * size.height
