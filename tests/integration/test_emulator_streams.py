"""Streams of the emulator, by the official client: events, partial pictures, their price, their faults."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types import (
    ImageEditCompletedEvent,
    ImageEditPartialImageEvent,
    ImageGenCompletedEvent,
    ImageGenPartialImageEvent,
)
from PIL import Image

from tasks.emulator.app import create_app
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.child_process import wait_until
from tests.support.emulator_client import PATIENT_S

REQUEST: dict[str, Any] = {
    "model": "gpt-image-2", "prompt": "a fox", "quality": "low", "size": "1024x640", "stream": True,
}  # fmt: skip
WHOLE_TOKENS = 107


class Bench:
    """An emulator, a client, and the last entry of the bill."""

    def __init__(self, root: str, client: openai.OpenAI) -> None:
        self.root = root
        self.client = client

    def set(self, *rules: dict[str, Any]) -> None:
        """Put rules in force."""
        httpx2.post(f"{self.root}/_faults", json={"faults": list(rules)}).raise_for_status()

    def last(self) -> dict[str, Any]:
        """The bill's last entry."""
        entry: dict[str, Any] = httpx2.get(f"{self.root}/_bill").json()["entries"][-1]
        return entry

    def broken(self, error: type[Exception], **fields: Any) -> tuple[list[str], Any]:
        """The types of the events that came before a stream broke, and what broke it."""
        seen: list[str] = []
        with (
            self.client.images.generate(**(REQUEST | fields)) as stream,
            pytest.raises(error) as caught,
        ):
            seen.extend(event.type for event in stream)
        return seen, caught.value


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    """One emulator for the whole file; every stream gets all the partial pictures that it asked for."""
    with (
        emulator_server(EmulatorSettings(paint="plain", fewer_partials_rate=0)) as url,
        openai.OpenAI(api_key="k", base_url=url, max_retries=0, timeout=PATIENT_S) as client,
    ):
        yield Bench(url.removesuffix("/v1"), client)


@pytest.fixture
def bench(shared: Bench) -> Bench:
    """The emulator without faults."""
    shared.set()
    return shared


def picture(event: Any) -> Image.Image:
    """An event's picture."""
    return Image.open(io.BytesIO(base64.b64decode(event.b64_json)))


def png(mode: str = "RGB") -> tuple[str, bytes, str]:
    """A blank upload."""
    stream = io.BytesIO()
    Image.new(mode, (1024, 640)).save(stream, "PNG")
    return ("a.png", stream.getvalue(), "image/png")


@pytest.mark.parametrize("partials", [0, 1, 3])
def test_a_generation_streams_partial_pictures_and_the_whole_one(bench: Bench, partials: int) -> None:
    """The client's own event types, numbered partials of the final size, 100 tokens for each of them."""
    events = list(bench.client.images.generate(**REQUEST, partial_images=partials))
    *early, last = events
    assert isinstance(last, ImageGenCompletedEvent)
    for index, event in enumerate(early):
        assert isinstance(event, ImageGenPartialImageEvent)
        assert (event.partial_image_index, event.size, event.quality) == (index, "1024x640", "low")
        assert picture(event).size == (1024, 640)
    assert len({event.b64_json for event in events}) == len(events) == partials + 1
    assert (last.background, last.output_format, last.size) == ("opaque", "png", "1024x640")
    assert last.usage.output_tokens == WHOLE_TOKENS + 100 * partials
    assert last.usage.total_tokens == last.usage.input_tokens + last.usage.output_tokens
    wait_until(lambda: bool(bench.last()["is_answered"]))  # noted once the last byte is out
    entry = bench.last()
    assert entry["charged_nanousd"] == 8 * 5_000 + last.usage.output_tokens * 30_000
    assert (entry["is_answered"], entry["lane"], entry["status"]) == (True, "interactive", 200)


def test_the_wire_is_what_the_vendor_sends(bench: Bench) -> None:
    """Server-sent events whose name stands in the data too."""
    url, key = f"{bench.root}/v1/images/generations", {"Authorization": "Bearer k"}
    answer = httpx2.post(url, json=REQUEST | {"partial_images": 1}, headers=key)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-request-id"] == bench.last()["request_id"]
    heads = [block.split("\n")[0] for block in answer.text.strip().split("\n\n")]
    assert heads == ["event: image_generation.partial_image", "event: image_generation.completed"]


def test_an_edit_streams_with_its_own_events(bench: Bench) -> None:
    """A form says ``stream`` as text; the events are those of edits."""
    request = REQUEST | {"image": png(), "mask": png("RGBA"), "partial_images": 2, "output_format": "webp"}
    *early, last = list(bench.client.images.edit(**request))
    assert isinstance(last, ImageEditCompletedEvent)
    assert all(isinstance(event, ImageEditPartialImageEvent) for event in early)
    assert len(early) == 2
    assert {picture(event).format for event in (*early, last)} == {"WEBP"}
    assert last.usage.input_tokens_details.image_tokens > 0


async def test_the_async_client_streams_without_a_port() -> None:
    """Both endpoints; sometimes fewer partial pictures come, and only those are charged."""
    app = create_app(EmulatorSettings(paint="plain", fewer_partials_rate=0.5))
    counts = set()
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http,
        openai.AsyncOpenAI(api_key="k", base_url="http://e/v1", max_retries=0, http_client=http) as client,
    ):
        for number in range(8):
            request = REQUEST | {"prompt": f"fox {number}", "partial_images": 3}
            stream = await client.images.generate(**request)
            *early, last = [event async for event in stream]
            assert last.usage.output_tokens == WHOLE_TOKENS + 100 * len(early)
            counts.add(len(early))
        edit = await client.images.edit(**REQUEST, image=png())
        assert [event.type async for event in edit] == ["image_edit.completed"]
    assert 3 in counts
    assert min(counts) < 3


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"n": 2}, "n"), ({"partial_images": 4}, "partial_images"), ({"partial_images": -1}, "partial_images")],
)
def test_what_no_stream_can_do_is_refused(bench: Bench, fields: dict[str, Any], param: str) -> None:
    """More than one picture, more than three partial ones."""
    with pytest.raises(openai.BadRequestError) as caught:
        bench.client.images.generate(**(REQUEST | fields))
    assert caught.value.param == param
    with pytest.raises(openai.BadRequestError):
        bench.client.images.generate(**(REQUEST | {"stream": False, "partial_images": 1}))


@pytest.mark.parametrize(
    ("code", "type"), [(None, "server_error"), ("moderation_blocked", "image_generation_user_error")]
)
@pytest.mark.parametrize("billed", [None, True])
def test_a_stream_can_end_with_an_error(
    bench: Bench, code: str | None, type: str, billed: bool | None
) -> None:
    """After a partial picture; no status tells it, and it is free unless the rule says otherwise."""
    bench.set({"kind": "stream_error", "code": code, "billed": billed})
    seen, error = bench.broken(openai.APIError, partial_images=2)
    assert seen == ["image_generation.partial_image"]
    assert not isinstance(error, openai.APIStatusError)
    assert (error.code, error.type) == (code, type)
    assert (bench.last()["charged_nanousd"] > 0) is bool(billed)


@pytest.mark.parametrize(("kind", "partials", "count"), [
    ("stream_drop", 2, 1), ("stream_drop", 0, 0), ("truncated_body", 2, 2), ("truncated_body", 0, 0),
])  # fmt: skip
def test_a_stream_that_breaks_is_billed(bench: Bench, kind: str, partials: int, count: int) -> None:
    """After the first partial picture, or in the middle of the whole one."""
    bench.set({"kind": kind})
    seen, _ = bench.broken(openai.APIConnectionError, partial_images=partials)
    assert seen == ["image_generation.partial_image"] * count
    entry = bench.last()
    assert entry["usage"]["output_tokens"] == WHOLE_TOKENS + 100 * partials
    assert (entry["charged_nanousd"] > 0, entry["is_answered"], entry["fault"]) == (True, False, kind)


def test_fewer_partial_pictures_on_demand(bench: Bench) -> None:
    """One less than asked for, and one less charged."""
    bench.set({"kind": "fewer_partials"})
    *early, last = list(bench.client.images.generate(**REQUEST, partial_images=3))
    assert len(early) == 2
    assert last.usage.output_tokens == WHOLE_TOKENS + 200


def test_faults_before_a_stream_are_plain_errors(bench: Bench) -> None:
    """A refusal, a hang and a spoiled picture are the same as without a stream."""
    bench.set({"kind": "moderation"})
    with pytest.raises(openai.BadRequestError):
        bench.client.images.generate(**REQUEST)
    bench.set({"kind": "bill_then_drop"})
    with pytest.raises(openai.APIConnectionError):
        bench.client.images.generate(**REQUEST)
    assert bench.last()["charged_nanousd"] > 0
    bench.set({"kind": "wrong_size"})
    (event,) = list(bench.client.images.generate(**REQUEST))
    assert picture(event).size == (768, 480)
    bench.set({"kind": "stream_drop"})
    assert bench.client.images.generate(**(REQUEST | {"stream": False})).data
