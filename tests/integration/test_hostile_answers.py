"""Absurd answers: what is paid is kept, each order ends in one state, and the ledger can go on."""

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.images_api.terms import Terms
from tasks.limits import MOST_TOKENS
from tasks.money import to_nanousd
from tasks.order import ORDER_STATES
from tasks.redaction.text import printable
from tests.support.builders import RUN_ID
from tests.support.emulator_client import png
from tests.support.fuzzing import fuzz
from tests.support.shop import Shop, order_of

PICTURE = png((1024, 640))
ENCODED = base64.b64encode(PICTURE).decode()
COUNTS = st.integers() | st.sampled_from([10**30, 2**62, 10**9, MOST_TOKENS, MOST_TOKENS + 1, -1, 0])
TEXTS = st.text() | st.sampled_from(
    [
        "\ud83d", "\x1b[2J\x1b]0;you\x07", "a\r\nb", "\x00", "\u202eevil", "sk-" + "a" * 40,
        "Limit " + "9" * 5000 + ", Used 0, Requested " + "9" * 5001,
        "try again in " + "1" + "0" * 500 + " m", "Please try again in 1e400s", '{"error": ' * 50,
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | COUNTS | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
USAGES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": COUNTS | JSON,
        "output_tokens": COUNTS | JSON,
        "input_tokens_details": JSON | st.fixed_dictionaries({"text_tokens": COUNTS, "image_tokens": COUNTS}),
    },
)
ITEMS = st.sampled_from([{"b64_json": ENCODED}, {"b64_json": "!"}, {"url": "https://x.test/\ud800"}]) | JSON
ANSWERS = st.fixed_dictionaries({"data": st.lists(ITEMS, max_size=3) | JSON, "usage": USAGES})
ERRORS = st.fixed_dictionaries(
    {"error": JSON | st.fixed_dictionaries({"message": TEXTS, "code": TEXTS | JSON, "type": TEXTS | JSON})}
)
STATUSES = st.sampled_from([200, 200, 200, 301, 400, 401, 403, 404, 409, 413, 418, 500, 502, 503, 524])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-request-id", "content-type", "date"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
    | st.sampled_from(["1e308", "-1", "nan", "Thu, 99 Foo", "text/event-stream", "9" * 5000]),
    max_size=3,
)


class HostileShop:
    """A provider that answers every order as it is told to."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop("http://hostile.test/v1", folder)
        self._numbers = count()

    def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> Any:
        """Buy one more order from a provider that answers so; returns its record."""

        def send(_: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(status, content=content, headers=headers or {})

        self.shop.transport = httpx2.MockTransport(send)
        order = order_of(next(self._numbers))
        self.buyer = self.shop.buy(order)
        (record,) = [one for one in self.shop.records() if one.order.order_id == order.order_id]
        return record


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[HostileShop]:
    """A provider that answers as it is told to."""
    opened = HostileShop(tmp_path)
    yield opened
    opened.shop.ledger.close()


def encoded(body: object) -> bytes:
    """Write JSON as the hostile do: with lone surrogates, NaN and infinities."""
    return json.dumps(body).encode()


def hold(hostile: HostileShop, record: Any, body: object) -> None:
    """Expect one of the named states, a ledger that is consistent, and every picture on the disk."""
    assert record.state in set(ORDER_STATES) - {"sent"}
    assert hostile.shop.ledger.verify() == []
    if record.settlement is not None and record.settlement.error_message:
        message = record.settlement.error_message
        assert message == " ".join(printable(message).split())
    candidates = hostile.shop.ledger.candidates.of_run(RUN_ID)
    kept = [one for one in candidates if one.order_id == record.order.order_id]
    data = body.get("data") if isinstance(body, dict) else None
    if record.state == "received":
        assert all((hostile.shop.folder / one.file).exists() for one in kept)
    if isinstance(data, list) and data[:1] == [{"b64_json": ENCODED}]:
        assert record.state == "received"
        assert (hostile.shop.folder / kept[0].file).read_bytes() == PICTURE


@fuzz(examples=20)
@given(body=ANSWERS | ERRORS | JSON, status=STATUSES, headers=HEADERS)
@example(body={"data": [{"b64_json": ENCODED}], "usage": {"output_tokens": 10**30}}, status=200, headers={})
@example(body={"data": [{"b64_json": ENCODED}], "usage": {"output_tokens": 2**62}}, status=200, headers={})
@example(body={"error": {"message": "half an emoji \ud83d"}}, status=400, headers={})
def test_no_answer_breaks_the_buying(
    hostile: HostileShop, body: object, status: int, headers: dict[str, str]
) -> None:
    """Of any shape, with any status and headers."""
    record = hostile.answer(status, encoded(body), headers)
    hold(hostile, record, body if status == 200 else None)


@fuzz(examples=15)
@given(content=st.binary(max_size=200) | st.sampled_from([b"[" * 100_000, b'{"data":' * 5000, b"\xff\xfe{}"]))
def test_no_bytes_break_the_buying(hostile: HostileShop, content: bytes) -> None:
    """Not even what is no JSON, or nested deeper than can be read."""
    hold(hostile, hostile.answer(200, content), None)


@pytest.mark.parametrize("tokens", [10**30, 2**62, 10**9])
def test_a_count_that_no_answer_can_have_is_not_believed(hostile: HostileShop, tokens: int) -> None:
    """The picture is kept, its cost is unknown, and it is charged at its estimate."""
    usage = {"input_tokens": 10, "output_tokens": tokens}
    record = hostile.answer(200, encoded({"data": [{"b64_json": ENCODED}], "usage": usage}))
    assert (record.state, record.settlement.cost_usd) == ("received", None)
    assert record.charged_usd == record.order.estimate_usd


def test_an_order_that_costs_far_more_than_expected_stops_the_run(hostile: HostileShop) -> None:
    """It is charged at that cost, its picture is kept, and the figures are told."""
    usage = {"input_tokens": 10, "output_tokens": 1_000_000}
    record = hostile.answer(200, encoded({"data": [{"b64_json": ENCODED}], "usage": usage}))
    assert record.state == "received"
    cost_usd = record.settlement.cost_usd
    assert cost_usd > 3 * record.order.estimate_usd
    said = str(hostile.buyer.closed_by)
    assert "by the usage it reports" in said
    assert "runoff models gpt-image-2.5-flare" in said
    assert record.charged_usd == cost_usd


def test_a_dear_order_within_bounds_stops_nothing(hostile: HostileShop) -> None:
    """Up to three times the reserve is a price that moved."""
    order = order_of()
    per_token = Decimal(30) / 1_000_000
    tokens = int(2 * order.estimate_usd / per_token)
    usage = {"input_tokens": 1, "output_tokens": tokens}
    hostile.answer(200, encoded({"data": [{"b64_json": ENCODED}], "usage": usage}))
    assert hostile.buyer.closed_by is None


def test_an_answer_without_a_picture_is_kept_for_people(hostile: HostileShop) -> None:
    """It may have been paid for; the file is named after the order."""
    body = {"data": [{"url": "https://cdn.test/picture.png"}]}
    record = hostile.answer(200, encoded(body))
    assert record.state == "unknown"
    kept = hostile.shop.folder / "answers" / f"{record.order.order_id}.body"
    assert json.loads(kept.read_text()) == body


def test_what_breaks_the_reading_loses_nothing(hostile: HostileShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever reading an answer raises, the order is unknown and the answer on the disk."""

    def read_answer(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("tasks.images_api.reading.read_answer", read_answer)
    record = hostile.answer(200, encoded({"data": [{"b64_json": ENCODED}]}))
    assert (record.state, record.settlement.error_code) == ("unknown", "unreadable_answer")
    assert ENCODED in (hostile.shop.folder / "answers" / f"{record.order.order_id}.body").read_text()


@pytest.mark.parametrize("error", [ValueError, ArithmeticError])
def test_what_breaks_the_pricing_loses_nothing(
    hostile: HostileShop, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """The picture is received, at an unknown cost."""

    def cost_usd(*_: object) -> None:
        raise error

    monkeypatch.setattr(Terms, "cost_usd", cost_usd)
    record = hostile.answer(200, encoded({"data": [{"b64_json": ENCODED}]}))
    assert (record.state, record.settlement.cost_usd) == ("received", None)
    assert to_nanousd(record.charged_usd) == to_nanousd(record.order.estimate_usd)


def test_terminal_escapes_and_line_ends_reach_nobody(hostile: HostileShop) -> None:
    """They are replaced before the message is kept or shown."""
    record = hostile.answer(400, encoded({"error": {"message": "\x1b[2Jno\r\nsuch\u202e thing\x00"}}))
    assert record.settlement.error_message == "\ufffd[2Jno such\ufffd thing\ufffd"
