"""What is told when a run cannot go on: what happened, what it did to the money, the way out."""

from dataclasses import dataclass, replace

from tasks.errors import SettingError, StopRunError
from tasks.images_api.failures import Failure, FailureKind
from tasks.ledger import BatchRecord, Settlement
from tasks.money import format_usd
from tasks.order import Order

KEY_CODES = ("http_401", "invalid_api_key")
NOT_KEPT = "not_kept"


def stop_for(order: Order, fault: Failure) -> StopRunError:
    """Say why no further order is sent after a fault, and what to do about it."""
    return StopRunError(
        where=f"provider {order.provider}, order {order.order_id}",
        what=f"{fault.code}: {fault.message}",
        money="This order was not billed; what was bought before stays and is reported.",
        next_step=f"{_way_out(fault)} Then: runoff run --resume {order.run_id}",
    )


def stop_asking(record: BatchRecord, fault: Failure) -> StopRunError:
    """Say why a provider cannot be asked about a batch that it has."""
    return StopRunError(
        where=f"provider {record.provider}, batch {record.vendor_batch_id}",
        what=f"{fault.code}: {fault.message}",
        money="Nothing more was bought; the batch goes on at the provider, and its orders stay charged.",
        next_step=f"{_way_out(fault)} Then: runoff run --resume {record.run_id}",
    )


def stop_after_cancelling(record: BatchRecord) -> StopRunError:
    """Say that somebody stopped a batch, so that nobody buys the rest of it by mistake."""
    return StopRunError(
        where=f"provider {record.provider}, batch {record.vendor_batch_id}",
        what="was cancelled",
        money="What was done before stays and is charged; the orders it had not come to were not billed.",
        next_step=f"Buy those in a new batch with: runoff run --resume {record.run_id}",
    )


def _way_out(fault: Failure) -> str:
    if fault.kind is FailureKind.unsent:
        return "See that the address and the network are right."
    if fault.kind is FailureKind.rate_limited:
        return "Wait, or lower images_per_minute of the provider."
    if fault.code in KEY_CODES:
        return "Set the provider's key anew."
    if fault.code == "model_not_found":
        return "Name another model in the campaign (runoff models lists them)."
    if fault.is_unverified:
        return "Verify the organization at the provider."
    return "Look at the account's billing and limits at the provider."


@dataclass(frozen=True, slots=True)
class KeptNothing:
    """A picture that came, was billed, and could not be written.

    Args:
        settlement: What the ledger is told: ``unknown``, charged what it cost.
        error: What people are told.
    """

    settlement: Settlement
    error: SettingError


def kept_nothing(order: Order, settlement: Settlement, error: SettingError) -> KeptNothing:
    """Say that an order's pictures came and could not be kept.

    Args:
        order: The order.
        settlement: How it would have been settled.
        error: Why the pictures could not be written.
    """
    cost_usd = settlement.cost_usd
    billed = f"at most {format_usd(order.estimate_usd)}" if cost_usd is None else format_usd(cost_usd)
    message = f"Its picture came, was billed ({billed}) and could not be kept: {error.what}"
    return KeptNothing(
        replace(settlement, state="unknown", error_code=NOT_KEPT, error_message=message),
        SettingError(
            where=error.where,
            what=error.what,
            money=f"The picture of order {order.order_id} came, was billed ({billed}) and is lost; "
            "the order is unknown and stays charged. What was bought before stays.",
            next_step=f"Make room on the disk or make the folder writable, then: "
            f"runoff run --resume {order.run_id}",
        ),
    )
