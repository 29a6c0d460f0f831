"""What leaves for a provider: its own key, headers and parameters, and nothing of another's."""

import asyncio
import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import SettingError
from tasks.images_api.batch_lane.batch_client import BatchClient
from tasks.images_api.client import connect, fields_of, post
from tasks.images_api.models_endpoint import read_models
from tasks.images_api.receiving import Bounds
from tasks.images_api.receiving import Received as AnswerReceived
from tasks.images_api.terms import Terms
from tasks.redaction import hide_secrets
from tests.support.judge_builders import a_question, a_shown_picture
from tests.support.shop import order_of

KEYS = {"OPENAI_API_KEY": "sk-of-the-vendor-0123456789", "COMETAPI_KEY": "sk-of-the-gateway-0123456789"}
VENDORS = {
    "OPENAI_ORG_ID": "org-of-the-vendor",
    "OPENAI_PROJECT_ID": "project-of-the-vendor",
    "OPENAI_ADMIN_KEY": "admin-of-the-vendor",
    "OPENAI_WEBHOOK_SECRET": "webhook-of-the-vendor",
    "OPENAI_CUSTOM_HEADERS": "X-Access: pass-of-the-vendor\nAuthorization: Bearer other-of-the-vendor\n"
    "user-agent: agent-of-the-vendor",
}
CATALOGUE = load_catalogue()


class Received(NamedTuple):
    """A request as it came in."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


class Recorder(BaseHTTPRequestHandler):
    """Notes what comes in, and answers with nothing of use."""

    received: ClassVar[list[Received]] = []

    def do_GET(self) -> None:
        """Note it."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.received.append(Received(parts.path, parse_qs(parts.query), headers))
        content = b'{"id": "file-1", "data": []}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("set-cookie", "session=1")
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the handler's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recorder() -> Iterator[str]:
    """Serve; yields the address."""
    Recorder.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a provider that notes what it receives."""
    with recorder() as found:
        yield found


def terms_of(name: str, environ: Mapping[str, str], home: Path | None = None) -> Terms:
    """Make the terms of a provider."""
    return Terms(load_providers(home).provider(name), CATALOGUE, environ)


def speak(terms: Terms, folder: Path) -> list[Received]:
    """Speak to a provider in every way there is: both lanes, the judge, the list of models."""
    read_models(terms)

    async def order() -> None:
        async with connect(terms) as client:
            await post(client, order_of(), fields_of(order_of()), terms, AnswerReceived(Bounds(60.0)))
            question = a_question(a_shown_picture(folder))
            await post(client, question, fields_of(question), terms, AnswerReceived(Bounds(60.0)))
            await BatchClient(client, terms).upload(("a.jsonl", b"{}", "application/jsonl"), "lines")
            await BatchClient(client, terms).look("batch-1")

    asyncio.run(order())
    paths = [one.path for one in Recorder.received]
    assert paths == [
        "/v1/models",
        "/v1/images/generations",
        "/v1/chat/completions",
        "/v1/files",
        "/v1/batches/batch-1",
    ]
    return Recorder.received


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Everybody's variables, in the process too: the SDK reads it by itself."""
    for name, value in (KEYS | VENDORS).items():
        monkeypatch.setenv(name, value)
    return KEYS | VENDORS


def test_the_vendors_variables_go_to_no_other_provider(
    variables: dict[str, str], address: str, tmp_path: Path
) -> None:
    """Not the organization, not the project, no header, and not the key."""
    environ = variables | {"COMETAPI_BASE_URL": f"http://{address}"}
    for request in speak(terms_of("cometapi", environ), tmp_path):
        assert request.headers["authorization"] == f"Bearer {KEYS['COMETAPI_KEY']}"
        assert "of-the-vendor" not in str(request)
        assert "cookie" not in request.headers


def test_the_vendor_gets_its_own_variables(variables: dict[str, str], address: str, tmp_path: Path) -> None:
    """Its organization, project and headers as the SDK would send them, and the key of its own variable."""
    environ = variables | {"OPENAI_BASE_URL": f"http://{address}"}
    for request in speak(terms_of("openai", environ), tmp_path):
        assert request.headers["authorization"] == f"Bearer {KEYS['OPENAI_API_KEY']}"
        assert request.headers["openai-organization"] == "org-of-the-vendor"
        assert request.headers["openai-project"] == "project-of-the-vendor"
        assert request.headers["x-access"] == "pass-of-the-vendor"
        assert not any(secret in str(request) for secret in ("admin-of", "webhook-of", "other-of", "gateway"))


def test_without_the_variables_no_header_is_sent(address: str, tmp_path: Path) -> None:
    """An organization that is not set is not sent empty."""
    environ = KEYS | {"OPENAI_BASE_URL": f"http://{address}"}
    for request in speak(terms_of("openai", environ), tmp_path):
        assert not {"openai-organization", "openai-project"} & set(request.headers)


def provider_file(home: Path, **facts: Any) -> Path:
    """Write a provider named ``mine`` into a home."""
    (home / "providers.yaml").write_text(yaml.safe_dump({"providers": {"mine": facts}}), encoding="utf-8")
    return home


def test_headers_and_parameters_come_from_the_file_and_the_environment(address: str, tmp_path: Path) -> None:
    """As a cloud needs them: a version in the address, ``api-key`` in place of Bearer, a proxy's pass."""
    home = provider_file(
        tmp_path,
        base_url=f"http://{address}?api-version=2025-04-01",
        headers={
            "api-key": "${MY_KEY}",
            "X-Pass": "Token ${MY_PASS}",
            "X-Team": "pictures",
            "X-No": "${NO:-}",
        },
        query={"region": "eu", "sig": "${MY_SIGNATURE}"},
    )
    environ = {"MY_KEY": "key-0123456789", "MY_PASS": "pass-0123456789", "MY_SIGNATURE": "sig-0123456789"}
    for request in speak(terms_of("mine", environ, home), tmp_path):
        assert "authorization" not in request.headers
        assert request.headers["api-key"] == "key-0123456789"
        assert request.headers["x-pass"] == "Token pass-0123456789"
        assert request.headers["x-team"] == "pictures"
        assert "x-no" not in request.headers
        assert request.query == {"api-version": ["2025-04-01"], "region": ["eu"], "sig": ["sig-0123456789"]}
    assert hide_secrets("Token pass-0123456789, key-0123456789, sig-0123456789, pictures, eu") == (
        "[secret], [secret], [secret], pictures, eu"
    )


def test_credentials_in_an_address_are_sent_as_basic(address: str, tmp_path: Path) -> None:
    """In place of the key; and no message shows them."""
    environ = KEYS | {"OPENAI_BASE_URL": f"http://me:p%40ss-word1@{address}"}
    terms = terms_of("openai", environ)
    for request in speak(terms, tmp_path):
        assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"me:p@ss-word1"
    assert terms.base_url == f"http://{address}"
    assert hide_secrets("p@ss-word1 p%40ss-word1") == "[secret] [secret]"
    assert "word1" not in repr(terms)


@pytest.mark.parametrize(
    ("facts", "environ", "expected"),
    [
        (
            {"headers": {"X-Pass": "${MY_PASS}"}},
            {},
            r"providers.mine.headers.X-Pass: needs .* MY_PASS, .* not set",
        ),
        (
            {"query": {"sig": "${MY_PASS}"}},
            {"MY_PASS": ""},
            r"providers.mine.query.sig: needs .* which is empty",
        ),
        (
            {"headers": {"X-Pass": "${MY_PASS}"}},
            {"MY_PASS": "abcdefgh\nX: 1"},
            r"MY_PASS: .* a line end inside",
        ),
        ({"headers": {"X-Pass": "${MY_PASS}"}}, {"MY_PASS": "abc\u201cdefgh"}, r"MY_PASS: .* cannot be sent"),
        (
            {"headers_variable": "MY_LINES"},
            {"MY_LINES": "Host: abcdefgh"},
            r"MY_LINES: the header 'Host' is set by",
        ),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(
    tmp_path: Path, facts: dict[str, Any], environ: dict[str, str], expected: str
) -> None:
    """Before anything is connected, with the variable's name and nothing of its value."""
    terms = terms_of("mine", environ, provider_file(tmp_path, base_url="http://127.0.0.1:9/v1", **facts))
    with pytest.raises(SettingError, match=expected) as caught:
        connect(terms)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"headers": {"Content-Length": "1"}}, "Content-Length: is set by Runoff itself"),
        ({"headers": {"X Pass": "1"}}, "X Pass: is no name of a header"),
        ({"headers": {"X-Pass": "${MY PASS}"}}, r"X-Pass: \$\{ is not followed by a variable's name"),
        ({"headers": {"X-Pass": "a\nb"}}, "X-Pass: has a line end inside"),
        ({"query": {"sig": "${}"}}, r"sig: \$\{ is not followed"),
    ],
)
def test_a_wrong_header_in_the_file_is_refused(tmp_path: Path, facts: dict[str, Any], expected: str) -> None:
    """When the file is read, like every other fault in it."""
    with pytest.raises(SettingError, match=expected):
        load_providers(provider_file(tmp_path, base_url="http://127.0.0.1:9/v1", **facts))
