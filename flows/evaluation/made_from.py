"""Small pictures of what finalists were made from, for the report: it opens where their files are not."""

import base64
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tasks.candidate import Candidate
from tasks.errors import PictureError
from tasks.ledger import OrderRecord
from tasks.pictures.bought import read_bought
from tasks.pictures.decoding import decode, shrink
from tasks.storage.mirror import found_here

LONGEST_PX = 240

SmallPicture = tuple[str, str | None]
"""What it is, and its ``src``; ``None`` if its file is missing or is not what was sent."""


def made_from(
    records: Sequence[OrderRecord], candidates: Sequence[Candidate]
) -> dict[str, list[SmallPicture]]:
    """Draw the references and masks that finalists were made from, by candidate id.

    Args:
        records: The run's orders.
        candidates: Its pictures; only finalists' are drawn.
    """
    orders = {record.order.order_id: record.order for record in records}

    @cache
    def small(file: str, sha256: str) -> str | None:
        return _small(Path(file), sha256)

    found: dict[str, list[SmallPicture]] = {}
    for one in candidates:
        order = orders.get(one.order_id)
        if order is None or not one.is_draft or not one.is_finalist or not order.references:
            continue
        count = len(order.references)
        shown = [
            (f"Reference {k}" if count > 1 else "Reference", each)
            for k, each in enumerate(order.references, 1)
        ]
        shown += [("Mask", order.mask)] if order.mask is not None else []
        found[one.candidate_id] = [(label, small(each.file, each.sha256)) for label, each in shown]
    return found


def _small(file: Path, sha256: str) -> str | None:
    try:
        picture = shrink(decode(read_bought(found_here(file), sha256)), LONGEST_PX)
    except PictureError:
        return None
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
