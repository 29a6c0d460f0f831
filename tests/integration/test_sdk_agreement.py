"""Runoff, the emulator and the vendor's own client agree on what goes over the wire.

The ``openai`` package is used as it is. What it sends is the standard: the emulator answers all of it, and
Runoff's own requests are held against it byte by byte and against its parameter types.
"""

import email
import email.policy
import inspect
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Batch, FileObject, ImagesResponse, Model
from openai.types.image_edit_params import ImageEditParamsNonStreaming, ImageEditParamsStreaming
from openai.types.image_generate_params import ImageGenerateParamsNonStreaming, ImageGenerateParamsStreaming
from PIL import Image
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from tasks.attachments.references import read_reference
from tasks.campaign.finals import Finals
from tasks.campaign.pictures import Drafts
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.emulator.server import emulator_server
from tasks.images_api.batch_lane.lines import request_line
from tasks.images_api.client import connect, fields_of, post
from tasks.images_api.receiving import Bounds, Received
from tasks.images_api.terms import Terms
from tasks.order import Order, Reference
from tests.support.builders import an_order
from tests.support.emulator_client import PLAIN, png

CATALOGUE = load_catalogue(environ={})
REQUEST: dict[str, Any] = {"model": "gpt-image-2", "prompt": "a fox", "size": "1024x640", "quality": "low"}
NEWER_FIELDS: frozenset[str] = frozenset()
"""What the vendor takes and its package's types lack, sent through ``extra_body``: nothing today."""


@dataclass
class Wire(httpx2.AsyncBaseTransport, httpx2.BaseTransport):
    """A way to the emulator that keeps what goes over it."""

    sent: list[httpx2.Request] = field(default_factory=list)
    _plain: httpx2.HTTPTransport = field(default_factory=lambda: httpx2.HTTPTransport(verify=False))
    _async: httpx2.AsyncHTTPTransport = field(default_factory=lambda: httpx2.AsyncHTTPTransport(verify=False))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Keep a request and pass it on."""
        request.read()
        self.sent.append(request)
        return self._plain.handle_request(request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The same for the async client."""
        await request.aread()
        self.sent.append(request)
        return await self._async.handle_async_request(request)

    def close(self) -> None:
        """Let the plain client's connections go."""
        self._plain.close()

    async def aclose(self) -> None:
        """Let the async client's connections go."""
        await self._async.aclose()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An emulator on a port."""
    with emulator_server(replace(PLAIN, batch_pace_s=3600.0)) as base_url:
        yield base_url


def body_of(request: httpx2.Request) -> Any:
    """Read a request's body: JSON, or the parts of a form as name, file name, type and content."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return json.loads(request.content)
    if not kind.startswith("multipart/form-data"):
        return request.content
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.content, policy=email.policy.HTTP)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type() if part.get_filename() else None,
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def line_of(request: httpx2.Request) -> tuple[str, str, Any]:
    """Tell a request by method, path with query, and body."""
    return request.method, request.url.raw_path.decode(), body_of(request)


async def told(value: Any) -> Any:
    """Wait for the async client's answer; the plain client's is there."""
    return await value if inspect.isawaitable(value) else value


async def items(value: Any) -> list[Any]:
    """Collect a stream or pages of either client."""
    if inspect.isawaitable(value):
        value = await value
    if isinstance(value, AsyncIterator) or hasattr(value, "__aiter__"):
        return [item async for item in value]
    return list(value)


async def use_every_endpoint(client: Any) -> list[object]:
    """Call every endpoint that Runoff needs, as the package documents it; returns the answers' types."""
    images, files, batches = client.images, client.files, client.batches
    seen: list[object] = [
        await told(client.models.retrieve("gpt-image-2")),
        *await items(client.models.list()),
        await told(images.generate(**REQUEST, n=2, output_format="webp", output_compression=50)),
        await told(images.edit(**REQUEST, image=("one.png", png((64, 64)), "image/png"))),
        await told(
            images.edit(
                **REQUEST,
                image=[
                    ("one.png", png((64, 64), "RGBA"), "image/png"),
                    ("two.png", png((32, 32)), "image/png"),
                ],
                mask=("mask.png", png((64, 64), "RGBA"), "image/png"),
            )
        ),
        *await items(images.generate(**REQUEST, stream=True, partial_images=1)),
        *await items(images.edit(**REQUEST, image=png((64, 64)), stream=True, partial_images=1)),
    ]
    line = {"custom_id": "a", "method": "POST", "url": "/v1/images/generations", "body": REQUEST}
    lines = await told(files.create(file=("in.jsonl", json.dumps(line).encode()), purpose="batch"))
    spare = await told(files.create(file=("one.png", png((8, 8)), "image/png"), purpose="vision"))
    batch = await told(
        batches.create(input_file_id=lines.id, endpoint="/v1/images/generations", completion_window="24h")
    )
    seen += [lines, spare, batch, await told(files.retrieve(lines.id)), *await items(files.list())]
    content = await told(files.content(spare.id))
    assert content.content == png((8, 8))
    seen += [await told(files.delete(spare.id)), await told(batches.retrieve(batch.id))]
    seen += [*await items(batches.list()), await told(batches.cancel(batch.id))]
    return seen


async def used(url: str, wire: Wire, *, is_async: bool) -> list[object]:
    """Use every endpoint with one of the two clients, over a wire that keeps the requests."""
    facts: dict[str, Any] = {"api_key": "test-key", "base_url": url, "max_retries": 0, "timeout": 20}
    if is_async:
        async with openai.AsyncOpenAI(**facts, http_client=httpx2.AsyncClient(transport=wire)) as client:
            return await use_every_endpoint(client)
    with openai.OpenAI(**facts, http_client=httpx2.Client(transport=wire)) as plain:
        return await use_every_endpoint(plain)


async def test_the_plain_and_the_async_client_use_every_endpoint_alike(url: str) -> None:
    """Models, images, edits, streams, files and batches: the same requests, answers of the same types."""
    wires = Wire(), Wire()
    answers = [
        await used(url, wire, is_async=is_async) for wire, is_async in zip(wires, (False, True), strict=True)
    ]
    # A list holds what the first client left there too.
    plain, other = ({type(answer).__name__ for answer in seen} for seen in answers)
    assert plain == other
    assert {
        "Model", "ImagesResponse", "FileObject", "Batch", "FileDeleted", "ImageGenPartialImageEvent",
        "ImageGenCompletedEvent", "ImageEditPartialImageEvent", "ImageEditCompletedEvent",
    } == plain  # fmt: skip
    for seen in answers:
        assert sum(isinstance(answer, ImagesResponse) for answer in seen) == 3
        assert all(answer.data for answer in seen if isinstance(answer, ImagesResponse))
        assert any(isinstance(answer, FileObject) for answer in seen)
        assert any(isinstance(answer, Model) and answer.id == "gpt-image-2" for answer in seen)
        (*_, cancelled) = (answer for answer in seen if isinstance(answer, Batch))
        assert cancelled.status in ("cancelling", "cancelled")
    shapes = [[(request.method, _without_ids(request)) for request in wire.sent] for wire in wires]
    assert shapes[0] == shapes[1]
    assert {path for _, path in shapes[0]} == {
        "/v1/models", "/v1/models/gpt-image-2", "/v1/images/generations", "/v1/images/edits", "/v1/files",
        "/v1/files/ID", "/v1/files/ID/content", "/v1/batches", "/v1/batches/ID", "/v1/batches/ID/cancel",
    }  # fmt: skip


def _without_ids(request: httpx2.Request) -> str:
    return "/".join(
        "ID" if part.startswith(("file-", "batch_")) else part for part in request.url.path.split("/")
    )


def references(folder: Path, count: int) -> tuple[Reference, ...]:
    """Save pictures to send."""
    found = []
    for index in range(count):
        file = folder / f"picture-{index}.{'webp' if index else 'png'}"
        Image.new("RGBA", (64, 64), (index * 40, 90, 90, 255)).save(file)
        found.append(read_reference(str(file)))
    return tuple(found)


OLD: dict[str, Any] = {"model": "gpt-image-1.5", "quality": "low", "size": "1024x1024"}
NEW: dict[str, Any] = {"model": "gpt-image-2.6-flare", "quality": "max", "size": "1280x720"}
SETTINGS: dict[str, Any] = {
    "plain": Drafts(model="gpt-image-2"),
    "every control of 1.5": Drafts(
        **OLD, format="webp", compression=0, background="transparent", moderation="low"
    ),
    "fidelity": Drafts(**OLD, format="jpeg", compression=100, background="opaque", input_fidelity="high"),
    "every control of 2.6": Drafts(**NEW, complexity="medium", background="auto", format="png"),
    "a final": Finals(model="gpt-image-2.6-sunburst", size="2048x2048"),
    "a stream": Drafts(model="gpt-image-2", size="1024x640", partial_images=2),
}


def order_of(settings: Any, folder: Path, n_references: int, *, has_mask: bool = False, n: int = 1) -> Order:
    """Make an order of some settings."""
    sent = references(folder, n_references)
    return an_order(
        endpoint="edits" if sent else "generations",
        parameters=settings.parameters(n=n, is_edit=bool(sent)),
        references=sent,
        mask=sent[0] if has_mask else None,
    )


CLOSED = with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))


@CLOSED
class Generate(ImageGenerateParamsNonStreaming):
    """The package's own type of a generation, closed to what it does not know."""


@CLOSED
class GenerateStream(ImageGenerateParamsStreaming):
    """The same of a stream."""


@CLOSED
class Edit(ImageEditParamsNonStreaming):
    """The same of an edit."""


@CLOSED
class EditStream(ImageEditParamsStreaming):
    """The same of an edit's stream."""


CASES = [
    (name, n_references, has_mask)
    for name in SETTINGS
    for n_references, has_mask in ((0, False), (1, False), (1, True), (3, True))
    if not (n_references and SETTINGS[name].moderation)
    and (n_references or not SETTINGS[name].input_fidelity)
]


@pytest.mark.parametrize(("name", "n_references", "has_mask"), CASES)
def test_requests_are_of_the_packages_parameter_types(
    tmp_path: Path, name: str, n_references: int, has_mask: bool
) -> None:
    """Every field is known to the package and has its type; nothing goes beside them."""
    order = order_of(SETTINGS[name], tmp_path, n_references, has_mask=has_mask)
    fields = fields_of(order)
    is_stream = bool(fields.get("stream"))
    kinds: dict[tuple[str, bool], Any] = {
        ("generations", False): Generate, ("generations", True): GenerateStream,
        ("edits", False): Edit, ("edits", True): EditStream,
    }  # fmt: skip
    known = {key: value for key, value in fields.items() if key not in NEWER_FIELDS}
    TypeAdapter(kinds[order.endpoint, is_stream]).validate_python(known)


def test_the_parameter_types_do_refuse_what_is_wrong() -> None:
    """Without this the test above could not fail."""
    wrong = {"quality": "ultra", "n": "many", "output_format": "tiff", "complexity": "extreme", "seed": 1}
    for key, value in wrong.items():
        with pytest.raises(ValidationError, match=key):
            TypeAdapter(Generate).validate_python(REQUEST | {key: value})
        with pytest.raises(ValidationError, match=key):
            TypeAdapter(Edit).validate_python(REQUEST | {"image": png((8, 8)), key: value})


async def sent_by_runoff(url: str, order: Order) -> httpx2.Request:
    """Send an order as the buyer does."""
    wire = Wire()
    provider = Provider(name="shop", base_url=url, key_variable="SHOP_KEY", images_per_minute=1000)
    terms = Terms(provider, CATALOGUE, {"SHOP_KEY": "test-key"})
    async with connect(terms, wire) as client:
        await post(client, order, fields_of(order), terms, Received(Bounds(60.0)))
    (request,) = wire.sent
    return request


async def sent_by_the_package(url: str, order: Order) -> httpx2.Request:
    """Send the same as somebody would who only knows the package."""
    wire = Wire()
    http = httpx2.Client(transport=wire)
    with openai.OpenAI(api_key="test-key", base_url=url, max_retries=0, http_client=http) as client:
        if order.endpoint == "generations":
            answer: Any = client.images.generate(prompt=order.prompt, **order.parameters)
        else:
            files = [_named(picture) for picture in order.references]
            masked = {"mask": _named(order.mask)} if order.mask else {}
            edit: Any = client.images.edit
            answer = edit(
                prompt=order.prompt,
                image=files[0] if len(files) == 1 else files,
                **masked,
                **order.parameters,
            )
        if order.parameters.get("stream"):
            list(answer)
    (request,) = wire.sent
    return request


def _named(picture: Reference) -> tuple[str, bytes, str]:
    file = Path(picture.file)
    return file.name, file.read_bytes(), picture.media_type


@pytest.mark.parametrize(("name", "n_references", "has_mask"), CASES)
async def test_the_wire_is_what_the_package_sends(
    url: str, tmp_path: Path, name: str, n_references: int, has_mask: bool
) -> None:
    """Path, fields, names and types of parts, bytes of pictures; beside them only our own name for it."""
    order = order_of(SETTINGS[name], tmp_path, n_references, has_mask=has_mask)
    ours, theirs = await sent_by_runoff(url, order), await sent_by_the_package(url, order)
    assert line_of(ours)[:2] == line_of(theirs)[:2]
    own, package = body_of(ours), body_of(theirs)
    if n_references:
        assert sorted(own) == sorted(package)
        names = [part[0] for part in own if part[1]]
        wanted = ["image"] if n_references == 1 else ["image[]"] * n_references
        assert sorted(names) == sorted([*wanted, *(["mask"] if has_mask else [])])
        pictures = [part[3] for part in own if part[0] in ("image", "image[]")]
        assert pictures == [Path(picture.file).read_bytes() for picture in order.references]
    else:
        assert own == package
    ignored = {"user-agent", "content-length", "content-type"}
    heads = [
        {key for key in sent.headers if not key.startswith("x-stainless")} - ignored
        for sent in (ours, theirs)
    ]
    assert heads[0] - heads[1] == {"x-client-request-id"}
    assert heads[1] - heads[0] == set()


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "a stream"])
async def test_a_batchs_line_says_what_a_request_of_its_own_would(
    url: str, tmp_path: Path, name: str
) -> None:
    """A generation's body is the JSON that the package sends; an edit names uploaded files instead."""
    settings = SETTINGS[name]
    if not settings.input_fidelity:
        order = order_of(settings, tmp_path, 0)
        line = json.loads(request_line(order, {}))
        assert line["body"] == body_of(await sent_by_the_package(url, order))
        assert (line["method"], line["url"], line["custom_id"]) == (
            "POST",
            "/v1/images/generations",
            order.order_id,
        )
    if settings.moderation:
        return
    edit = order_of(settings, tmp_path, 2, has_mask=True)
    ids = {edit.upload_key(picture): f"file-{index}" for index, picture in enumerate(edit.references)}
    body = json.loads(request_line(edit, ids))["body"]
    assert body.pop("images") == [{"file_id": "file-0"}, {"file_id": "file-1"}]
    assert body.pop("mask") == {"file_id": "file-0"}
    parts = body_of(await sent_by_the_package(url, edit))
    assert {key: str(value) for key, value in body.items()} == {
        part[0]: part[3].decode() for part in parts if part[1] is None
    }


async def test_json_edits_are_taken_as_the_packages_own_post_sends_them(url: str) -> None:
    """The shape of a batch's edit, sent at once by the package's low-level call."""
    async with openai.AsyncOpenAI(api_key="test-key", base_url=url, max_retries=0) as client:
        file = await client.files.create(
            file=("one.png", png((64, 64), "RGBA"), "image/png"), purpose="vision"
        )
        body = REQUEST | {"images": [{"file_id": file.id}], "mask": {"file_id": file.id}}
        answer = await client.post("/images/edits", body=body, cast_to=ImagesResponse)
    assert answer.data
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens > 0
