"""Builds the errors that stop a run: what happened, what was charged, and the next step."""

from dataclasses import dataclass, replace

from tasks.errors import InterruptError, RunError, SettingError, StopRunError
from tasks.images_api.failures import Failure, FailureKind, Remedy
from tasks.images_api.picture_files import body_file
from tasks.images_api.terms import Terms
from tasks.ledger import BatchRecord, Settlement
from tasks.limits import MOST_RESERVES
from tasks.money import format_usd
from tasks.order import Order

NOT_KEPT = "not_kept"
HOUR_S = 3600.0


def stop_for(order: Order, fault: Failure, terms: Terms) -> StopRunError:
    """Build the error for a failure after which no further order can succeed."""
    return StopRunError(
        where=f"provider {order.provider}, order {order.order_id}",
        what=_what(fault),
        money="This request was not billed; what was bought before is kept and reported.",
        next_step=f"{_next_step(fault, terms)} Then: runoff run --resume {order.run_id}",
    )


def stop_for_cancel() -> InterruptError:
    """Build the error for a program that cancels the work which it awaits."""
    money = "What was bought is kept; the ledger is consistent."
    return InterruptError(where="the run", what="was cancelled by the program that made it", money=money)


def stop_for_price(order: Order, settlement: Settlement) -> StopRunError | None:
    """Build the error for an order that cost far more than was reserved for it; ``None`` where it did not."""
    cost_usd, reserved_usd = settlement.cost_usd, order.estimate_usd
    if cost_usd is None or cost_usd <= MOST_RESERVES * reserved_usd:
        return None
    model = order.parameters.get("model")
    return StopRunError(
        where=f"provider {order.provider}, order {order.order_id}",
        what=f"cost {format_usd(cost_usd)} by the usage it reports, where at most {format_usd(reserved_usd)} "
        "was expected: a price in the catalogue or the provider's count is wrong",
        accepted=f"up to {MOST_RESERVES} times what was expected",
        money="The order is charged at that cost, and what came with it is kept. Nothing more is sent.",
        next_step=f"Compare the provider's bill with: runoff models {model}. Correct a wrong cost with: "
        f"runoff ledger reconcile {order.order_id} --corrected --cost USD. "
        f"Then: runoff run --resume {order.run_id}",
    )


def stop_for_unreadable(order: Order, error: Exception) -> RunError:
    """Build the error for an answer that Runoff cannot read: the next ones would be lost as well."""
    stopped = RunError(
        where=f"provider {order.provider}, order {order.order_id}",
        what=f"its answer cannot be read: {error!r}",
        money="The order is unknown and stays charged; its answer is kept as "
        f"{body_file(order)} in the run's folder. Nothing more is sent.",
        next_step="Report the fault with that file. Then: runoff ledger unknown",
    )
    stopped.__cause__ = error
    return stopped


def stop_asking(record: BatchRecord, fault: Failure, terms: Terms) -> StopRunError:
    """Build the error for a provider that cannot be asked about its batch."""
    return StopRunError(
        where=f"provider {record.provider}, batch {record.vendor_batch_id}",
        what=_what(fault),
        money="Nothing more was bought; the batch continues at the provider, and its requests stay charged.",
        next_step=f"{_next_step(fault, terms)} Then: runoff run --resume {record.run_id}",
    )


def stop_after_cancelling(record: BatchRecord) -> StopRunError:
    """Build the error for a batch cancelled at the provider, so that its rest is not bought by mistake."""
    return StopRunError(
        where=f"provider {record.provider}, batch {record.vendor_batch_id}",
        what="was cancelled",
        money="Finished requests are kept and charged; the others were not billed.",
        next_step=f"Buy those in a new batch with: runoff run --resume {record.run_id}",
    )


def _what(fault: Failure) -> str:
    status = fault.code.replace("http_", "HTTP ")  # a message that Runoff wrote begins with the status
    return fault.message if fault.message.startswith(status) else f"{fault.code}: {fault.message}"


def _next_step(fault: Failure, terms: Terms) -> str:
    if fault.kind is FailureKind.unsent:
        return "Check the address and the network."
    if fault.kind is FailureKind.rate_limited:
        asked_s = fault.retry_after_s or 0.0
        asked = f"It asks for a wait of {asked_s / HOUR_S:,.1f} hours. " if asked_s > HOUR_S else ""
        return f"{asked}Wait, or lower images_per_minute of the provider."
    address = terms.base_url or "the emulator in this process"
    return _REMEDIES[fault.remedy].format(address=address, setting=terms.address_setting)


_REMEDIES = {
    Remedy.account: "Check at the provider what the key and the account may do.",
    Remedy.address: "Look at the address {address}: it must be that of the API, up to and including /v1 "
    "(set in {setting}).",
    Remedy.billing: "Check the account's billing and limits at the provider.",
    Remedy.firewall: "A firewall refuses this machine at the address {address}: try another network, or ask "
    "those who run it to let this machine in.",
    Remedy.key: "Set a valid key for the provider.",
    Remedy.model: "From the day of a model's shutdown on, its successor is used if the campaign names one; "
    "else name another with --set finals.model=NAME or --set drafts.model=NAME (runoff models lists them).",
    Remedy.network: "Sign in to the network or the proxy of this machine.",
    Remedy.organization: "Verify the organization at the provider.",
}


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
