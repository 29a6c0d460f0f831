"""An answer ends at its bounds, in time and in bytes, and what came of it is kept."""

import asyncio
import base64
import gzip
import json
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tasks.catalogue.providers import Timeouts
from tasks.images_api.answer_bounds import AnswerBounds, growth, most_bytes
from tasks.images_api.batch_lane.batch_client import BatchClient
from tasks.images_api.buyer import Buyer
from tasks.images_api.client import connect
from tasks.images_api.models_endpoint import read_models
from tasks.images_api.rate_limiter.limiter import RateLimiter
from tasks.images_api.wait_notices import WaitNotices
from tasks.ledger import Limits, Settlement
from tasks.limits import ANSWER_MARGIN_BYTES, JSON_BYTES
from tasks.order import Order, OrderState
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.child_process import wait_until
from tests.support.emulator_client import BRIEF_S, PATIENT_S, png
from tests.support.raw_server import Answer, RawServer, Send, raw_server
from tests.support.shop import FLARE, Shop, order_of

HEAD = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\nconnection: close\r\n%s\r\n"
OK = HEAD % (200, b"")
PICTURE = png((1024, 640))
ITEM = {"b64_json": base64.b64encode(PICTURE).decode()}
USAGE = {"input_tokens": 10, "input_tokens_details": {"text_tokens": 10}, "output_tokens": 196}


def drip(send: Send, piece: bytes = b" ") -> None:
    """Send a byte now and then, for longer than any test may take: whoever wants all of them fails."""
    while True:
        send(piece)
        time.sleep(0.02)


def endless(send: Send) -> None:
    """Send as much as is taken, up to a gigabyte."""
    for _ in range(1000):
        send(b"x" * 1_000_000)


@contextmanager
def shop_at(folder: Path, answer: Answer, read_s: float = PATIENT_S) -> Iterator[tuple[Shop, RawServer]]:
    """Open a shop whose provider answers so."""
    with raw_server(answer) as server:
        shop = Shop(server.url, folder, read_s)
        try:
            yield shop, server
        finally:
            shop.ledger.close()


def bought(folder: Path, answer: Answer, order: Order | None = None, read_s: float = PATIENT_S) -> Any:
    """Buy an order from a provider that answers so; returns its record."""
    with shop_at(folder, answer, read_s) as (shop, server):
        shop.buy(order or order_of())
        assert len(server.sent_bytes) == 1
        assert shop.ledger.verify() == []
        return shop.record()


@pytest.mark.parametrize(("status", "error"), [(418, "a teapot"), (504, {"type": "invalid_request_error"})])
def test_an_error_counts_by_its_status_and_is_kept(tmp_path: Path, status: int, error: object) -> None:
    """An unusual status says that it may have been billed, whatever an error with status 200 would mean."""
    body = json.dumps({"error": error}).encode()
    record = bought(tmp_path, lambda send: send(HEAD % (status, b"") + body))
    assert (record.state, record.settlement.error_code) == ("unknown", f"http_{status}")
    assert record.charged_usd > 0
    assert any((tmp_path).rglob("*.body"))


def test_a_body_that_drips_is_cut_off_and_kept(tmp_path: Path) -> None:
    """Every byte comes in time, and the whole never does."""

    def answer(send: Send) -> None:
        send(OK + b'{"data": [{"b64_json": "iVBORw0KGgo')
        drip(send, b"A")

    record = bought(tmp_path, answer, read_s=BRIEF_S)
    assert (record.state, record.settlement.error_code) == ("unknown", "ReadTimeout")
    assert record.charged_usd == record.order.estimate_usd
    kept = tmp_path / "answers" / f"{record.order.order_id}.body"
    assert kept.read_text().startswith('{"data": [{"b64_json": "iVBORw0KGgoAA')
    assert f"answers/{record.order.order_id}.body" in record.settlement.error_message
    assert "1.5 s" in record.settlement.error_message


@pytest.mark.parametrize("began", [False, True], ids=["before its headers", "in its body"])
def test_an_answer_that_came_while_the_process_was_frozen_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, began: bool
) -> None:
    """Longer than the answer may take: it is there when the process goes on, and was paid for."""
    monkeypatch.setattr("tasks.images_api.receiving.SUSPENDED_S", 0.2)
    in_many_pieces = {"revised_prompt": "x" * 500_000}
    body = json.dumps(in_many_pieces | {"data": [ITEM], "usage": USAGE}).encode()

    def answer(send: Send) -> None:
        if began:
            send(OK + body[:100])
        time.sleep(0.4)
        send(body[100:] if began else OK + body)

    with shop_at(tmp_path, answer) as (shop, server):

        async def freeze(_: Buyer) -> None:
            while not server.sent_bytes:
                await asyncio.sleep(0.01)
            time.sleep(1.5)

        brief = Timeouts(read_s={"low": 0.5})
        provider = shop.terms.provider.model_copy(update={"timeouts": brief})
        shop.terms = replace(shop.terms, provider=provider)
        shop.buy(order_of(), meanwhile=freeze)
        assert shop.record().state == "received"


def test_headers_that_drip_are_cut_off_too(tmp_path: Path) -> None:
    """No body ever begins."""

    def answer(send: Send) -> None:
        send(b"HTTP/1.1 200 OK\r\nx-long: ")
        drip(send, b"a")

    record = bought(tmp_path, answer, read_s=BRIEF_S)
    assert (record.state, record.settlement.error_code) == ("unknown", "ReadTimeout")


def test_an_endless_body_is_not_read_into_memory(tmp_path: Path) -> None:
    """What is taken follows from what was asked for: one picture."""

    def answer(send: Send) -> None:
        send(OK)
        endless(send)

    with shop_at(tmp_path, answer) as (shop, server):
        shop.buy(order_of())
        record = shop.record()
        limit = most_bytes(record.order)
        assert (record.state, record.settlement.error_code) == ("unknown", "answer_too_large")
        assert f"{limit:,}" in record.settlement.error_message
        assert server.sent_bytes[0] < limit + 20_000_000  # what fits into the sockets
    assert (tmp_path / "answers" / f"{record.order.order_id}.body").stat().st_size == limit


def test_a_small_body_that_decompresses_into_a_large_one_is_cut_off(tmp_path: Path) -> None:
    """Bytes count as they are after decompression."""
    packed = gzip.compress(b" " * 60_000_000, 1)

    def answer(send: Send) -> None:
        send(HEAD % (200, b"content-encoding: gzip\r\n") + packed)

    record = bought(tmp_path, answer)
    assert record.settlement.error_code == "answer_too_large"


BODY = json.dumps({"data": [ITEM], "usage": USAGE}).encode()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        (b"gzip", gzip.compress(BODY)),
        (b"deflate", zlib.compress(BODY)),
        (b"deflate", zlib.compress(BODY)[2:-4]),
        (b"gzip", BODY),
        (b"br", BODY),
    ],
    ids=["gzip", "deflate", "deflate without a header", "not compressed", "another one, not compressed"],
)
def test_an_answer_is_read_however_it_is_compressed(tmp_path: Path, encoding: bytes, packed: bytes) -> None:
    """Also where the header says what is not so."""

    def answer(send: Send) -> None:
        send(HEAD % (200, b"content-encoding: %s\r\n" % encoding) + packed)

    record = bought(tmp_path, answer)
    assert record.state == "received"
    assert record.settlement.usage.output_tokens == 196


@pytest.mark.parametrize("tail", [drip, endless], ids=["drip", "endless"])
def test_the_body_of_a_failure_is_not_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: Answer
) -> None:
    """The status says that it was refused and is free, whatever its body does then."""
    monkeypatch.setattr("tasks.images_api.receiving.ERROR_BODY_S", 0.2)

    def answer(send: Send) -> None:
        send(HEAD % (400, b"") + b'{"error": {"code": "moderation_blocked", "message": "No."}}')
        tail(send)

    record = bought(tmp_path, answer)
    assert (record.state, record.charged_usd) == ("refused", 0)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"content-length: 900\r\n", b"{"),
        (b"content-encoding: gzip\r\n", gzip.compress(BODY)[:30] + b"x" * 99),
    ],
    ids=["cut off", "broken"],
)
def test_a_failure_whose_body_breaks_off_is_a_failure(tmp_path: Path, headers: bytes, body: bytes) -> None:
    """It was never sent in full, and its status was."""
    record = bought(tmp_path, lambda send: send(HEAD % (400, headers) + body))
    assert (record.state, record.settlement.error_code, record.charged_usd) == ("failed", "http_400", 0)


def test_a_whole_answer_followed_by_dripping_is_read(tmp_path: Path) -> None:
    """The picture is in there, and so is its usage."""

    def answer(send: Send) -> None:
        send(OK + json.dumps({"data": [ITEM], "usage": USAGE}).encode())
        drip(send)

    record = bought(tmp_path, answer, read_s=BRIEF_S)
    assert (record.state, record.settlement.usage.output_tokens) == ("received", 196)


@pytest.mark.parametrize("usage", [None, USAGE])
def test_the_pictures_that_are_whole_in_a_broken_answer_are_kept(
    tmp_path: Path, usage: dict[str, Any] | None
) -> None:
    """Two were asked for; the connection breaks in the second."""
    began = {"usage": usage, "data": [ITEM, ITEM]} if usage else {"data": [ITEM, ITEM]}
    text = json.dumps(began).replace("/", "\\/").encode()

    def answer(send: Send) -> None:
        send(HEAD % (200, b"content-length: 99999999\r\n") + text[:-60])

    order = order_of(n=2)
    with shop_at(tmp_path, answer) as (shop, _):
        shop.buy(order)
        record, (kept,) = shop.record(), shop.ledger.candidates.of_run(RUN_ID)
    assert record.state == "received"
    assert kept.downgraded == "1 of 2 pictures"
    assert (tmp_path / kept.file).read_bytes() == PICTURE
    assert record.settlement.usage.output_tokens == (196 if usage else None)


def test_partial_pictures_of_a_broken_stream_are_no_pictures(tmp_path: Path) -> None:
    """They are previews; the stream ended before the picture."""
    event = {"type": "image_generation.partial_image", "partial_image_index": 0, **ITEM}
    head = OK.replace(b"application/json", b"text/event-stream")

    def answer(send: Send) -> None:
        send(head + b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n")

    record = bought(tmp_path, answer, order_of(stream=True, partial_images=1))
    assert record.state == "unknown"


def test_a_judges_endless_answer_is_cut_off(tmp_path: Path) -> None:
    """A few words need no pictures' room."""
    question = an_order(stage="judge", endpoint="chat", provider="shop", parameters={"model": "gpt-6-luna"})

    def answer(send: Send) -> None:
        send(OK)
        endless(send)

    with shop_at(tmp_path, answer) as (shop, server):
        shop.buy(question)
        assert shop.record().settlement.error_code == "answer_too_large"
        assert server.sent_bytes[0] < JSON_BYTES + 20_000_000


@pytest.mark.parametrize("tail", [drip, endless], ids=["drip", "endless"])
def test_a_list_of_models_without_end_is_given_up(tmp_path: Path, tail: Answer) -> None:
    """The connection is closed too: nothing goes on reading behind the run."""
    cut: list[OSError] = []

    def answer(send: Send) -> None:
        try:
            send(OK + b'{"data": [')
            tail(send)
        except OSError as error:
            cut.append(error)

    with shop_at(tmp_path, answer) as (shop, _):
        found = read_models(shop.terms, within_s=0.5)
        assert found.kind in ("no_answer", "no_network")
        wait_until(lambda: bool(cut))


@pytest.mark.parametrize(
    ("quality", "size", "n", "least_s"),
    [("high", "1024x1024", 1, 900), ("high", "2048x2048", 1, 1800), ("high", "3840x2160", 1, 3000),
     ("low", "1024x1024", 1, 300), ("low", "1024x1024", 4, 600), ("high", "1024x640", 1, 900)],
)  # fmt: skip
def test_the_time_an_answer_may_take_grows_with_its_pixels(
    tmp_path: Path, quality: str, size: str, n: int, least_s: float
) -> None:
    """Never below a quarter of an hour at high quality."""
    order = an_order(provider="openai", parameters=FLARE | {"quality": quality, "size": size, "n": n})
    with shop_at(tmp_path, lambda _: None) as (shop, _):
        provider = shop.terms.provider.model_copy(update={"timeouts": type(shop.terms.provider.timeouts)()})
        terms = type(shop.terms)(provider, shop.terms.catalogue, {})
        assert AnswerBounds(terms, shop.ledger).of(order).within_s >= least_s


def test_the_time_an_answer_may_take_is_four_times_the_slowest_in_the_ledger(home: Path) -> None:
    """Of the same model, quality and size, on either database; nothing follows from what was not received."""
    shop = Shop("http://nobody.test/v1", home)
    slow, timed_out, other = order_of(0), order_of(1), order_of(2, size="1536x1024")
    try:
        shop.ledger.orders.plan([slow, timed_out, other])
        ends: list[tuple[Order, OrderState, float]] = [
            (slow, "received", 100.0), (timed_out, "unknown", 700.0), (other, "received", 900.0),
        ]  # fmt: skip
        for order, state, latency_s in ends:
            shop.ledger.orders.send(order, Limits(), NOON)
            shop.ledger.orders.settle(order.order_id, Settlement(state, latency_s=latency_s))
        bounds = AnswerBounds(shop.terms, shop.ledger)
        assert bounds.of(slow).within_s == 400
        assert bounds.of(other).within_s == 3600
        assert bounds.of(order_of(quality="medium")).within_s < 100
        bounds.note(slow, 150.0)
        bounds.note(slow, 50.0)
        assert bounds.of(slow).within_s == 600
    finally:
        shop.ledger.close()


def test_the_room_for_an_answer_follows_from_what_was_asked_for() -> None:
    """A 4K picture, several, and partial ones need more; a larger one than asked for has room."""
    small, large = order_of(), order_of(size="3840x2160")
    assert most_bytes(large) > 3840 * 2160 * 4 * 4 / 3
    assert most_bytes(small) > 2048 * 2048 * 4 * 4 / 3
    assert most_bytes(order_of(n=3)) == 3 * most_bytes(small)
    assert most_bytes(order_of(stream=True, partial_images=2)) == 3 * most_bytes(small)
    assert most_bytes(small) < 10 * ANSWER_MARGIN_BYTES + 2048 * 2048 * 6
    assert growth(small) == 1.0


def test_a_download_of_results_that_drips_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its whole time counts, beyond what has arrived at a rate of its own."""
    monkeypatch.setattr("tasks.images_api.batch_lane.batch_client.TRANSFER_S", 0.3)

    def answer(send: Send) -> None:
        send(OK + b"{}\n")
        drip(send)

    async def read(shop: Shop, lines: list[bytes]) -> None:
        async with connect(shop.terms) as client, BatchClient(client, shop.terms).lines("f-1", []) as coming:
            async for line in coming:
                lines.append(line)

    lines: list[bytes] = []
    with shop_at(tmp_path, answer) as (shop, _), pytest.raises(httpx2.ReadTimeout):
        asyncio.run(read(shop, lines))
    assert lines == [b"{}"]


def test_whoever_waits_long_is_told_for_what_and_until_when(tmp_path: Path) -> None:
    """A slow answer, and a pause that the provider asked for, with its words."""
    limited = (
        HEAD % (429, b"retry-after: 1\r\n") + b'{"error": {"code": "slow_down", "message": "Too many."}}'
    )
    answers = iter([limited, OK + json.dumps({"data": [ITEM]}).encode()])

    def answer(send: Send) -> None:
        time.sleep(0.3)
        send(next(answers))

    lines: list[str] = []
    with shop_at(tmp_path, answer) as (shop, _):
        notices = WaitNotices(lines.append, show_after_s=0.1)
        shop.buy(order_of(), rate_limiter=RateLimiter(100), waits=notices)
        assert shop.record().state == "received"
    said = "\n".join(lines)
    assert "1 request waits for the provider's answer, 0 s so far; until " in said
    assert "(in 1 s)" in said
    assert re.search(
        r"waits for the provider's rate limit \(slow_down\), .*; until \d\d:\d\d:\d\d .*: Too many\.",
        said,
    )
