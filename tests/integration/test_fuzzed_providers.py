"""A provider that sends anything: each order ends in a named state, and pictures that came are kept."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.images_api.batch_lane.lane import BatchLane
from tasks.images_api.batch_lane.settler import BatchSettler
from tasks.images_api.client import connect
from tasks.ledger import Limits
from tasks.order import ORDER_STATES, Order
from tests.support.batch_shop import batch_order
from tests.support.builders import NOON, RUN_ID
from tests.support.emulator_client import png
from tests.support.fuzzing import fuzz
from tests.support.raw_server import Send, raw_server
from tests.support.shop import Shop, order_of

PICTURE = png((8, 8))
ENCODED = base64.b64encode(PICTURE).decode()
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["completed", "failed", "expired", "cancelled", "batch-1", "\ud83d"]
)
KEYS = st.sampled_from(
    [
        "id",
        "object",
        "status",
        "errors",
        "data",
        "code",
        "line",
        "message",
        "output_file_id",
        "error_file_id",
        "request_counts",
        "completed",
        "failed",
        "total",
        "metadata",
        "runoff_batch",
        "input_file_id",
        "created_at",
        "has_more",
        "first_id",
        "last_id",
        "error",
        "usage",
        "b64_json",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=5),
    max_leaves=12,
)
COUNTS = st.integers(-1, 3) | JSON
BATCHES = st.fixed_dictionaries(
    {"id": st.just("batch-1"), "object": st.just("batch")},
    optional={
        "status": st.sampled_from(["completed", "failed", "expired", "cancelled", "in_progress"]) | JSON,
        "errors": JSON
        | st.fixed_dictionaries({"data": st.lists(st.fixed_dictionaries({"line": COUNTS}), max_size=2)}),
        "request_counts": JSON
        | st.fixed_dictionaries({"completed": COUNTS, "failed": COUNTS, "total": COUNTS}),
        "output_file_id": st.just("file-out") | JSON,
        "error_file_id": JSON,
        "created_at": COUNTS,
    },
)
ANSWERS = st.tuples(st.sampled_from([200, 200, 200, 400, 404, 429, 500, 502]), BATCHES | JSON)
WHOLE_LINE = {"response": {"status_code": 200, "body": {"data": [{"b64_json": ENCODED}]}}}
_numbers = count()


class HostileBatches:
    """A provider of batches that answers every look and every download as it is told to."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop("http://hostile.test/v1", folder)

    def collect(self, answers: list[tuple[int, object]], file: bytes, orders: list[Order]) -> None:
        """Let a batch that exists be looked at and collected."""
        ledger = self.shop.ledger
        ledger.orders.plan(orders)
        key, _ = ledger.batches.reserve(orders, Limits(), NOON)
        ledger.batches.advance(key, "uploaded", input_file_id="file-in")
        ledger.batches.advance(key, "asked", asked_at=NOON)
        ledger.batches.advance(key, "created", vendor_batch_id="batch-1", vendor_status="in_progress")
        coming = iter(answers)

        def send(request: httpx2.Request) -> httpx2.Response:
            if request.url.path.endswith("/content"):
                return httpx2.Response(200, content=file)
            status, body = next(
                coming, (200, {"id": "batch-1", "status": "completed", "output_file_id": "f"})
            )
            return httpx2.Response(status, content=json.dumps(body).encode())

        async def go_on() -> None:
            async with connect(self.shop.terms, httpx2.MockTransport(send)) as client:
                settler = BatchSettler(
                    self.shop.terms, ledger, self.shop.folder, lambda _: None, lambda _: None
                )
                lane = BatchLane(
                    client=client,
                    settler=settler,
                    limits=Limits(),
                    closed_by=lambda: None,
                    sleep=lambda _: asyncio.sleep(0),
                    chance=lambda: 0.0,
                )
                await lane.go_on(RUN_ID)

        asyncio.run(go_on())

    def state_of(self, order: Order) -> str:
        """Read an order's state."""
        (record,) = [one for one in self.shop.records() if one.order.order_id == order.order_id]
        return record.state


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[HostileBatches]:
    """A provider of batches that answers as it is told to."""
    opened = HostileBatches(tmp_path)
    yield opened
    assert opened.shop.ledger.verify() == []
    opened.shop.ledger.close()


def new_orders(n: int) -> list[Order]:
    """Make orders that were never planned before."""
    return [batch_order(next(_numbers)) for _ in range(n)]


@pytest.mark.slow
@fuzz(examples=12)
@given(answers=st.lists(ANSWERS, max_size=3), file=st.binary(max_size=60))
@example(
    answers=[(200, {"id": "batch-1", "status": "failed", "errors": {"data": [{"line": "1"}]}})], file=b""
)
@example(
    answers=[(200, {"id": "batch-1", "status": "expired", "request_counts": {"completed": "x"}})], file=b""
)
def test_no_status_of_a_batch_breaks_the_lane(
    hostile: HostileBatches, answers: list[tuple[int, object]], file: bytes
) -> None:
    """Whatever the provider says of it, its orders end in a named state or stay out."""
    orders = new_orders(2)
    hostile.collect(answers, file, orders)
    assert {hostile.state_of(order) for order in orders} <= set(ORDER_STATES)


@fuzz(examples=8)
@given(
    before=st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")), max_size=2),
    after=st.binary(max_size=60),
    facts=st.fixed_dictionaries({}, optional={"response": JSON, "error": JSON}),
    cut=st.integers(1, 400) | st.none(),
)
def test_no_file_of_results_breaks_the_lane_and_its_pictures_are_kept(
    hostile: HostileBatches, before: list[bytes], after: bytes, facts: dict[str, Any], cut: int | None
) -> None:
    """Noise around them, lines of any shape, and a last line that is cut off behind its picture."""
    whole, odd = orders = new_orders(2)
    picture = json.dumps({"custom_id": whole.order_id, **WHOLE_LINE}).encode()
    if cut is not None:
        picture = picture[: -min(cut, len(picture) - picture.index(ENCODED.encode()) - len(ENCODED) - 1)]
    lines = [*before, json.dumps({"custom_id": odd.order_id, **facts}).encode(), picture, after]
    hostile.collect([], b"\n".join(lines), orders)
    assert hostile.state_of(whole) == "received"
    (kept,) = [one for one in hostile.shop.ledger.candidates.of_run(RUN_ID) if one.order_id == whole.order_id]
    assert (hostile.shop.folder / kept.file).read_bytes() == PICTURE
    assert hostile.state_of(odd) in ORDER_STATES


@contextmanager
def shop_of(folder: Path, answer: bytes) -> Iterator[Shop]:
    """Open a shop whose provider sends these bytes over HTTP."""

    def send_all(send: Send) -> None:
        send(answer)

    with raw_server(send_all) as server:
        shop = Shop(server.url, folder)
        try:
            yield shop
        finally:
            shop.ledger.close()


STATUS_LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 400 No\r\n", b"HTTP/1.1 99 X\r\n", b"SSH-2.0\r\n", b""]
)
HEADER_LINES = st.sampled_from(
    [
        b"content-length: 3\r\n",
        b"content-length: -1\r\n",
        b"content-length: 99\r\n",
        b"x" * 200_000 + b": 1\r\n",
        b"content-encoding: gzip\r\n",
        b"content-encoding: br\r\n",
        b"transfer-encoding: chunked\r\n",
        b"content-type: text/event-stream\r\n",
        b"content-type: a\x00b\r\n",
        b"\xff: \xff\r\n",
        b"location: //[\r\n",
    ]
)
BODIES = st.binary(max_size=40) | st.sampled_from(
    [
        json.dumps({"data": [{"b64_json": ENCODED}]}).encode(),
        b"3\r\n{}\n\r\n0\r\n\r\n",
        b"ffffffffff\r\n",
        b"\x1f\x8b\x08\x00",
        b'data: {"type": "x.completed", "b64_json": 5}\n\n',
        b"data: " + b"[" * 5000 + b"\n\n",
        b"\x00" * 5000,
    ]
)


@fuzz(examples=5)
@given(
    status=STATUS_LINES,
    headers=st.lists(HEADER_LINES, max_size=3).map(b"".join),
    body=BODIES,
    is_stream=st.booleans(),
)
def test_no_bytes_of_a_server_break_the_buying(
    tmp_path_factory: pytest.TempPathFactory, status: bytes, headers: bytes, body: bytes, is_stream: bool
) -> None:
    """Over a real connection: broken headers, lengths, encodings and chunks."""
    answer = status + headers + b"connection: close\r\n\r\n" + body
    options = {"stream": True, "partial_images": 1} if is_stream else {}
    with shop_of(tmp_path_factory.mktemp("home"), answer) as shop:
        shop.buy(order_of(next(_numbers), **options))
        record = shop.record()
        assert record.state in set(ORDER_STATES) - {"sent"}
        assert shop.ledger.verify() == []
        is_whole = (
            status == b"HTTP/1.1 200 OK\r\n" and ENCODED.encode() in body and not headers and not is_stream
        )
        assert record.state == "received" or not is_whole
