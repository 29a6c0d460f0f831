"""The pictures that a run sent before: what an order was made from stays known when its files are gone.

An order's identity holds the digests of its pictures. Planned from what was sent, an order that is bought is
the same order again, so that only what is left to send needs its files.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tasks.attachments.references import ReferenceFaultError, read_reference
from tasks.order import Order, Reference
from tasks.storage.mirror import found_here


class Sent(NamedTuple):
    """The pictures of one order."""

    references: tuple[Reference, ...]
    mask: Reference | None


@dataclass(frozen=True)
class SentBefore:
    """The pictures of a run's orders.

    Args:
        drafts: By arm and row.
        finals: By the id of the draft and the name of the edition.
    """

    drafts: Mapping[tuple[str, int], Sent] = field(default_factory=dict)
    finals: Mapping[tuple[str, str | None], Sent] = field(default_factory=dict)

    @classmethod
    def of(cls, orders: Iterable[Order]) -> "SentBefore":
        """Collect the pictures of a run's orders; later orders replace earlier ones."""
        drafts, finals = {}, {}
        for order in orders:
            sent = Sent(tuple(order.references), order.mask)
            if not order.references or order.is_further_draft:
                continue
            if order.is_draft:
                drafts[order.arm, order.row] = sent
            elif order.is_final and order.draft_id is not None:
                finals[order.draft_id, order.edition] = sent
        return cls(drafts, finals)


NOTHING_BEFORE = SentBefore()


def find_gone(orders: Iterable[Order]) -> Iterator[str]:
    """Say which of the pictures that orders send are gone or are others by now, one sentence each."""
    pictures = {picture.file: picture for order in orders for picture in order.sent}
    for file, picture in pictures.items():
        if picture.drawing is not None:
            continue
        try:
            now = read_reference(str(found_here(Path(file))), is_bought=True)
        except ReferenceFaultError as error:
            yield str(error)
            continue
        if now.sha256 != picture.sha256:
            yield f"{file} was changed since"
