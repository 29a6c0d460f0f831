"""However an answer ends, all that reads it ends with it: nothing is left to the garbage collector.

A collector comes from any thread, and may find a reader of a connection at work in the loop's own.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import InterruptError
from tasks.images_api.buyer import Buyer
from tests.support.async_generators import Begun, hold_generators, left_open
from tests.support.batch_shop import CREATE, Open, orders
from tests.support.emulator_client import png
from tests.support.raw_server import Answer, Send, raw_server
from tests.support.shop import Shop, order_of

WHOLE = {"type": "image_generation.completed", "b64_json": base64.b64encode(png((1024, 640))).decode()}
REFUSED = {"type": "error", "error": {"code": "moderation_blocked", "message": "No."}}
STREAM, JSON = b"text/event-stream", b"application/json"


def event(facts: Any) -> bytes:
    """An event of a stream."""
    return b"data: " + json.dumps(facts).encode() + b"\n\n"


def chunks(kind: bytes, *pieces: bytes, status: int = 200, is_endless: bool = False) -> Answer:
    """Answer piece by piece; one without an end goes on until the client closes the connection."""

    def answer(send: Send) -> None:
        send(b"HTTP/1.1 %d X\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % (status, kind))
        for piece in pieces:
            send(b"%x\r\n%s\r\n" % (len(piece), piece))
        while is_endless:
            send(b"10000\r\n%s\r\n" % (b" " * 65536))
        send(b"0\r\n\r\n")

    return answer


STREAMED = {"stream": True, "partial_images": 1}


@pytest.mark.parametrize(
    ("asks", "answer", "state"),
    [
        (STREAMED, chunks(STREAM, event(WHOLE)), "received"),
        (STREAMED, chunks(STREAM, event(WHOLE), event({"type": "more"}), b": more\n" * 9), "received"),
        (STREAMED, chunks(STREAM, event(WHOLE), is_endless=True), "received"),
        (STREAMED, chunks(STREAM, event(REFUSED), is_endless=True), "refused"),
        (STREAMED, chunks(STREAM, b"data: {\n\n", is_endless=True), "unknown"),
        (STREAMED, chunks(STREAM, is_endless=True), "unknown"),
        (STREAMED, chunks(JSON, json.dumps({"data": [WHOLE]}).encode()), "received"),
        ({}, chunks(JSON, json.dumps({"data": [WHOLE]}).encode()), "received"),
        ({}, chunks(JSON, is_endless=True), "unknown"),
        ({}, chunks(b"text/html", status=400, is_endless=True), "failed"),
    ],
    ids=[
        "a stream", "more after its last event", "a picture, and no end", "a refusal, and no end",
        "no JSON, and no end", "no event, and no end", "no stream", "none asked for", "without end",
        "a failure without end",
    ],
)  # fmt: skip
def test_no_reader_of_an_answer_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asks: dict[str, Any], answer: Answer, state: str
) -> None:
    """Whole or broken, refused or without end, and whether a stream was asked for or not."""
    monkeypatch.setattr("tasks.images_api.streaming._END_S", 0.05)
    monkeypatch.setattr("tasks.images_api.answer_bounds.most_bytes", lambda _: 1_000_000)
    begun: Begun = []

    async def hold(_: Buyer) -> None:
        hold_generators(begun)

    with raw_server(answer) as server:
        shop = Shop(server.url, tmp_path)
        shop.buy(order_of(**asks), meanwhile=hold)
        assert shop.record().state == state
        assert shop.ledger.verify() == []
        shop.ledger.close()
    assert begun
    assert left_open(begun) == []


def test_no_reader_of_a_batch_is_left(open_bench: Open) -> None:
    """Neither of the list in which it is found, nor of results of which only the first are read."""
    bench = open_bench()
    begun: Begun = []
    bench.set_faults(CREATE | {"kind": "bill_then_drop"})
    bench.sit(*orders(3))
    bench.later()
    bench.when_bought = lambda: bench.close(InterruptError(where="run", what="was interrupted"))
    bench.sit(before=lambda _: hold_generators(begun))
    assert sorted(bench.states()) == ["received", "sent", "sent"]
    assert begun
    assert left_open(begun) == []
