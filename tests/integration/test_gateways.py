"""Answers in shapes that only gateways send: each is understood, and none is sent again when it may cost."""

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import StopRunError
from tasks.images_api.answers import Answer, read_answer
from tasks.images_api.failures import Failure, failure_of_answer
from tasks.redaction import Secret
from tests.support.emulator_client import png
from tests.support.gateway import Gateway
from tests.support.shop import order_of

PICTURE = png((1024, 640))
ENCODED = base64.b64encode(PICTURE).decode()
USAGE = {"input_tokens": 10, "input_tokens_details": {"text_tokens": 10}, "output_tokens": 196}
INNER = {"message": "Blocked.", "type": "image_generation_user_error", "code": "moderation_blocked"}
TEXT = json.dumps({"error": INNER})
WRAPPED = {"error": {"message": TEXT, "type": "new_api_error", "code": "bad_response"}}
QUOTED = {"error": {"message": f"upstream said {TEXT}!"}}
INVALID = {"error": {"message": "Bad size.", "type": "invalid_request_error"}}
ASKS_TOO_MUCH = {
    "error": {
        "message": "Rate limit reached on input-images per min: Limit 5, Used 0, Requested 10.",
        "code": "rate_limit_exceeded",
    }
}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that answers as told."""
    gateway = Gateway(tmp_path)
    yield gateway
    gateway.shop.ledger.close()


@pytest.mark.parametrize(
    ("status", "body", "state", "code"),
    [
        (200, {"error": INNER}, "refused", "moderation_blocked"),
        (200, INVALID, "failed", "invalid_request_error"),
        (200, {"error": {"message": "upstream failed", "code": 5003}}, "unknown", "5003"),
        (200, {"error": "upstream failed", "data": None}, "unknown", "http_200"),
        (200, {"error": None, "data": []}, "unknown", "empty_data"),
        (200, {"data": [{"url": "https://cdn.test/1.png"}]}, "unknown", "address_only"),
        (200, {"data": "none", "usage": []}, "unknown", "unreadable"),
        (200, {"data": [None, 5, {"b64_json": 7}]}, "unknown", "unreadable"),
        (200, [1, 2], "unknown", "unreadable"),
        (200, b"", "unknown", "not_json"),
        (202, {"task_id": "t-1", "status": "queued"}, "unknown", "unreadable"),
        (400, WRAPPED, "refused", "moderation_blocked"),
        (500, QUOTED, "refused", "moderation_blocked"),
        (400, {"detail": "size is wrong"}, "failed", "http_400"),
        (413, b"<html><h1>413 Request Entity Too Large</h1></html>", "failed", "http_413"),
        (429, ASKS_TOO_MUCH, "failed", "rate_limit_exceeded"),
        (408, {"error": {"message": "{\"half\": "}}, "unknown", "http_408"),
        (418, {"error": "a teapot"}, "unknown", "http_418"),
        (504, INVALID, "unknown", "http_504"),
        (522, b"<html>Connection timed out</html>", "unknown", "http_522"),
    ],
)  # fmt: skip
def test_a_shape_has_one_meaning_and_is_sent_once(
    gateway: Gateway, status: int, body: object, state: str, code: str
) -> None:
    """State and code tell what happened, wherever the gateway put it."""
    record = gateway.answers(status, body)
    assert (record.state, record.settlement.error_code) == (state, code)
    assert gateway.n_requests == 1
    assert record.charged_usd == (record.order.estimate_usd if state == "unknown" else 0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"error": {"message": "no money", "type": "insufficient_quota"}}),
        (402, {"error": {"message": "Payment required"}}),
        (403, {"error": {"message": json.dumps({"error": {"message": "x", "code": "insufficient_quota"}})}}),
        (500, {"error": {"message": "upstream key", "code": "invalid_api_key"}}),
    ],
)
def test_a_fault_of_the_account_stops_the_run_in_any_wrapping(
    gateway: Gateway, status: int, body: object
) -> None:
    """No further order could succeed, and this one was not billed."""
    record = gateway.answers(status, body)
    assert isinstance(gateway.buyer.closed_by, StopRunError)
    assert (record.state, record.charged_usd, gateway.n_requests) == ("planned", 0, 1)


def test_the_request_id_is_found_inside_the_message(gateway: Gateway) -> None:
    """Some gateways have no header for it."""
    message = "no channel (request id: 20261122abc-9)"
    record = gateway.answers(400, {"error": {"message": message, "type": "new_api_error"}})
    assert record.settlement.vendor_request_id == "20261122abc-9"


def test_another_header_holds_the_request_id_too(gateway: Gateway) -> None:
    """Forks of one gateway rename it."""
    headers = {"x-api-request-id": "r-7"}
    assert gateway.answers(200, {"data": []}, **headers).settlement.vendor_request_id == "r-7"


def test_an_address_in_place_of_a_picture_is_told_and_costs_what_its_usage_says(gateway: Gateway) -> None:
    """Runoff does not fetch it; a person can, while it is there."""
    answer = {"data": [{"url": "https://cdn.test/1.png?sig=x"}], "usage": USAGE}
    record = gateway.answers(200, answer)
    assert "https://cdn.test/1.png?sig=x" in record.settlement.error_message
    assert record.state == "unknown"
    assert (
        record.charged_usd
        == record.settlement.cost_usd
        == gateway.shop.terms.cost_usd(record.order, record.settlement.usage)
    )
    assert Decimal(0) < record.charged_usd < record.order.estimate_usd


def test_an_empty_answer_that_counted_no_picture_was_filtered(gateway: Gateway) -> None:
    """Its text may still cost something; the usage says so."""
    record = gateway.answers(200, {"data": [], "usage": USAGE | {"output_tokens": 0}})
    assert (record.state, record.settlement.error_code) == ("refused", "empty_data")
    assert record.charged_usd == record.settlement.cost_usd


def test_a_picture_beside_zero_tokens_has_no_known_cost(gateway: Gateway) -> None:
    """A picture costs tokens: zero is what a gateway invents."""
    picture = {"b64_json": "aGVsbG8="}
    record = gateway.answers(200, {"data": [picture], "usage": USAGE | {"output_tokens": 0}})
    assert record.state == "received"
    assert record.settlement.cost_usd is None
    assert record.charged_usd == record.order.estimate_usd


DATA_URL = f"data:image/png;base64,{ENCODED}"


@pytest.mark.parametrize(
    "item",
    [{"b64_json": DATA_URL}, {"url": DATA_URL}, {"b64_json": None, "url": DATA_URL},
     {"b64_json": "\n".join(ENCODED[k : k + 76] for k in range(0, len(ENCODED), 76))},
     {"b64_json": ENCODED.rstrip("=")}, {"b64_json": base64.urlsafe_b64encode(PICTURE).decode()}],
    ids=["data URL", "as an address", "beside null", "wrapped", "without padding", "letters for URLs"],
)  # fmt: skip
def test_a_picture_is_read_however_a_gateway_writes_it(gateway: Gateway, item: dict[str, str]) -> None:
    """It is in there, and was paid for."""
    assert gateway.answers(200, {"data": [item], "usage": USAGE}).state == "received"
    (candidate,) = gateway.shop.ledger.candidates.of_run(gateway.shop.record().order.run_id)
    assert (gateway.shop.folder / candidate.file).read_bytes() == PICTURE
    assert candidate.downgraded is None


@pytest.mark.parametrize("media_type", ["image/png", "application/json"])
def test_a_picture_that_is_the_whole_answer_is_read(gateway: Gateway, media_type: str) -> None:
    """Its cost is not known; as a text its bytes would be lost."""
    record = gateway.answers(200, PICTURE, **{"content-type": media_type})
    assert (record.state, record.settlement.cost_usd) == ("received", None)
    (candidate,) = gateway.shop.ledger.candidates.of_run(record.order.run_id)
    assert (gateway.shop.folder / candidate.file).read_bytes() == PICTURE
    assert candidate.downgraded is None


@pytest.mark.parametrize("text", ["not base64!", "ümlaut"])
def test_what_is_not_base64_is_kept_as_it_came(gateway: Gateway, text: str) -> None:
    """It was paid for."""
    gateway.answers(200, {"data": [{"b64_json": text}], "usage": USAGE})
    (candidate,) = gateway.shop.ledger.candidates.of_run(gateway.shop.record().order.run_id)
    assert candidate.downgraded == "not base64"
    assert (gateway.shop.folder / candidate.file).suffix == ".bin"


@pytest.mark.parametrize(
    ("headers", "message", "wait_s"),
    [
        ({"retry-after": "200"}, "", 200),
        ({"retry-after-ms": "1500", "retry-after": "2"}, "", 1.5),
        ({"retry-after": "nan"}, "try again in 51.84 seconds", 51.84),
        ({"retry-after": "-3"}, "Please try again in 120ms.", 0.12),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "retry after 1m30s", 90),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "Too many; reset in 20s", 20),
        ({}, "Please try again in 2 minutes.", 120),
        ({}, "try again in 1h2m3s", 3723),
        ({"retry-after": "inf"}, "later", None),
        ({}, "", None),
    ],
)
def test_how_long_to_wait_is_read_from_wherever_it_stands(
    headers: dict[str, str], message: str, wait_s: float | None
) -> None:
    """Headers first, then the message; what is no time is no time."""
    fault = failure_of_answer(429, {"error": {"message": message}}, headers, "")
    assert fault.retry_after_s == pytest.approx(wait_s)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["data", "b64_json", "url", "usage", "error", "message", "code", "type",
                         "input_tokens_details", "text_tokens", "output_tokens", "detail"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.sampled_from([200, 400, 429, 500, 503]))
def test_no_shape_of_an_answer_is_a_bug(body: object, status: int) -> None:
    """Whatever a provider sends becomes an answer or a fault, never an exception after the money is gone."""
    read = read_answer(body, {}, order_of(), 196)
    assert isinstance(read, Answer | Failure)
    assert isinstance(failure_of_answer(status, body, {}, str(body)), Failure)


@pytest.mark.parametrize("cut", [195, 198, 490, 498])
def test_a_key_is_blotted_out_before_a_text_is_cut(cut: int) -> None:
    """No part of a key is left at the end of a message that was too long."""
    key = "plainkey0123456789"
    Secret(key)
    body = "x" * cut + key
    for fault in (
        failure_of_answer(500, None, {}, body),
        failure_of_answer(500, {"error": {"message": body, "code": key}}, {}, ""),
        read_answer(body, {}, order_of(), None),
    ):
        assert isinstance(fault, Failure)
        assert "plaink" not in fault.message + fault.code
