"""The emulator with a gateway's profile: what CometAPI does otherwise than the vendor."""

import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx2
import openai
import pytest
from PIL import Image

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.emulator_client import PATIENT_S

REQUEST: dict[str, Any] = {"model": "gpt-image-2", "prompt": "a fox", "quality": "low", "size": "1024x640"}
KEY = {"Authorization": "Bearer right-key"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A gateway with a key."""
    settings = EmulatorSettings(
        paint="plain", profile="cometapi", api_key="right-key", today=lambda: date(2026, 11, 22)
    )
    with emulator_server(settings) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    """An official client, without faults."""
    httpx2.delete(f"{url.removesuffix('/v1')}/_faults").raise_for_status()
    with openai.OpenAI(api_key="right-key", base_url=url, max_retries=0, timeout=PATIENT_S) as client:
        yield client


def last(url: str) -> dict[str, Any]:
    """The bill's last entry."""
    entry: dict[str, Any] = httpx2.get(f"{url.removesuffix('/v1')}/_bill").json()["entries"][-1]
    return entry


def test_a_gateway_sells_pictures_without_the_vendors_headers(client: openai.OpenAI, url: str) -> None:
    """The answer is the vendor's; no header names the request."""
    answer = client.images.with_raw_response.generate(**REQUEST, n=2)
    assert len(answer.parse().data or []) == 2
    assert not {"x-request-id", "openai-version", "openai-processing-ms"} & set(answer.headers)
    assert last(url)["charged_nanousd"] > 0


# (fields, status, code): a client's own error comes as a server's.
REFUSED = [
    ({"size": "12x12"}, 500, "invalid_request"),
    ({"prompt": ""}, 500, "invalid_request"),
    ({"stream": True}, 500, "invalid_request"),
    ({"model": "gpt-image-2.6-flare", "n": 2}, 500, "invalid_request"),
    ({"model": "gpt-image-9"}, 503, "model_not_found"),
    ({"model": "gpt-image-1"}, 503, "model_not_found"),
]


@pytest.mark.parametrize(("fields", "status", "code"), REFUSED)
def test_a_gateway_refuses_in_its_own_envelope(
    client: openai.OpenAI, url: str, fields: dict[str, Any], status: int, code: str
) -> None:
    """Its type, an empty parameter, the request's id in the message and nowhere else; no charge."""
    with pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(**(REQUEST | fields))
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert (caught.value.type, caught.value.param, caught.value.request_id) == ("comet_api_error", "", None)
    entry = last(url)
    assert f"(request id: {entry['request_id']})" in str(caught.value)
    assert entry["request_id"].startswith("20261122")
    assert entry["charged_nanousd"] == 0


def test_one_picture_is_sold_where_several_are_refused(client: openai.OpenAI) -> None:
    """The other side of the limit."""
    assert client.images.generate(**(REQUEST | {"model": "gpt-image-2.6-flare", "n": 1})).data


@pytest.mark.parametrize(
    ("rule", "error", "status", "code"),
    [
        ({"kind": "rate_limited"}, openai.RateLimitError, 429, "rate_limit_exceeded"),
        ({"kind": "quota"}, openai.RateLimitError, 429, "insufficient_quota"),
        ({"kind": "moderation"}, openai.BadRequestError, 400, "moderation_blocked"),
        ({"kind": "server_error"}, openai.InternalServerError, 500, None),
        ({"kind": "comet_error"}, openai.InternalServerError, 500, "invalid_request"),
    ],
)
def test_faults_have_the_gateways_envelope(
    client: openai.OpenAI,
    url: str,
    rule: dict[str, Any],
    error: type[openai.APIStatusError],
    status: int,
    code: Any,
) -> None:
    """The status and code of the fault, once the request's id."""
    httpx2.post(f"{url.removesuffix('/v1')}/_faults", json=[rule]).raise_for_status()
    with pytest.raises(error) as caught:
        client.images.generate(**REQUEST)
    assert (caught.value.status_code, caught.value.code, caught.value.type) == (
        status,
        code,
        "comet_api_error",
    )
    assert str(caught.value).count("(request id: ") == 1


def test_a_wrong_key_is_refused(url: str) -> None:
    """Status 401 in the gateway's envelope."""
    answer = httpx2.post(f"{url}/images/generations", json=REQUEST, headers={"Authorization": "Bearer k"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "comet_api_error")


def test_a_response_format_is_ignored(client: openai.OpenAI) -> None:
    """The vendor refuses it; the gateway sends base64 all the same."""
    assert (client.images.generate(**REQUEST, response_format="url").data or [])[0].b64_json


def test_edits_carry_foreign_keys_in_usage(client: openai.OpenAI) -> None:
    """Beside the vendor's own, which are right."""
    stream = io.BytesIO()
    Image.new("RGB", (1024, 1024)).save(stream, "PNG")
    answer = client.images.edit(**REQUEST, image=("a.png", stream.getvalue(), "image/png"))
    assert answer.usage is not None
    assert answer.usage.to_dict()["claude_cache_creation_5_m_tokens"] == 0
    assert answer.usage.input_tokens_details.image_tokens == 1024


def test_there_are_no_files_and_no_batches(client: openai.OpenAI) -> None:
    """A web page with status 404."""
    for call in (client.files.list, client.batches.list, lambda: client.batches.retrieve("batch_1")):
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        assert caught.value.response.headers["content-type"].startswith("text/html")
    with pytest.raises(openai.NotFoundError):
        client.files.create(file=("in.jsonl", b"{}"), purpose="batch")


def test_a_wrong_path_leads_to_a_web_page(url: str) -> None:
    """A redirect to the front page in place of an error in JSON."""
    answer = httpx2.post(f"{url.removesuffix('/v1')}/images/generations", json=REQUEST, headers=KEY)
    assert (answer.status_code, answer.headers["location"]) == (301, "/")
    assert answer.text.startswith("<html>")


def test_models_are_listed(client: openai.OpenAI) -> None:
    """As at the vendor's."""
    assert "gpt-image-2.6-flare" in {model.id for model in client.models.list()}
