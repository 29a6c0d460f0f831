"""Builds the errors that stop a run: what happened, what was charged, and the next step."""

from dataclasses import dataclass, replace

from tasks.errors import SettingError, StopRunError
from tasks.images_api.failures import Failure, FailureKind
from tasks.ledger import BatchRecord, Settlement
from tasks.money import format_usd
from tasks.order import Order

KEY_CODES = ("http_401", "invalid_api_key")
NOT_KEPT = "not_kept"


def stop_for(order: Order, fault: Failure) -> StopRunError:
    """Build the error for a failure after which no further order can succeed."""
    return StopRunError(
        where=f"provider {order.provider}, order {order.order_id}",
        what=f"{fault.code}: {fault.message}",
        money="This request was not billed; what was bought before is kept and reported.",
        next_step=f"{_next_step(fault)} Then: runoff run --resume {order.run_id}",
    )


def stop_asking(record: BatchRecord, fault: Failure) -> StopRunError:
    """Build the error for a provider that cannot be asked about its batch."""
    return StopRunError(
        where=f"provider {record.provider}, batch {record.vendor_batch_id}",
        what=f"{fault.code}: {fault.message}",
        money="Nothing more was bought; the batch continues at the provider, and its requests stay charged.",
        next_step=f"{_next_step(fault)} Then: runoff run --resume {record.run_id}",
    )


def stop_after_cancelling(record: BatchRecord) -> StopRunError:
    """Build the error for a batch cancelled at the provider, so that its rest is not bought by mistake."""
    return StopRunError(
        where=f"provider {record.provider}, batch {record.vendor_batch_id}",
        what="was cancelled",
        money="Finished requests are kept and charged; the others were not billed.",
        next_step=f"Buy those in a new batch with: runoff run --resume {record.run_id}",
    )


def _next_step(fault: Failure) -> str:
    if fault.kind is FailureKind.unsent:
        return "Check the address and the network."
    if fault.kind is FailureKind.rate_limited:
        return "Wait, or lower images_per_minute of the provider."
    if fault.code in KEY_CODES:
        return "Set a valid key for the provider."
    if fault.code == "model_not_found":
        return "Name another model in the campaign (runoff models lists them)."
    if fault.is_unverified:
        return "Verify the organization at the provider."
    return "Check the account's billing and limits at the provider."


@dataclass(frozen=True, slots=True)
class UnstoredAnswer:
    """A picture that arrived, was billed, and could not be stored.

    Args:
        settlement: What the ledger records: ``unknown``, charged at its cost.
        error: The error for people.
    """

    settlement: Settlement
    error: SettingError


def unstored_answer(order: Order, settlement: Settlement, error: SettingError) -> UnstoredAnswer:
    """Build the settlement and the error for an order whose pictures could not be stored.

    Args:
        order: The order.
        settlement: How it would have been settled.
        error: Why the pictures could not be written.
    """
    cost_usd = settlement.cost_usd
    billed = f"at most {format_usd(order.estimate_usd)}" if cost_usd is None else format_usd(cost_usd)
    message = f"Its picture arrived, was billed ({billed}) and could not be stored: {error.what}"
    return UnstoredAnswer(
        replace(settlement, state="unknown", error_code=NOT_KEPT, error_message=message),
        SettingError(
            where=error.where,
            what=error.what,
            money=f"The picture of order {order.order_id} arrived, was billed ({billed}) and is lost; "
            "the order is unknown and stays charged. What was bought before stays.",
            next_step=f"Make room on the disk or make the folder writable, then: "
            f"runoff run --resume {order.run_id}",
        ),
    )
