"""Pictures as a stream, through the real client: partial ones, the whole one, and streams that break off."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tasks.emulator.app import create_app
from tasks.emulator.settings import EmulatorSettings
from tasks.images_api.streaming import PARTIALS, read_stream
from tasks.order import Order
from tests.support.batch_shop import a_picture
from tests.support.builders import an_order
from tests.support.shop import FLARE, KEY, Opener, Shop


def streamed(partial_images: int = 2, **changes: Any) -> Order:
    """Make an order that asks for a stream."""
    parameters = FLARE | {"stream": True, "partial_images": partial_images}
    return an_order(parameters=parameters, provider="shop", **changes)


def settled(shop: Shop) -> tuple[str, str | None]:
    """The only order's state and error."""
    settlement = shop.record().settlement
    assert settlement is not None
    return settlement.state, settlement.error_code


def is_right(shop: Shop) -> bool:
    """Whether the ledger agrees with itself and its disk, and charges what was billed or more."""
    billed = shop.bill()["total"]["charged_nanousd"]
    return shop.ledger.verify() == [] and int(shop.record().charged_usd * 10**9) >= billed


@pytest.mark.parametrize("partials", [0, 1, 3])
def test_the_whole_picture_is_kept_and_its_partial_ones_stay_beside_it(
    open_shop: Opener, tmp_path: Path, partials: int
) -> None:
    """One candidate; the extra tokens of partial pictures are on the bill and in the ledger."""
    shop = open_shop(fewer_partials_rate=0.0)
    shop.buy(streamed(partials))
    assert settled(shop) == ("received", None)
    assert len(list((tmp_path / "drafts").iterdir())) == 1
    assert len(list((tmp_path / PARTIALS).glob("A-000-000-*.png"))) == partials
    assert shop.purchases[0].n_pictures == 1
    assert shop.record().charged_usd * 10**9 == shop.bill()["total"]["charged_nanousd"]
    assert is_right(shop)


def test_streamed_orders_share_a_connection(open_shop: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream is read to its end, behind its last event; then the next order is sent where it came from."""
    shop = open_shop()
    alone = shop.terms.provider.model_copy(update={"concurrency": 1})
    shop.terms = replace(shop.terms, provider=alone)
    connect, opened = asyncio.BaseEventLoop.create_connection, []

    async def counted(*args: Any, **options: Any) -> Any:
        opened.append(args)
        return await connect(*args, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", counted)
    shop.buy(*[streamed(1, replicate=replicate) for replicate in range(3)])
    assert [record.state for record in shop.records()] == ["received"] * 3
    assert len(opened) == 1


def test_an_estimate_covers_all_partial_pictures_at_most(open_shop: Opener) -> None:
    """A hundred output tokens each at the high end; at the low end fewer may come."""
    model = open_shop().terms.catalogue.model("gpt-image-2.5-flare")
    plain = model.estimate_usd(FLARE, "an otter")
    three = model.estimate_usd(streamed(3).parameters, "an otter")
    assert three.low_usd == plain.low_usd
    assert (three.high_usd - plain.high_usd) * 10**9 == 3 * 100 * 30_000


def test_an_edit_streams_too(open_shop: Opener, tmp_path: Path) -> None:
    """With its reference, and its own events."""
    shop = open_shop()
    shop.buy(streamed(endpoint="edits", references=(a_picture(tmp_path / "bottle.png"),)))
    assert settled(shop) == ("received", None)
    assert is_right(shop)


@pytest.mark.parametrize("kind", ["stream_drop", "truncated_body"])
def test_a_stream_that_breaks_off_is_unknown(open_shop: Opener, kind: str) -> None:
    """The picture was made and billed; it is not asked for again."""
    shop = open_shop({"kind": kind})
    shop.buy(streamed())
    assert settled(shop)[0] == "unknown"
    assert shop.record().charged_usd == shop.record().order.estimate_usd
    assert len(shop.bill()["entries"]) == 1


def test_a_refusal_inside_a_stream_is_a_refusal(open_shop: Opener) -> None:
    """Moderation of the finished picture, after the stream began."""
    shop = open_shop({"kind": "stream_error", "code": "moderation_blocked"})
    shop.buy(streamed())
    assert settled(shop) == ("refused", "moderation_blocked")
    assert shop.record().charged_usd == 0


def test_another_error_inside_a_stream_is_unknown(open_shop: Opener) -> None:
    """The provider began, failed, and does not say whether it bills; the key is never repeated."""
    shop = open_shop({"kind": "stream_error", "code": KEY})
    shop.buy(streamed())
    assert settled(shop)[0] == "unknown"
    assert KEY not in str(shop.record())


def test_a_provider_that_answers_whole_is_read_all_the_same(open_shop: Opener) -> None:
    """A gateway that does not know streams sends JSON; a page means the same as without a stream."""
    shop = open_shop({"kind": "html_200"})
    buyer = shop.buy(streamed())
    assert shop.record().state == "planned"
    assert "Look at the address" in str(buyer.closed_by)


@pytest.mark.parametrize(
    ("kind", "state"), [("moderation", "refused"), ("bill_then_drop", "unknown"), ("quota", None)]
)
def test_what_comes_before_a_stream_means_what_it_means_without_one(
    open_shop: Opener, kind: str, state: str | None
) -> None:
    """The taxonomy is one."""
    shop = open_shop({"kind": kind})
    buyer = shop.buy(streamed())
    if state is None:
        assert shop.record().state == "planned"
        assert buyer.closed_by is not None
    else:
        assert settled(shop)[0] == state


EVENTS = {"content-type": "text/event-stream"}


async def broken_body() -> AsyncIterator[bytes]:
    """A body whose connection is lost."""
    yield b"{"
    message = "lost"
    raise httpx2.ReadError(message)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ({"json": {"data": [{"b64_json": "bm8gcGljdHVyZQ=="}], "usage": {}}}, ("received", None)),
        ({"text": "hello"}, ("unknown", "not_json")),
        ({"content": broken_body()}, ("unknown", "ReadError")),
        ({"text": "data: {\n\n", "headers": EVENTS}, ("unknown", "JSONDecodeError")),
        ({"text": "data: [1]\n\n", "headers": EVENTS}, ("unknown", "APIConnectionError")),
        ({"text": 'data: {"error": "no"}\n\n', "headers": EVENTS}, ("unknown", "http_200")),
        ({"text": "event: ping\n\ndata: [DONE]\n\n", "headers": EVENTS}, ("unknown", "APIConnectionError")),
        ({"text": "data: " + "[" * 200_000, "headers": EVENTS}, ("unknown", "RecursionError")),
        (
            {
                "text": ': ping\r\n\r\ndata: {"type": "image_generation.completed",\r\n'
                'data: "b64_json": "bm8gcGljdHVyZQ=="}',
                "headers": EVENTS,
            },
            ("received", None),
        ),
        (
            {
                "text": 'data: {"type": "image_generation.partial_image", "b64_json": "?"}\n\n'
                'data: {"type": "image_generation.completed", "b64_json": "bm8gcGljdHVyZQ=="}\n\n',
                "headers": EVENTS,
            },
            ("received", None),
        ),
    ],
)
def test_no_shape_of_a_stream_breaks_the_run(
    open_shop: Opener, tmp_path: Path, answer: dict[str, Any], end: tuple[str, str | None]
) -> None:
    """Whole answers, pages, broken data: what holds a picture is kept, the rest is unknown."""
    shop = open_shop()
    shop.transport = httpx2.MockTransport(lambda _: httpx2.Response(200, **answer))
    shop.buy(streamed())
    assert settled(shop) == end
    assert not (tmp_path / PARTIALS).exists()
    assert shop.ledger.verify() == []


async def test_a_stream_whose_sketches_nobody_wants_is_read_to_its_end() -> None:
    """Without a place for them partial pictures are dropped."""
    app = create_app(EmulatorSettings(paint="plain", fewer_partials_rate=0.0))
    async with openai.AsyncOpenAI(
        api_key="k",
        base_url="http://emulator.invalid/v1",
        http_client=openai.DefaultAsyncHttpxClient(transport=httpx2.ASGITransport(app=app)),
    ) as client:
        fields = {"prompt": "an otter", **streamed().parameters}
        raw = await client.images.with_raw_response.generate(**fields)
        answer = await read_stream(raw.http_response, None)
    assert isinstance(answer, dict)
    assert len(answer["data"]) == 1
