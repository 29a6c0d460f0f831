"""Recovery of `sent` orders: what a killed process left unsettled is settled from its sidecars.

An order whose pictures are whole is received. Any other may have been billed: it becomes unknown and stays
charged at its estimate. A sidecar that is damaged counts as none; the run's warnings name it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tasks.candidate import Receipt
from tasks.errors import LedgerError
from tasks.images_api.answers import check_picture
from tasks.images_api.picture_files import receipt_of, stem_of
from tasks.images_api.settlements import settlement_of, settlement_of_sidecar
from tasks.images_api.settling_together import TOGETHER, Found, settle_together
from tasks.images_api.sidecars import Sidecar, read_sidecar, sidecar_file
from tasks.images_api.terms import Terms
from tasks.images_api.unfinished_answers import complete_answers, delete_parts, has_parts
from tasks.ledger import INTERRUPTED, Ledger, Settlement
from tasks.ledger.replanning import add_warnings
from tasks.order import Order, Usage
from tasks.storage.home import STAGE_FOLDERS


def recover_sent(
    ledger: Ledger, run_id: str, folder: Path, terms: Terms, say: Callable[[str], None] = lambda _: None
) -> dict[str, int]:
    """Settle orders that an earlier process left ``sent``. Call it only under the run lock.

    An order whose pictures are complete becomes ``received``, at the cost in its sidecar if there is one. An
    order in an unfinished batch is left alone. Any other may have been billed: it becomes ``unknown`` and
    stays charged. One that an earlier recovery gave up becomes ``received`` if its pictures have come since.

    Args:
        ledger: The ledger.
        run_id: The run.
        folder: The run's folder.
        terms: The provider's terms.
        say: Called with a sentence for each damaged sidecar, which also becomes a warning of the run.

    Returns:
        How many orders became ``received`` and how many ``unknown``.
    """
    complete_answers(folder)
    delete_parts(folder)
    counts = {"received": 0, "unknown": 0}
    out = ledger.batches.ids_out(run_id)
    warnings: list[str] = []
    sent = [record.order for record in ledger.orders.of_run(run_id, "sent")]
    for start in range(0, len(sent), TOGETHER):
        ends: list[tuple[Order, Found]] = []
        for order in sent[start : start + TOGETHER]:
            found = _by_sidecar(folder, order, terms, warnings)
            if found is not None or order.order_id not in out:
                ends.append((order, found or _without_sidecar(folder, order, terms)))
        _settle(ledger, folder, ends, counts)
    _settle(ledger, folder, list(_come_since(ledger, run_id, folder, terms)), counts)
    if warnings:
        add_warnings(ledger, run_id, warnings)
    for warning in warnings:
        say(warning)
    return counts


def is_recoverable(ledger: Ledger, run_id: str, folder: Path, terms: Terms) -> bool:
    """Return whether ``recover_sent`` would settle or complete anything. Changes nothing.

    Args:
        ledger: The ledger.
        run_id: The run.
        folder: The run's folder.
        terms: The provider's terms.
    """
    is_open = ledger.orders.counts(run_id).items()
    return (
        any(state == "sent" and n_orders for (_, state), n_orders in is_open)
        or has_parts(folder)
        or any(True for _ in _come_since(ledger, run_id, folder, terms))
    )


def _settle(
    ledger: Ledger, folder: Path, ends: Sequence[tuple[Order, Found]], counts: dict[str, int]
) -> None:
    """Settle orders, and count them by state."""
    settle_together(ledger, folder, ends)
    for _, (settlement, *_) in ends:
        counts[settlement.state] = counts.get(settlement.state, 0) + 1


def _come_since(ledger: Ledger, run_id: str, folder: Path, terms: Terms) -> Iterator[tuple[Order, Found]]:
    """Find the orders that an earlier recovery gave up, and whose pictures have come since."""
    for record in ledger.orders.of_run(run_id, "unknown"):
        is_given_up = record.settlement is not None and record.settlement.error_code == INTERRUPTED
        found = _by_sidecar(folder, record.order, terms, []) if is_given_up else None
        if found is not None and found[0].state == "received":
            yield record.order, found


def _by_sidecar(folder: Path, order: Order, terms: Terms, warnings: list[str]) -> Found | None:
    file = sidecar_file(folder, order.order_id)
    if not file.exists():
        return None
    try:
        sidecar = read_sidecar(file)
    except LedgerError as error:
        warnings.append(f"{error.where} {error.what}; it was left out.")
        return None
    if not are_whole(folder, sidecar):
        return None
    return settlement_of_sidecar(order, sidecar, terms), list(sidecar.receipts), sidecar.content


def are_whole(folder: Path, sidecar: Sidecar) -> bool:
    """Return whether every picture of a sidecar is on disk as it was received.

    Args:
        folder: The run's folder.
        sidecar: The sidecar.
    """
    return all(_is_whole(folder, receipt) for receipt in sidecar.receipts)


def _without_sidecar(folder: Path, order: Order, terms: Terms) -> Found:
    if receipts := pictures_without_sidecar(folder, order):
        found = settlement_of(
            order, Usage(), terms, latency_s=None, vendor_request_id=None, n_pictures=len(receipts)
        )
        return found, receipts, None
    message = "The process ended before the answer was stored; the provider may have billed it."
    return Settlement("unknown", error_code=INTERRUPTED, error_message=message), [], None


def _is_whole(folder: Path, receipt: Receipt) -> bool:
    file = folder / receipt.file
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == receipt.sha256


def pictures_without_sidecar(folder: Path, order: Order) -> list[Receipt]:
    """Find the pictures of an order by their names.

    Args:
        folder: The run's folder.
        order: The order.
    """
    receipts = []
    for index in range(order.n if order.stage in STAGE_FOLDERS else 0):
        stem = folder / stem_of(order, index)
        found = sorted(stem.parent.glob(f"{stem.name}.*"))
        pictures = [file for file in found if file.suffix != ".json"]  # not the lineage of a final
        if pictures:
            picture = check_picture(pictures[0].read_bytes(), order)
            name = pictures[0].relative_to(folder).as_posix()
            receipts.append(receipt_of(order, index, name, picture))
    return receipts
