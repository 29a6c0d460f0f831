"""Every fault that the emulator can play: how its order ends, whether it is sent again, what is charged."""

from decimal import Decimal
from typing import Any

import pytest

from tasks.emulator.faults import FAULT_KINDS
from tasks.errors import StopRunError
from tasks.images_api.failures import FailureKind
from tests.support.builders import RUN_ID
from tests.support.shop import OF_OTHER_LANES, Opener, order_of

# What is charged: nothing, the bill, or the estimate while nobody knows.
FREE, BILLED, ESTIMATE = "nothing", "the bill", "the estimate"

# kind and rule; state; code; requests; charged
ENDS: list[tuple[dict[str, Any], str, str | None, int, str]] = [
    ({"kind": "bill_then_hang", "duration_s": 10}, "unknown", "ReadTimeout", 1, ESTIMATE),
    ({"kind": "bill_then_drop"}, "unknown", "RemoteProtocolError", 1, ESTIMATE),
    ({"kind": "drop"}, "unknown", "RemoteProtocolError", 1, ESTIMATE),
    ({"kind": "slow_body", "duration_s": 0.2}, "received", None, 1, BILLED),
    ({"kind": "truncated_body"}, "unknown", "RemoteProtocolError", 1, ESTIMATE),
    ({"kind": "rate_limited", "times": 2}, "received", None, 3, BILLED),
    ({"kind": "rate_limited", "times": 1, "retry_after": None}, "received", None, 2, BILLED),
    ({"kind": "rate_limited", "times": 1, "retry_after": 200}, "received", None, 2, BILLED),
    ({"kind": "slow_down", "times": 1}, "received", None, 2, BILLED),
    ({"kind": "quota"}, "planned", None, 1, FREE),
    ({"kind": "quota", "code": "credit_balance_exhausted"}, "planned", None, 1, FREE),
    ({"kind": "quota", "code": "organization_spend_limit_exceeded"}, "planned", None, 1, FREE),
    ({"kind": "quota", "code": "project_spend_limit_exceeded"}, "planned", None, 1, FREE),
    ({"kind": "quota", "code": "organization_usage_limit_exceeded"}, "planned", None, 1, FREE),
    ({"kind": "billing_hard_limit"}, "planned", None, 1, FREE),
    ({"kind": "retired"}, "planned", None, 1, FREE),
    ({"kind": "unverified"}, "planned", None, 1, FREE),
    ({"kind": "invalid_key"}, "planned", None, 1, FREE),
    ({"kind": "redirect_html"}, "planned", None, 1, FREE),
    ({"kind": "server_error", "status": 500}, "failed", "http_500", 3, FREE),
    ({"kind": "server_error", "status": 503}, "failed", "server_overloaded", 3, FREE),
    ({"kind": "server_error", "status": 502, "billed": True}, "unknown", "http_502", 1, ESTIMATE),
    ({"kind": "server_error", "status": 504, "billed": True}, "unknown", "http_504", 1, ESTIMATE),
    ({"kind": "server_error", "status": 524, "billed": True}, "unknown", "http_524", 1, ESTIMATE),
    ({"kind": "comet_error"}, "failed", "invalid_request", 1, FREE),
    ({"kind": "comet_error", "code": "model_not_found"}, "failed", "model_not_found", 3, FREE),
    ({"kind": "moderation"}, "refused", "moderation_blocked", 1, FREE),
    ({"kind": "moderation", "stage": "output"}, "refused", "moderation_blocked", 1, FREE),
    ({"kind": "empty_data"}, "unknown", "empty_data", 1, ESTIMATE),
    ({"kind": "empty_data", "billed": True}, "unknown", "empty_data", 1, BILLED),
    ({"kind": "fewer_pictures"}, "unknown", "empty_data", 1, BILLED),
    ({"kind": "html_200"}, "planned", None, 1, FREE),
    ({"kind": "wrong_size"}, "received", None, 1, BILLED),
    ({"kind": "wrong_format"}, "received", None, 1, BILLED),
    ({"kind": "lower_tier"}, "received", None, 1, BILLED),
    ({"kind": "foreign_usage_keys"}, "received", None, 1, BILLED),
    ({"kind": "missing_usage"}, "received", None, 1, ESTIMATE),
    ({"kind": "no_picture"}, "received", None, 1, BILLED),
    ({"kind": "truncated_png"}, "received", None, 1, BILLED),
    ({"kind": "bomb"}, "received", None, 1, BILLED),
]


@pytest.mark.parametrize(
    ("rule", "state", "code", "n_requests", "charged"), ENDS, ids=lambda value: str(value)[:60]
)
def test_a_fault_ends_its_order_as_it_should(
    open_shop: Opener, rule: dict[str, Any], state: str, code: str | None, n_requests: int, charged: str
) -> None:
    """One state, so many requests, so much money; the ledger agrees with itself and with the watcher."""
    shop = open_shop(rule)
    buyer = shop.buy(order_of())
    record, total = shop.record(), shop.bill()["total"]
    assert (record.state, total["requests"]) == (state, n_requests)
    assert (record.settlement and record.settlement.error_code) == code
    amount_usd = {FREE: 0, BILLED: Decimal(total["charged_usd"]), ESTIMATE: record.order.estimate_usd}[
        charged
    ]
    assert record.charged_usd == amount_usd
    assert shop.ledger.orders.charged_usd(RUN_ID) >= Decimal(total["charged_usd"])
    assert shop.ledger.verify() == []
    if state == "planned":
        assert isinstance(buyer.closed_by, StopRunError)
        assert shop.purchases == []
    else:
        assert buyer.closed_by is None
        assert [(one.state, one.charged_usd) for one in shop.purchases] == [(state, amount_usd)]


def test_no_fault_was_forgotten() -> None:
    """Every kind that the emulator knows stands in the table, or belongs to another lane."""
    here = {rule["kind"] for rule, *_ in ENDS}
    elsewhere = {kind for kind in FAULT_KINDS if kind.startswith(OF_OTHER_LANES)}
    assert here | elsewhere == set(FAULT_KINDS)
    assert not here & elsewhere


def test_what_may_have_been_billed_is_never_among_what_is_sent_again() -> None:
    """A kind is resent only where it is certainly not billed."""
    for kind in FailureKind:
        assert kind.state in ("planned", "refused", "failed", "unknown")
        assert kind.state != "planned" or kind.billed == "not billed"
        assert (kind.state == "unknown") == ("perhaps" in kind.billed)
