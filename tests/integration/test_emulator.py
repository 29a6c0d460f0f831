"""The emulator over HTTP: the official client understands it, its rules and its bill are the vendor's."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx2
import openai
import pytest
from openai.types import ImagesResponse
from openai.types import Model as OpenAIModel

from tasks.emulator.app import create_app
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.child_process import wait_until
from tests.support.emulator_client import NOVEMBER, PLAIN, bill_of, client_of, pictures, png, root


@pytest.fixture
def url() -> Iterator[str]:
    """A fresh emulator on a port, with cheap pictures, in November 2026."""
    with emulator_server(PLAIN) as url:
        yield url


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    """The same for tests that look at their own last request only."""
    with emulator_server(PLAIN) as url:
        yield url


def test_the_official_client_parses_a_generation(url: str) -> None:
    """Every field the vendor sends is there and has the client's own types."""
    with client_of(url) as client:
        answer = client.images.generate(
            model="gpt-image-1-mini", prompt="an otter", quality="low", size="1024x1024", n=2
        )
    assert isinstance(answer, ImagesResponse)
    assert (answer.quality, answer.size, answer.output_format, answer.background) == (
        "low", "1024x1024", "png", "opaque",
    )  # fmt: skip
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2 * 272
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.usage.output_tokens_details is not None
    assert answer.usage.output_tokens_details.image_tokens == 2 * 272
    assert [picture.size for picture in pictures(answer)] == [(1024, 1024)] * 2


async def test_the_official_async_client_works_without_a_port() -> None:
    """In process, over the client's own ASGI transport, many requests at once."""
    app = create_app(PLAIN)
    transport = httpx2.ASGITransport(app=app)
    async with (
        httpx2.AsyncClient(transport=transport) as http,
        openai.AsyncOpenAI(
            api_key="k", base_url="http://emulator/v1", max_retries=0, http_client=http
        ) as client,
    ):
        answers = await asyncio.gather(
            *(client.images.generate(model="gpt-image-2", prompt="a fox", size="1024x640") for _ in range(8))
        )
    assert len({answer.data[0].b64_json for answer in answers if answer.data}) > 1
    assert app.state.emulator.bill.as_wire()["total"]["charged_requests"] == 8


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("paint", ["plain", "scene"])
def test_pictures_have_the_format_and_size_asked_for(format: Any, paint: Any) -> None:
    """Both profile of painting honour format and size."""
    with (
        emulator_server(EmulatorSettings(paint=paint, today=lambda: NOVEMBER)) as url,
        client_of(url) as client,
    ):
        answer = client.images.generate(
            model="gpt-image-2.6-flare", prompt="a mug", quality="low", size="1024x640", output_format=format
        )
    (picture,) = pictures(answer)
    picture.load()
    assert (picture.format, picture.size) == (format.upper(), (1024, 640))


@pytest.mark.parametrize("paint", ["plain", "scene"])
def test_a_transparent_background_arrives(paint: Any) -> None:
    """The PNG has alpha that is really 0 somewhere and 255 elsewhere."""
    with (
        emulator_server(EmulatorSettings(paint=paint, today=lambda: NOVEMBER)) as url,
        client_of(url) as client,
    ):
        answer = client.images.generate(
            model="gpt-image-2.6-flare",
            prompt="a mug",
            quality="low",
            size="1024x640",
            background="transparent",
        )
    (picture,) = pictures(answer)
    assert picture.convert("RGBA").getchannel("A").getextrema() == (0, 255)
    assert answer.background == "transparent"


# (model, tier, size, output tokens, dollars per million of them), as published: the official tables of the
# image generation guide and, for gpt-image-2 and 2.5, usage that callers measured.
PUBLISHED = [
    ("gpt-image-1-mini", "low", "1024x1024", 272, "0.002176"),
    ("gpt-image-1-mini", "high", "1536x1024", 6208, "0.049664"),
    ("gpt-image-1.5", "medium", "1024x1536", 1584, "0.050688"),
    ("gpt-image-1.5", "high", "1024x1024", 4160, "0.13312"),
    ("gpt-image-2", "low", "1024x1024", 196, "0.00588"),
    ("gpt-image-2", "high", "1536x1024", 5488, "0.16464"),
    ("gpt-image-2", "medium", "3840x2160", 3336, "0.10008"),
    ("gpt-image-2.5-flare", "xhigh", "2560x1440", 3276, "0.09828"),
    ("gpt-image-2.5-sunburst", "max", "1024x1024", 7024, "0.21072"),
    ("gpt-image-2.6-flare", "low", "1024x1024", 784, "0.02352"),
    ("gpt-image-2.6-sunburst", "high", "3840x2160", 3336, "0.10008"),
]


@pytest.mark.parametrize(("model", "tier", "size", "tokens", "output_usd"), PUBLISHED)
def test_the_bill_charges_the_published_tokens(
    shared_url: str, model: str, tier: Any, size: str, tokens: int, output_usd: str
) -> None:
    """Output tokens are the published ones, and the charge is exact to the nano-dollar."""
    with client_of(shared_url) as client:
        answer = client.images.generate(model=model, prompt="x" * 40, quality=tier, size=size)
    assert answer.usage is not None
    assert (answer.usage.output_tokens, answer.usage.input_tokens) == (tokens, 16)
    text_nanousd = 16 * (2_000 if model == "gpt-image-1-mini" else 5_000)
    expected = round(float(output_usd) * 1e9) + text_nanousd
    wait_until(lambda: bill_of(shared_url)["entries"][-1]["is_answered"])  # noted once the last byte is out
    entry = bill_of(shared_url)["entries"][-1]
    assert entry["charged_nanousd"] == expected
    assert entry["charged_usd"] == f"{expected / 1e9:.9f}".rstrip("0")
    assert (entry["status"], entry["is_answered"], entry["n"]) == (200, True, 1)
    assert entry["usage"]["output_tokens"] == tokens


def test_the_bill_lists_every_request_and_adds_up(url: str) -> None:
    """Refused and free requests stand on it too, in order, with the request's id from the header."""
    with client_of(url) as client:
        raw = client.images.with_raw_response.generate(
            model="gpt-image-2", prompt="a", size="1024x640", quality="low"
        )
        with pytest.raises(openai.BadRequestError):
            client.images.generate(model="gpt-image-2", prompt="a", size="512x512")
        client.models.list()
    bill = bill_of(url)
    assert [entry["status"] for entry in bill["entries"]] == [200, 400, 200]
    assert bill["entries"][0]["request_id"] == raw.headers["x-request-id"]
    assert raw.headers["openai-version"]
    assert int(raw.headers["openai-processing-ms"]) >= 0
    assert bill["entries"][1]["charged_usd"] == "0"
    assert bill["total"]["charged_nanousd"] == bill["entries"][0]["charged_nanousd"] > 0
    assert bill["total"]["charged_unanswered_nanousd"] == 0
    assert len(httpx2.get(f"{root(url)}/_bill?after=2").json()["entries"]) == 1


# Input tokens of one reference picture, as measured and documented.
@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("gpt-image-2", (512, 512), 1024),
        ("gpt-image-2", (1024, 768), 768),
        ("gpt-image-2.5-flare", (2048, 2048), 1521),
        ("gpt-image-2.6-flare", (3840, 2160), 1508),
        ("gpt-image-1.5", (1024, 1024), 194),
        ("gpt-image-1.5", (1536, 1024), 323),
    ],
)
def test_reference_pictures_cost_the_published_tokens(
    shared_url: str, model: str, size: tuple[int, int], tokens: int
) -> None:
    """One picture by its tokens, two by twice as many."""
    upload = ("a.png", png(size), "image/png")
    with client_of(shared_url) as client:
        one = client.images.edit(model=model, prompt="finer", image=upload, size="1024x1024")
        two = client.images.edit(model=model, prompt="finer", image=[upload, upload], size="1024x1024")
    assert one.usage is not None
    assert two.usage is not None
    assert one.usage.input_tokens_details.image_tokens == tokens
    assert two.usage.input_tokens_details.image_tokens == 2 * tokens


def test_edits_take_json_with_data_urls_and_uploaded_files(url: str) -> None:
    """The JSON shape works, and costs what the form costs."""
    data = png((1024, 1024))
    link = "data:image/png;base64," + base64.b64encode(data).decode()
    with client_of(url) as client:
        file = client.files.create(file=("a.png", data, "image/png"), purpose="vision")
        body = {"model": "gpt-image-2", "prompt": "finer", "size": "1024x640", "quality": "low"}
        for images in ([{"image_url": link}], [{"file_id": file.id}]):
            answer = client.post("/images/edits", body=body | {"images": images}, cast_to=ImagesResponse)
            assert answer.usage is not None
            assert answer.usage.input_tokens_details.image_tokens == 1024
        both = {"image_url": link, "file_id": file.id}
        for wrong in (both, {"image": link}, {"image_url": "data:image/png;base64,%%"}):
            with pytest.raises(openai.BadRequestError):
                client.post("/images/edits", body=body | {"images": [wrong]}, cast_to=ImagesResponse)


REFUSED = [
    ({"model": "gpt-image-1-mini", "size": "1024x640"}, "size", "invalid_value"),
    ({"size": "1920x1080"}, "size", "invalid_value"),
    ({"size": "512x512"}, "size", "invalid_value"),
    ({"size": "3840x2400"}, "size", "invalid_value"),
    ({"size": "3072x992"}, "size", "invalid_value"),
    ({"size": "big"}, "size", "invalid_value"),
    ({"model": "gpt-image-2", "quality": "max"}, "quality", "invalid_value"),
    ({"quality": "standard"}, "quality", "invalid_value"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 11}, "n", "integer_above_max_value"),
    ({"output_format": "tiff"}, "output_format", "invalid_value"),
    ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value"),
    ({"model": "gpt-image-2", "background": "transparent"}, "background", "invalid_value"),
    ({"output_compression": 50}, "output_compression", "invalid_png_output_compression"),
    (
        {"output_compression": 101, "output_format": "webp"},
        "output_compression",
        "integer_above_max_value",
    ),
    ({"prompt": ""}, "prompt", "missing_required_parameter"),
    ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
    ({"extra_body": {"seed": 4}}, "seed", "unknown_parameter"),
    ({"response_format": "b64_json"}, "response_format", "unknown_parameter"),
    ({"style": "vivid"}, "style", "unknown_parameter"),
    ({"model": "gpt-image-2", "extra_body": {"complexity": "low"}}, "complexity", "unknown_parameter"),
    ({"extra_body": {"model": ""}}, "model", "missing_required_parameter"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED)
def test_what_the_vendor_refuses_is_refused_free_of_charge(
    shared_url: str, fields: dict[str, Any], param: str, code: str
) -> None:
    """Status 400, the parameter's name, the vendor's code, and no charge."""
    request = {"model": "gpt-image-2.6-flare", "prompt": "a fox", "size": "1024x640"} | fields
    with client_of(shared_url) as client, pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**request)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.type == "invalid_request_error"
    assert bill_of(shared_url)["entries"][-1]["charged_nanousd"] == 0


def test_masks_and_references_are_checked(url: str) -> None:
    """No reference, 17 references, a mask of other size or without alpha, a file that is no picture."""
    good = ("a.png", png((1024, 640)), "image/png")
    faults: list[dict[str, Any]] = [
        {"image": []},
        {"image": [good] * 17},
        {"image": good, "mask": ("m.png", png((640, 1024), "RGBA"), "image/png")},
        {"image": good, "mask": ("m.png", png((1024, 640)), "image/png")},
        {"image": ("a.png", b"no picture", "image/png")},
    ]
    with client_of(url) as client:
        for fault in faults:
            with pytest.raises(openai.BadRequestError):
                client.images.edit(model="gpt-image-2", prompt="finer", **fault)
        mask = ("m.png", png((1024, 640), "RGBA"), "image/png")
        client.images.edit(model="gpt-image-2", prompt="finer", image=good, mask=mask, size="1024x640")


def test_retired_models_answer_404_from_their_day_on() -> None:
    """On 30 November the mini still paints; on 1 December it is gone, from the list too."""
    for today, is_alive in ((date(2026, 11, 30), True), (date(2026, 12, 1), False)):
        settings = EmulatorSettings(paint="plain", today=lambda today=today: today)  # type: ignore[misc]
        with emulator_server(settings) as url, client_of(url) as client:
            listed = {model.id for model in client.models.list()}
            assert ("gpt-image-1-mini" in listed) is is_alive
            assert "gpt-image-1" not in listed
            if is_alive:
                client.images.generate(model="gpt-image-1-mini", prompt="a fox", size="1024x1024")
                continue
            with pytest.raises(openai.NotFoundError) as caught:
                client.images.generate(model="gpt-image-1-mini", prompt="a fox", size="1024x1024")
            assert caught.value.code == "model_not_found"


def test_the_models_endpoint_tells_the_shutdown_date(url: str) -> None:
    """A date for a retiring model, null for one that stays."""
    with client_of(url) as client:
        mini = client.models.retrieve("gpt-image-1-mini")
        flare = client.models.retrieve("gpt-image-2.6-flare")
    assert isinstance(mini, OpenAIModel)
    assert (mini.to_dict()["shutdown_date"], flare.to_dict()["shutdown_date"]) == ("2026-12-01", None)


def test_a_key_must_be_sent_and_may_be_checked() -> None:
    """No key and a wrong key are 401 with the vendor's code; the wrong key is not repeated in the answer."""
    with emulator_server(EmulatorSettings(paint="plain", api_key="right-key")) as url:
        bare = httpx2.post(f"{url}/images/generations", json={"model": "gpt-image-2", "prompt": "a"})
        assert (bare.status_code, bare.json()["error"]["code"]) == (401, "invalid_api_key")
        with client_of(url) as client, pytest.raises(openai.AuthenticationError) as caught:
            client.images.generate(model="gpt-image-2", prompt="a")
        assert "test-key" not in str(caught.value)


def test_a_wrong_path_is_refused_in_json(url: str) -> None:
    """The vendor's envelope, not a web page."""
    answer = httpx2.post(f"{url}/images/dreams", headers={"Authorization": "Bearer k"})
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
