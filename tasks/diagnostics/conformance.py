"""Judges what one bought picture says of its provider: what a run relies on passes or fails, in words."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tasks.candidate import Candidate
from tasks.catalogue.providers import Provider
from tasks.diagnostics.finding import Finding
from tasks.ledger import OrderRecord, Settlement
from tasks.money import format_usd

_RECONCILE = "Compare with the provider's bill, then: runoff ledger reconcile"


def check_purchase(
    provider: Provider,
    record: OrderRecord,
    candidates: Sequence[Candidate],
    stop: str,
    stated_usd: Decimal | None,
) -> Iterator[Finding]:
    """Yield what was found, the most important first.

    Args:
        provider: The provider.
        record: The order, as it ended.
        candidates: Its pictures.
        stop: Why nothing more would be sent to the provider; empty where nothing says so.
        stated_usd: What the answer says that it cost; ``None`` where it says nothing that is known.
    """
    end = record.settlement
    if not candidates or end is None:
        yield _without_picture(record, stop)
        return
    yield Finding("picture", "ok", f"came as {candidates[0].file}, and is kept byte for byte")
    yield _form(candidates[0])
    yield _price(record, end, stated_usd, is_to_state=provider.bills_by == "answer")
    yield _request_id(end)
    if end.latency_s is not None:
        yield Finding("time", "ok", f"the answer came after {end.latency_s:.1f} s")


def _without_picture(record: OrderRecord, stop: str) -> Finding:
    end = record.settlement
    why = stop or (f"{end.error_code}: {end.error_message}" if end else "it was not sent")
    charged = f"It is {record.state} and charged {format_usd(record.charged_usd)}."
    ways = {
        "unknown": "Read its answer again with runoff ledger reread, or see: runoff ledger unknown",
        "refused": "The moderation refused a harmless prompt: try another model with --model.",
        "failed": "See which fields the model knows: models.MODEL.request in docs/providers.md",
    }
    return Finding(
        "picture", "fault", f"none came. {charged} {why}", ways.get(record.state, "Then try again.")
    )


def _form(candidate: Candidate) -> Finding:
    if candidate.downgraded is None:
        return Finding("form", "ok", "size and format are what was asked for")
    way_out = "Give the model's sizes and formats in catalogue.yaml, or how they are asked for: request"
    return Finding("form", "warning", f"is not what was asked for: {candidate.downgraded}", way_out)


def _price(record: OrderRecord, end: Settlement, stated_usd: Decimal | None, *, is_to_state: bool) -> Finding:
    reserved, charged = format_usd(record.order.estimate_usd), format_usd(record.charged_usd)
    if end.cost_usd is None:
        what = f"the answer has no usage that a price follows from: the estimate, {charged}, is charged"
        return Finding("price", "warning", what, _RECONCILE)
    is_stated = is_to_state and stated_usd is not None
    by = "the cost that the answer states" if is_stated else "its price"
    if record.charged_usd > record.order.estimate_usd:
        what = f"{charged} by {by}, and {reserved} was the most that was expected"
        return Finding("price", "fault", what, "Correct its price in catalogue.yaml or providers.yaml.")
    if is_to_state and not is_stated:
        what = f"the answer states no cost that is known, so bills_by: answer does nothing: {charged} by {by}"
        return Finding("price", "warning", what, _RECONCILE)
    return Finding("price", "ok", f"{charged} by {by}, of {reserved} that was reserved")


def _request_id(end: Settlement) -> Finding:
    if end.vendor_request_id:
        return Finding("request id", "ok", f"{end.vendor_request_id}, by which the provider can find it")
    what = (
        "no header of the answer has one: a lost request can be found by our own id only, X-Client-Request-Id"
    )
    return Finding("request id", "ok", what)
