"""Checks free disk space before an order is sent: what cannot be stored is not bought."""

import os
import shutil
from pathlib import Path

from tasks.catalogue.sizes import parse_size
from tasks.errors import StopRunError
from tasks.images_api.questions import ROOM_BYTES
from tasks.order import Order

SPARE_BYTES = 50_000_000
"""Bytes left free for the ledger, the thumbnails and the report."""

LARGEST_PX = 3840 * 2160
"""The largest picture that the vendor makes; assumed where the order names no size.

Source: https://developers.openai.com/api/docs/guides/image-generation, checked 2026-11-22.
"""


def largest_bytes(order: Order) -> int:
    """Return the largest size of an order's answer, bytes: four per pixel, uncompressed."""
    if order.endpoint == "chat":
        return ROOM_BYTES
    size = parse_size(order.parameters.get("size"))
    pixels = LARGEST_PX if size is None else size.width * size.height
    return order.n * pixels * 4


def require_room(folder: Path, order: Order, n_under_way: int) -> None:
    """Check that the folder exists, can be written, and has room for an order and those in flight.

    Args:
        folder: The run's folder.
        order: What is to be sent next.
        n_under_way: How many others in flight, assumed to be as large, are not stored yet.

    Raises:
        StopRunError: A check failed; the order was not sent.
    """
    needed = SPARE_BYTES + (n_under_way + 1) * largest_bytes(order)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as fault:
        raise _stop(folder, order, f"is missing or cannot be reached: {fault.strerror}") from fault
    if free < needed:
        what = f"has {free / 1e6:.0f} MB left on its disk; the next pictures may need {needed / 1e6:.0f} MB"
        raise _stop(folder, order, what)
    if not os.access(folder, os.W_OK):
        raise _stop(folder, order, "cannot be written")


def _stop(folder: Path, order: Order, what: str) -> StopRunError:
    return StopRunError(
        where=f"run folder {folder}",
        what=what,
        money="The next order was not sent: what cannot be stored is not bought. What was bought is kept.",
        next_step=f"Free disk space or restore the folder, then: runoff run --resume {order.run_id}",
    )
