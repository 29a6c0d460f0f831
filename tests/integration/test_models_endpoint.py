"""A provider's list of models: what is read from it, and what each way of not getting it is called."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.errors import SettingError
from tasks.images_api.models_endpoint import read_models
from tasks.images_api.terms import Terms

KEY = "sk-planted-0123456789abcdef"


def terms(url: str | None, key: str = KEY) -> Terms:
    """A provider at an address."""
    provider = Provider(name="shop", base_url=url, key_variable="SHOP_KEY")
    return Terms(provider, load_catalogue(environ={}), {"SHOP_KEY": key})


Answer = tuple[int, str, bytes]


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], Answer]) -> Iterator[str]:
    """Serve one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, media_type, body = answer(self)
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler) as url:
        yield url


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve with a handler on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_the_list_tells_who_lives_until_when() -> None:
    """The emulator before its models' last day: dates where there are some, none where there are none."""
    with emulator_server(EmulatorSettings(today=lambda: date(2026, 11, 30), api_key=KEY)) as url:
        answer = read_models(terms(url))
    assert (answer.kind, answer.what) == ("ok", "")
    assert answer.announced["gpt-image-1-mini"] == date(2026, 12, 1)
    assert answer.shutdown_dates["gpt-image-2"] is None
    assert "gpt-image-2" not in answer.announced
    assert "gpt-image-1" not in answer.shutdown_dates
    assert answer.clock_ahead_s is not None
    assert abs(answer.clock_ahead_s) <= 2


def test_a_wrong_key_is_called_that_and_not_shown() -> None:
    """The provider's own words, without the key in them."""
    with emulator_server(EmulatorSettings(api_key="another")) as url:
        answer = read_models(terms(url))
    assert answer.kind == "bad_key"
    assert KEY not in answer.what


@pytest.mark.parametrize(
    ("status", "media_type", "body", "kind"),
    [
        (200, "text/html", b"<html><title>Welcome</title></html>", "wrong_address"),
        (404, "text/html", b"<html>nothing here</html>", "wrong_address"),
        (200, "application/json", b'{"models": []}', "no_list"),
        (200, "application/json", b"[1, 2]", "no_list"),
        (200, "application/json", b'{"data": ["gpt"]}', "no_list"),
        (404, "application/json", b'{"error": {"message": "no such route"}}', "no_list"),
        (405, "application/json", b'{"detail": "Method Not Allowed"}', "no_list"),
        (501, "text/plain", b"not implemented", "no_list"),
        (401, "application/json", b'{"error": {"message": "Missing scopes: api.model.read."}}', "no_list"),
        (403, "application/json", b'{"message": "Missing Authentication Token"}', "no_list"),
        (402, "application/json", b'{"error": {"message": "no credits"}}', "no_access"),
        (401, "application/json", b'{"error": {"message": "no", "code": "invalid_api_key"}}', "bad_key"),
        (403, "application/json", b'{"error": {"message": "country"}}', "no_access"),
        (403, "text/html", b"<html>Access denied</html>", "firewall"),
        (429, "application/json", b'{"error": {"message": "slow down"}}', "trouble"),
        (503, "text/html", b"<html>down</html>", "trouble"),
    ],
)
def test_what_is_no_list_is_told_apart(status: int, media_type: str, body: bytes, kind: str) -> None:
    """Pages, foreign JSON, refusals and failures: each has its name, and no dates are made up."""
    with server(lambda _: (status, media_type, body)) as url:
        answer = read_models(terms(url))
    assert (answer.kind, answer.shutdown_dates) == (kind, {})
    assert url in answer.what


@pytest.mark.parametrize(
    ("status", "headers", "media_type", "body"),
    [
        (405, {"allow": "POST"}, "text/html", b"<html>not allowed</html>"),
        (200, {"allow": "OPTIONS, POST"}, "text/html", b"POST"),
        (204, {}, "text/plain", b""),
        (404, {}, "application/json", b'{"error": {"message": "OPTIONS is not known"}}'),
    ],
)
def test_a_page_for_the_list_is_no_matter_where_pictures_may_be_sold(
    status: int, headers: dict[str, str], media_type: str, body: bytes
) -> None:
    """What each framework says of its image endpoint when asked for the methods that it allows."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(404, {}, "text/html", b"<pre>Cannot GET /v1/models</pre>")

        def do_OPTIONS(self) -> None:
            self.answer(status, headers, media_type, body)

        def answer(self, status: int, headers: dict[str, str], media_type: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-type": media_type}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Gateway) as url:
        assert read_models(terms(url)).kind == "no_list"


@pytest.mark.parametrize("given", ["", "/v1/v1", "/v1/images/generations", "/v1/models", "/"])
def test_the_address_that_was_meant_is_found(given: str) -> None:
    """Where ``/v1`` was forgotten or doubled, or an endpoint was given, the API is found nearby."""
    with emulator_server(EmulatorSettings(api_key=KEY)) as url:
        answer = read_models(terms(url.removesuffix("/v1") + given))
    assert (answer.kind, answer.better_url) == ("wrong_address", url)
    assert answer.what.endswith(f"the API answers at {url}")


@pytest.mark.parametrize("given", ["/v1/", "/v1//"])
def test_a_slash_too_many_is_mended(given: str) -> None:
    """Nobody need be told of it."""
    with emulator_server(EmulatorSettings(api_key=KEY)) as url:
        assert read_models(terms(url.removesuffix("/v1") + given)).kind == "ok"


def test_a_key_that_comes_back_is_blotted_out() -> None:
    """A page that repeats the authorization shows no key."""

    def repeat(request: BaseHTTPRequestHandler) -> Answer:
        return 200, "text/html", request.headers["authorization"].encode()

    with server(repeat) as url:
        answer = read_models(terms(url))
    assert answer.kind == "wrong_address"
    assert "[secret]" in answer.what
    assert KEY not in answer.what


@pytest.mark.parametrize("said", ["soon", 20261201, None, ""])
def test_what_is_no_day_is_no_announcement(said: object) -> None:
    """A model with a strange date stays in the list, without a day."""
    import json

    body = json.dumps({"data": [{"id": "m", "shutdown_date": said}, {"id": "n"}]}).encode()
    with server(lambda _: (200, "application/json", body)) as url:
        assert read_models(terms(url)).shutdown_dates == {"m": None, "n": None}


def test_nobody_there_is_told_at_once() -> None:
    """A closed port is no network, not a time-out."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = read_models(terms(f"http://127.0.0.1:{port}/v1"))
    assert answer.kind == "no_network"


def test_a_body_that_drips_does_not_hold_the_run_up() -> None:
    """The wait is bounded as a whole, not byte by byte."""
    gone = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> Answer:
        request.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while not gone.wait(0.05):  # never ends for whoever waits for its end
            request.wfile.write(b" ")
        return 200, "text/plain", b""

    with server(drip) as url:
        answer = read_models(terms(url), within_s=0.5)
        gone.set()
    assert answer.kind == "no_answer"


@contextmanager
def server_at(date_header: str) -> Iterator[str]:
    """Serve an empty list of models with a date of one's own."""

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("date", date_header)
            self.end_headers()
            self.wfile.write(b'{"data": []}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Elsewhere) as url:
        yield url


def test_a_clock_that_is_wrong_shows() -> None:
    """The provider's time is compared with this machine's."""
    there = datetime.now(UTC) - timedelta(hours=1)
    with server_at(format_datetime(there, usegmt=True)) as url:
        ahead_s = read_models(terms(url)).clock_ahead_s
    assert ahead_s is not None
    assert 3590 < ahead_s < 3610


def test_a_date_that_is_none_says_nothing_of_the_clock() -> None:
    """What cannot be read is not known; the list counts all the same."""
    with server_at("yesterday") as url:
        answer = read_models(terms(url))
    assert (answer.kind, answer.clock_ahead_s) == ("ok", None)


def test_a_provider_that_says_nothing_is_left() -> None:
    """The connection stands and nothing comes: no answer, within the time given."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        answer = read_models(terms(url), within_s=0.5)
    assert answer.kind == "no_answer"
    assert "within 0.5 s" in answer.what


def test_without_an_address_or_a_key_nobody_is_asked() -> None:
    """A provider inside the process has no list; a missing key is told as everywhere."""
    with pytest.raises(SettingError, match="inside the process"):
        read_models(terms(None))
    with pytest.raises(SettingError, match="SHOP_KEY"):
        read_models(terms("http://127.0.0.1:1/v1", key=""))
