"""The shapes in which sellers answer: none that holds a picture loses it, any other has one clear state."""

import base64
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tasks.candidate import Candidate
from tests.support.builders import RUN_ID
from tests.support.emulator_client import png
from tests.support.relay import Relay, relay
from tests.support.shop import Shop, order_of

PICTURE = png((1024, 640))
SECOND = png((1024, 640), "L")
SKETCH = png((64, 40))
ENCODED, SECOND_ENCODED = base64.b64encode(PICTURE).decode(), base64.b64encode(SECOND).decode()
DATA_URL = f"data:image/png;base64,{ENCODED}"
USAGE = {"input_tokens": 10, "input_tokens_details": {"text_tokens": 10}, "output_tokens": 196}
THERE = "<address>"
"""Stands for the address of the picture at the relay."""


class Shape(NamedTuple):
    """One shape, and what is right for it.

    Args:
        body: The answer.
        status: Its HTTP status.
        state: How its order ends.
        code: The order's error code; ``None`` where it is received.
        cost: Whether its cost is known; else the estimate is charged.
    """

    body: Any
    status: int = 200
    state: str = "received"
    code: str | None = None
    cost: bool = False


def chat(**message: Any) -> dict[str, Any]:
    """Write a chat's answer."""
    return {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": "stop"}]}


def gemini(*parts: dict[str, Any]) -> dict[str, Any]:
    """Write an answer of Gemini's own API."""
    return {"candidates": [{"content": {"parts": list(parts)}, "finishReason": "STOP"}]}


def inline(data: bytes) -> dict[str, Any]:
    """Write a picture as Gemini does."""
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(data).decode()}}


HOLDING = {
    "the vendor's": Shape({"created": 1, "data": [{"b64_json": ENCODED}], "usage": USAGE}, cost=True),
    "OpenRouter's": Shape(
        {"data": [{"b64_json": ENCODED, "media_type": "image/png"}], "usage": {"cost": 0.04}}
    ),
    "new-api's": Shape({"data": [{"url": "", "b64_json": ENCODED, "revised_prompt": ""}], "created": 1}),
    "an address": Shape({"data": [{"url": THERE, "size": "1024x640"}], "usage": {"generated_images": 1}}),
    "an address and an empty Base64": Shape({"data": [{"b64_json": "", "url": THERE}]}),
    "a data URL as the address": Shape({"data": [{"url": DATA_URL}]}),
    "a data URL with capital letters": Shape({"data": [{"url": "DATA:image/png;BASE64," + ENCODED}]}),
    "bare strings": Shape({"data": [DATA_URL]}),
    "bare addresses": Shape({"data": [THERE]}),
    "a flat body": Shape({"id": "x", "b64_json": ENCODED}),
    "a bare list": Shape([{"b64_json": ENCODED}]),
    "SiliconFlow's and fal's images": Shape({"images": [{"url": THERE}], "timings": {"inference": 1}}),
    "images as data URLs": Shape({"images": [DATA_URL]}),
    "Replicate's output": Shape(
        {"status": "succeeded", "output": [THERE], "input": {"image": SECOND_ENCODED}, "urls": {"get": "x"}}
    ),
    "an output that is one string": Shape({"status": "succeeded", "output": THERE}),
    "Wavespeed's envelope": Shape({"code": 200, "data": {"outputs": [THERE], "status": "completed"}}),
    "MiniMax's lists": Shape({"data": {"image_base64": [ENCODED]}, "base_resp": {"status_code": 0}}),
    "OpenRouter's chat": Shape(
        chat(content="Here.", images=[{"type": "image_url", "image_url": {"url": DATA_URL}}])
    ),
    "a chat's parts": Shape(chat(content=[{"type": "image_url", "image_url": {"url": DATA_URL}}])),
    "a chat's Markdown": Shape(chat(content=f"Here it is:\n\n![otter]({DATA_URL})\n")),
    "a chat's Markdown with an address": Shape(chat(content=f"See [help](https://x.test/a).\n![o]({THERE})")),
    "Gemini's last picture": Shape(
        gemini({"text": "I draw."}, {"thought": True, **inline(SKETCH)}, inline(SKETCH), inline(PICTURE))
    ),
    "Imagen's predictions": Shape(
        {"predictions": [{"bytesBase64Encoded": ENCODED, "mimeType": "image/png"}]}
    ),
    "a picture with a status that says that it failed": Shape(
        {"error": {"message": "upstream closed"}, "data": [{"b64_json": ENCODED}]}, status=500
    ),
    "an address with a status that says that it failed": Shape({"data": [{"url": THERE}]}, status=503),
    "negative usage": Shape(
        {"data": [{"b64_json": ENCODED}], "usage": {"input_tokens": -5, "output_tokens": -9}}
    ),
    "a usage that is no number": Shape(
        {"data": [{"b64_json": ENCODED}], "usage": {"input_tokens": 5, "output_tokens": float("nan")}}
    ),
    "a usage of zeros": Shape(
        {"data": [{"b64_json": ENCODED}], "usage": {"input_tokens": 0, "output_tokens": 196}}
    ),
    "a usage with other names": Shape(
        {"data": [{"b64_json": ENCODED}], "usage": {"prompt_tokens": 9, "completion_tokens": 196}}
    ),
}

WITHOUT = {
    "xAI's moderation": Shape(
        {"data": [{"url": "", "respect_moderation": False}]}, state="refused", code="respect_moderation"
    ),
    "Ark's moderation": Shape(
        {"data": [{"error": {"code": "OutputImageSensitiveContentDetected", "message": "No."}}]},
        state="refused",
        code="OutputImageSensitiveContentDetected",
    ),
    "Gemini's moderation": Shape(
        {"candidates": [{"finishReason": "IMAGE_SAFETY"}]}, state="refused", code="IMAGE_SAFETY"
    ),
    "Gemini's moderation of the prompt": Shape(
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, state="refused", code="PROHIBITED_CONTENT"
    ),
    "Azure's moderation": Shape(
        {"created": 1, "error": {"code": "contentFilter", "message": "No."}},
        state="refused",
        code="contentFilter",
    ),
    "nothing": Shape({"data": []}, state="unknown", code="empty_data"),
    "a shape that nobody has seen": Shape({"art": {"piece": "x"}}, state="unknown", code="unreadable"),
    "a task to ask for": Shape({"task_id": "t-1", "status": "queued"}, state="unknown", code="unreadable"),
    "a part of a picture with a status that says that it failed": Shape(
        json.dumps({"data": [{"b64_json": ENCODED + "A" * 2000}]}).encode()[:-20],
        status=500,
        state="unknown",
        code="http_500",
    ),
}


class Seller:
    """A relay with one picture, and a buyer that buys one order after the other from it."""

    def __init__(self, served: Relay, folder: Path) -> None:
        self.relay, self.folder = served, folder
        self.there = served.file("/files/1", PICTURE, content_type="application/octet-stream")
        self.shop = Shop(served.url, folder)
        self._numbers = count(step=2)

    def sells(self, shape: Shape, **changes: Any) -> Any:
        """Buy one order, once, from a relay that answers in a shape; returns its record."""
        body = shape.body
        if not isinstance(body, bytes):
            body = json.loads(json.dumps(body).replace(THERE, self.there))
        self.relay.answer = (shape.status, body)
        order, n_before = order_of(next(self._numbers), **changes), self.relay.bought
        self.shop.buy(order)
        assert self.relay.bought == n_before + 1
        (record,) = [one for one in self.shop.records() if one.order.order_id == order.order_id]
        return record

    def candidate(self, record: Any) -> Candidate:
        """Return the only picture of an order."""
        found = self.shop.ledger.candidates.of_run(RUN_ID)
        (candidate,) = [one for one in found if one.order_id == record.order.order_id]
        return candidate

    def answer_file(self, record: Any, ending: str) -> Path:
        """Return a file beside the answer of an order."""
        return self.folder / "answers" / f"{record.order.order_id}{ending}"


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seller]:
    """A relay on this machine; at the end its ledger is consistent."""
    with relay() as served:
        opened = Seller(served, tmp_path_factory.mktemp("seller"))
        yield opened
        assert opened.shop.ledger.verify() == []
        opened.shop.ledger.close()


@pytest.mark.parametrize("name", HOLDING)
def test_a_picture_is_kept_whatever_shape_it_comes_in(seller: Seller, name: str) -> None:
    """Byte for byte, bought once; without a usage that can be believed the estimate is charged."""
    shape = HOLDING[name]
    record = seller.sells(shape)
    assert (record.state, record.settlement.error_code) == ("received", None)
    candidate = seller.candidate(record)
    assert (seller.folder / candidate.file).read_bytes() == PICTURE
    assert candidate.downgraded is None
    assert (record.cost_usd is not None) is shape.cost
    assert shape.cost or record.charged_usd == record.order.estimate_usd


@pytest.mark.parametrize("name", WITHOUT)
def test_an_answer_without_a_picture_has_one_clear_state(seller: Seller, name: str) -> None:
    """What may have been billed stays charged and is kept; a refusal is free."""
    shape = WITHOUT[name]
    record = seller.sells(shape)
    assert (record.state, record.settlement.error_code) == (shape.state, shape.code)
    is_unknown = shape.state == "unknown"
    assert seller.answer_file(record, ".body").is_file() is is_unknown
    assert record.charged_usd == (record.order.estimate_usd if is_unknown else 0)


def test_more_pictures_than_asked_for_are_kept(seller: Seller) -> None:
    """The first is the order's; the other lies beside its answer, and is named there."""
    record = seller.sells(Shape({"data": [{"b64_json": ENCODED}, {"b64_json": SECOND_ENCODED}]}))
    candidate = seller.candidate(record)
    assert (candidate.downgraded, (seller.folder / candidate.file).read_bytes()) == (None, PICTURE)
    extra = seller.answer_file(record, "-extra1.png")
    assert extra.read_bytes() == SECOND
    assert json.loads(seller.answer_file(record, ".json").read_text())["extras"] == [extra.name]


def test_fewer_pictures_than_asked_for_are_told(seller: Seller) -> None:
    """The one that came is kept."""
    record = seller.sells(Shape({"images": [THERE]}), n=2)
    assert seller.candidate(record).downgraded == "1 of 2 pictures"


def test_another_format_than_asked_for_is_told(seller: Seller) -> None:
    """By the bytes, whatever the answer's type says."""
    candidate = seller.candidate(seller.sells(Shape({"data": [{"url": THERE}]}), output_format="webp"))
    assert candidate.downgraded == "png instead of webp"
    assert candidate.file.endswith(".png")
