"""Writes an answer's pictures to their paths, and its sidecar, before the ledger says so.

The bytes are written as received. A process killed before the ledger was written loses nothing:
``recover_sent`` settles from the sidecar on resume.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tasks.candidate import Receipt
from tasks.errors import SettingError
from tasks.images_api.answers import UNREADABLE, Answer, Picture
from tasks.images_api.sidecars import sidecar_file, sidecar_of_answer, sidecar_of_end
from tasks.ledger import Settlement
from tasks.order import Order
from tasks.redaction import hide_keys_beside_pictures, hide_keys_in_bytes
from tasks.storage.atomic import write_atomically, write_together
from tasks.storage.home import ANSWERS, STAGE_FOLDERS

_ENDINGS = {"jpeg": "jpg"}


def store_answer(folder: Path, order: Order, answer: Answer, latency_s: float | None) -> list[Receipt]:
    """Write an answer's pictures and its sidecar below the run's folder, synced to disk.

    Args:
        folder: The run's folder.
        order: The order.
        answer: Its answer.
        latency_s: Seconds from sending to the end of the answer; ``None`` when not measured.

    Returns:
        A receipt for each picture.

    Raises:
        SettingError: The disk is full or not writable, or the run's folder is missing; nothing was stored.
    """
    if not folder.is_dir():  # if created again it would lack the run's campaign
        raise SettingError(where=str(folder), what="the run's folder is missing")
    receipts, files = [], []
    for index, received in enumerate(answer.pictures):
        picture = _without_secrets(received)
        ending = _ENDINGS.get(picture.ending, picture.ending)
        receipt = receipt_of(order, index, f"{stem_of(order, index)}.{ending}", picture)
        receipts.append(receipt)
        files.append((folder / receipt.file, picture.data))
    extras = [(folder / _extra_file(order, number, one), one.data)
              for number, one in enumerate(map(_without_secrets, answer.extras), 1)]  # fmt: skip
    files += extras
    sidecar = sidecar_of_answer(order, answer, receipts, latency_s, [file.name for file, _ in extras])
    write_together([*files, (sidecar_file(folder, order.order_id), sidecar)])
    return receipts


def store_end(folder: Path, order: Order, settlement: Settlement) -> None:
    """Write the sidecar of an order that ended without a picture; one that is there stays.

    A disk that cannot be written loses it; the ledger has what it says.

    Args:
        folder: The run's folder.
        order: The order.
        settlement: How it ended.
    """
    file = sidecar_file(folder, order.order_id)
    if folder.is_dir() and not file.exists():
        with contextlib.suppress(SettingError):
            write_atomically(file, sidecar_of_end(order, settlement))


def _without_secrets(picture: Picture) -> Picture:
    """Redact bytes that are no picture: they are kept for people, and may be any text."""
    if picture.ending != UNREADABLE:
        return picture
    return replace(picture, data=hide_keys_in_bytes(picture.data))


def store_body(folder: Path, order: Order, body: object) -> None:
    """Keep an answer whose pictures are not there yet, or in which none was found, to be read again later.

    A disk that cannot be written loses it; the order is unknown either way.

    Args:
        folder: The run's folder.
        order: The order.
        body: The answer's JSON, of any shape, or its text.
    """
    text = hide_keys_beside_pictures(body if isinstance(body, str) else json.dumps(body, default=str))
    with contextlib.suppress(SettingError):
        write_atomically(folder / body_file(order), text.encode(errors="replace"))


def body_file(order: Order) -> str:
    """Return the path of an order's unread answer below the run's folder."""
    return f"{ANSWERS}/{order.order_id}.body"


def fetched_file(folder: Path, order: Order, address: str) -> Path:
    """Return where a picture is kept that was fetched while others of its order could not be."""
    name = hashlib.sha256(address.encode(errors="replace")).hexdigest()[:12]
    return folder / ANSWERS / f"{order.order_id}-{name}.fetched"


def keep_fetched(folder: Path, order: Order, fetched: Mapping[str, bytes]) -> None:
    """Keep pictures that were fetched while others of their order could not be; their addresses may expire.

    Args:
        folder: The run's folder.
        order: The order.
        fetched: The pictures by their addresses.
    """
    with contextlib.suppress(SettingError):
        for address, data in fetched.items():
            write_atomically(fetched_file(folder, order, address), data)


def _extra_file(order: Order, number: int, picture: Picture) -> str:
    ending = _ENDINGS.get(picture.ending, picture.ending)
    return f"{ANSWERS}/{order.order_id}-extra{number}.{ending}"


def receipt_of(order: Order, index: int, file: str, picture: Picture) -> Receipt:
    """Make the receipt of one picture.

    Args:
        order: The order that paid for it.
        index: Its place in the answer, from 0.
        file: Path relative to the run's folder.
        picture: Its bytes, and what differs from the request.
    """
    return Receipt(
        order_id=order.order_id,
        index=index,
        replicate=order.replicate + index,
        file=file,
        sha256=hashlib.sha256(picture.data).hexdigest(),
        n_bytes=len(picture.data),
        downgraded=picture.downgraded,
    )


def stem_of(order: Order, index: int) -> str:
    """Return the path of an order's picture below the run's folder, without its ending."""
    return f"{STAGE_FOLDERS[order.stage]}/{order.file_stem(index)}"
