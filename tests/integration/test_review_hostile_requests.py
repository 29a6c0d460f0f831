"""Hostile requests to the review page: each ends in an answer of ours, never in a 500."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.review import access
from flows.review.access import CSRF_HEADER, MAX_BODY_BYTES
from tests.support.builders import RUN_ID
from tests.support.fuzzing import bounded, fuzz
from tests.support.review_home import Open, review_page
from tests.support.review_requests import ask, change, say

FORMS = ("shortlist", "confirm", "votes", "votes/undo", "folds", "acceptances")
PAGES = (
    "",
    "/duels",
    "/ranking",
    "/finalists",
    "/finals",
    "/gallery.json",
    "/finals.json",
    "/shortlist.json",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A page on loopback."""
    with review_page(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.mark.parametrize(
    "most_usd",
    [
        "1.2.3",
        ".",
        "",
        "-1",
        "NaN",
        "Infinity",
        "1e999",
        "9" * 5000,
        "٣",
        "1,5",
        "0x1",
        " ",
        None,
        True,
        [],
        {},
    ],
)
def test_a_price_that_is_no_amount_is_refused(page: Open, most_usd: Any) -> None:
    """With words, and nothing is bought."""
    status, told = say(page, "/confirm", revision=1, most_usd=most_usd)
    assert status in (409, 422), told
    assert told["message"]
    assert page.shop.started == []


@pytest.mark.parametrize("number", [10**30, -1, 2**63, 1.5, "x", None, True])
def test_a_number_that_no_database_holds_is_refused(page: Open, number: Any) -> None:
    """A revision is a small whole number."""
    assert say(page, "/shortlist", candidate_ids=[], after=number)[0] in (409, 422)
    assert say(page, "/confirm", revision=number, most_usd="1")[0] in (409, 422)


@pytest.mark.parametrize("name", ["a\0b", "a\x1bb", "a\x7fb", "\ud83d", "\x85"])
def test_a_name_that_is_no_text_is_refused(page: Open, name: str) -> None:
    """As a voter in the address too."""
    assert say(page, "/shortlist", by=name, candidate_ids=[], after=0)[0] == 422
    query = urlencode({"voter": name}, errors="surrogatepass")
    answer, _ = ask(page, f"/runs/{RUN_ID}/duel.json?{query}")
    assert answer.status in (200, 422)
    assert answer.status == 422 or name == "\ud83d"  # in an address it becomes U+FFFD


def send_raw(page: Open, head: str, *parts: bytes) -> bytes:
    """Send bytes as they are, and read the first line of the answer."""
    lines = [
        "POST /runs/x/confirm HTTP/1.1", f"Host: 127.0.0.1:{page.access.port}", head,
        "Content-Type: application/json", f"{CSRF_HEADER}: {page.access.csrf}", "Connection: close", "", "",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", page.access.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:  # it was answered before all was sent
                break
        return connection.makefile("rb").readline()


def chunk(data: bytes) -> bytes:
    """Write one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_chunked_body_has_the_same_limit(page: Open) -> None:
    """Whatever its Content-Length says; a small one is read."""
    body = b'{"by": "mara", "revision": 1, "most_usd": "1", "x": "' + b"x" * MAX_BODY_BYTES + b'"}'
    headed = "Transfer-Encoding: chunked\r\nContent-Length: 5"
    answer = send_raw(page, headed, *[chunk(body[at : at + 50_000]) for at in range(0, len(body), 50_000)])
    assert b" 413 " in answer or b" 400 " in answer
    small = chunk(b'{"by": "mara"}') + chunk(b"")
    assert send_raw(page, headed, small).split()[1] in (b"400", b"422", b"404")
    assert b" 411 " in send_raw(page, "Transfer-Encoding: chunked", small)
    whole = json.dumps({"by": "x" * MAX_BODY_BYTES})
    assert change(page, f"/runs/{RUN_ID}/confirm", {"by": "x" * MAX_BODY_BYTES})[0] == 413
    assert len(whole) > MAX_BODY_BYTES


def test_a_body_that_does_not_arrive_is_given_up(page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold a connection for ever."""
    monkeypatch.setattr(access, "BODY_WITHIN_S", 0.2)
    begun_s = time.monotonic()
    assert b" 408 " in send_raw(page, "Content-Length: 1000", b"{")
    assert time.monotonic() - begun_s < 10


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50)
    | st.sampled_from(["\ud83d", "\0", "1.2.3", "9" * 5000, "left", "c-", "x" * 41, "\u202e", "%00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = (
    "by copy_id of_id is_copy duel_id outcome candidate_ids after revision most_usd candidate_id is_accepted"
)
KEYS = st.sampled_from([*FIELDS.split(), "\ud83d"]) | st.text(max_size=5)
RAW = st.sampled_from(
    [b"", b"[" * 100_000, b'{"by":' * 20_000, b"\xff", b"9" * 5000, b'{"\\ud83d": 1}', b"nul"]
)


def is_ours(status: int, content: bytes) -> bool:
    """Whether an answer is one that the page gives on purpose."""
    return status in (200, 204, 400, 404, 405, 409, 422) and b"Traceback" not in content


@fuzz(examples=25)
@given(form=st.sampled_from(FORMS), body=st.dictionaries(KEYS, VALUES, max_size=6) | VALUES)
def test_any_form_is_answered(page: Open, form: str, body: Any) -> None:
    """Nothing is bought by chance."""
    with bounded():
        status, text = change(page, f"/runs/{RUN_ID}/{form}", body)
    assert is_ours(status, text.encode()), text
    assert page.shop.started == []


@fuzz(examples=25)
@given(form=st.sampled_from(FORMS), raw=RAW | st.binary(max_size=100))
def test_any_bytes_are_answered(page: Open, form: str, raw: bytes) -> None:
    """JSON or not."""
    head = f"Content-Length: {len(raw)}"
    path = f"POST /runs/{RUN_ID}/{form} HTTP/1.1"
    with bounded():
        answer = send_raw(page, head, raw) if form == "confirm" else None
        status, text = change(page, f"/runs/{RUN_ID}/{form}", raw.decode("latin-1"))
    assert answer is None or is_ours(int(answer.split()[1]), answer), path
    assert is_ours(status, text.encode())


@fuzz(examples=25)
@given(
    run=st.just(RUN_ID)
    | st.sampled_from(["latest", "%", "_", "2026", "..", "%00", "%ED%A0%BD", "%2e%2e"])
    | st.text(max_size=60).map(lambda text: quote(text, safe="", errors="replace")),
    below=st.sampled_from(PAGES)
    | st.just("/duel.json")
    | st.text(max_size=20).map(lambda text: "/" + quote(text, errors="replace")),
    query=st.just("")
    | st.text(max_size=40).map(lambda text: "?voter=" + quote(text, errors="replace"))
    | st.binary(max_size=20).map(lambda raw: "?" + quote(raw)),
    top=st.sampled_from(["runs", "pictures", "thumbnails", "duels", "static"]),
)
def test_any_address_is_answered(page: Open, top: str, run: str, below: str, query: str) -> None:
    """A run's name, what stands below it, and the query."""
    with bounded():
        answer, content = ask(page, f"/{top}/{run}{below}{query}")
    assert is_ours(answer.status, content) or answer.status in (307, 421), content
