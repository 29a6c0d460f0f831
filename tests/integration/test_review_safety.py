"""The review page keeps strangers out: names, tokens, changes, markup, paths. Asked over real HTTP."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import flows.review as review_room
from flows.review.access import Access
from tasks.ledger.schema import candidates
from tests.support.builders import RUN_ID
from tests.support.review_home import Open, review_page
from tests.support.review_requests import ask, change

SCRIPT = "<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGES = ("", "/duels", "/ranking", "/finalists", "/finals")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A page on loopback, of a run whose prompts are hostile."""
    with review_page(tmp_path_factory.mktemp("home"), prompt=SCRIPT) as opened:
        yield opened


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A page that asks for a token."""
    with review_page(tmp_path_factory.mktemp("home"), token="the-token") as opened:
        yield opened


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200), ("localhost:{port}", 200), ("LOCALHOST", 200), ("[::1]:{port}", 200),
        ("studio:9", 200), ("127.0.0.1:9", 200), ("evil.example", 421), ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421), ("192.168.0.7:{port}", 421),
        ("", 421),
        ("[", 421), ("a b", 421),
    ],
)  # fmt: skip
def test_only_our_own_names_are_answered(page: Open, host: str, status: int) -> None:
    """A foreign name that points to this machine gets nothing: no page, no picture."""
    for path in ("/", f"/thumbnails/{page.drafts[0].candidate_id}"):
        answer, content = ask(page, path, host=host.format(port=page.access.port))
        assert answer.status == status
        assert (b"otters" in content) == (status == 200 and path == "/")


def test_away_from_loopback_an_address_in_figures_is_ours_and_a_name_is_not() -> None:
    """A name may be rebound to this machine by anybody; figures may not."""
    access = Access("0.0.0.0", 80, frozenset({"studio"}), "t")
    assert all(map(access.is_ours, ("192.168.0.7:80", "[fe80::1]:80", "studio", "STUDIO:80", "localhost")))
    assert not any(map(access.is_ours, ("evil.example", "studio.evil.example", "", "[", "a:b:c")))


def test_without_the_token_nothing_is_told(guarded: Open) -> None:
    """Pages, pictures, data and changes alike."""
    thumbnail = f"/thumbnails/{guarded.drafts[0].candidate_id}"
    for path in ("/", f"/runs/{RUN_ID}", f"/runs/{RUN_ID}/gallery.json", thumbnail, "/static/page.js"):
        for given in ({}, {"cookie": f"{guarded.access.cookie}=the-token"}, {"cookie": "=;;\x7f"}):
            answer, content = ask(guarded, path, **given)
            assert (answer.status, b"otters" in content) == (401, False)
    for wrong in ("", "the-toke", "the-token2", "é"):
        answer, _ = ask(guarded, f"/?token={wrong.encode().hex() if wrong == 'é' else wrong}")
        assert (answer.status, answer.getheader("set-cookie")) == (401, None)
    status, _ = change(guarded, f"/runs/{RUN_ID}/folds", {})
    assert status == 401


def test_a_browser_without_access_gets_a_page_that_says_what_to_do(guarded: Open) -> None:
    """With the same looks, and no word of a run; a program gets a line."""
    answer, content = ask(guarded, f"/runs/{RUN_ID}", accept="text/html")
    assert (answer.status, answer.getheader("content-type")) == (401, "text/html; charset=utf-8")
    assert b"<h1>Who are you?</h1>" in content
    assert b"open the address that the command printed" in content
    for address in re.findall(rb'(?:href|src)="(/[^"]*)"', content):
        assert ask(guarded, address.decode())[0].status == 200
    assert b"<" not in ask(guarded, f"/runs/{RUN_ID}")[1]
    answer, content = ask(guarded, "/", accept="text/html", host="evil.example")
    assert (answer.status, b"<h1>Another address</h1>" in content) == (421, True)


def test_an_address_where_nothing_is_leads_back(page: Open) -> None:
    """Also below a run; what is wrong with a known address is said, not what the framework calls it."""
    for path, told in (
        ("/nowhere", "There is no page at this address."),
        (f"/runs/{RUN_ID}/nowhere", "There is no page at this address."),
        ("/static/nowhere.js", "There is no page at this address."),
        (f"/runs/{RUN_ID}/pictures", "There is no page at this address."),
        ("/runs/20990101-000000-zzzz", "There is no run"),
        ("/compare?run=latest", "Two runs or more are compared."),
    ):
        answer, content = ask(page, path, accept="text/html")
        assert answer.status in (400, 404), path
        assert told in content.decode(), content
        assert b'href="/"' in content
        assert b"Not Found" not in content
    assert json.loads(ask(page, "/nowhere")[1])["message"].startswith("There is no page")


def test_the_token_opens_once_and_leaves_a_strict_cookie(guarded: Open) -> None:
    """The token itself is neither in the cookie nor in the address that follows."""
    answer, content = ask(guarded, f"/runs/{RUN_ID}?view=all&token=the-token&text=%22%3E%3Cb")
    cookie = str(answer.getheader("set-cookie"))
    assert answer.status == 200
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "the-token" not in cookie + content.decode()
    (leads_to,) = re.findall(r'url=([^"]*)"', content.decode())
    assert leads_to == f"/runs/{RUN_ID}?view=all&amp;text=%22%3E%3Cb"
    answer, content = ask(guarded, f"/runs/{RUN_ID}", cookie=f"a=b; {cookie.split(';')[0]}")
    assert (answer.status, b"otters" in content) == (200, True)


@pytest.mark.parametrize("path", ["//evil.example/?token=the-token", "/\\evil.example?token=the-token"])
def test_the_token_leads_nowhere_else(guarded: Open, path: str) -> None:
    """An address with two slashes would be another server's."""
    _, content = ask(guarded, path)
    assert re.findall(rb'url=(/[^/\\][^"]*)"', content)


def test_a_change_needs_our_pages_token(page: Open) -> None:
    """Without it, with a wrong one, from another page, or as a form, nothing is written."""
    path, body = f"/runs/{RUN_ID}/shortlist", {"candidate_ids": [], "after": 0, "by": "eve"}
    assert change(page, path, body, x_runoff_csrf="wrong")[0] == 403
    assert ask(page, path, "POST", body)[0].status == 403
    assert change(page, path, body, origin="http://evil.example")[0] == 403
    assert change(page, path, body, origin="null")[0] == 403
    assert change(page, path, body, content_type="application/x-www-form-urlencoded")[0] == 415
    assert change(page, path, {"by": "x" * 300_000})[0] == 413
    assert page.ledger.shortlists.last(RUN_ID) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_no_method_changes_anything_without_the_token(page: Open, method: str) -> None:
    """Every way to write is behind the same check."""
    for path in ("votes", "votes/undo", "folds", "shortlist", "confirm", "acceptances"):
        assert ask(page, f"/runs/{RUN_ID}/{path}", method, {})[0].status == 403
    assert page.shop.started == []


def test_every_answer_says_what_may_run(page: Open) -> None:
    """Scripts, styles and pictures from here only; nothing inline; no frame; nothing kept but pictures."""
    cid = page.drafts[0].candidate_id
    for path in ("/", *(f"/runs/{RUN_ID}{tail}" for tail in PAGES), "/nowhere", "/static/page.js"):
        answer, content = ask(page, path, accept="text/html")
        policy = str(answer.getheader("content-security-policy"))
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "data:" not in policy
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("cache-control") == "no-store"
        if path != "/static/page.js":
            assert not re.findall(rb"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|javascript:", content)
    assert "immutable" in str(ask(page, f"/thumbnails/{cid}")[0].getheader("cache-control"))
    assert ask(page, "/thumbnails/c-nobody")[0].getheader("cache-control") == "no-store"


def test_a_prompt_is_written_in_its_own_direction_on_every_page(page: Open) -> None:
    """Also where a script writes it."""
    assert b'class="prompt" dir="auto"' in ask(page, f"/runs/{RUN_ID}")[1]
    scripts = Path(review_room.__file__).parent / "static"
    written = [
        line for file in scripts.glob("*.js") for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"textContent: [\w.]*prompts?\b|make\(.*\.\.\.words\(", line)
    ]  # fmt: skip
    assert len(written) >= 3
    assert all('dir: "auto"' in line for line in written)


def test_what_a_campaign_says_is_never_markup(page: Open) -> None:
    """No page and no answer for a browser to read as a page holds a prompt's tag."""
    for tail in PAGES:
        assert SCRIPT.encode() not in ask(page, f"/runs/{RUN_ID}{tail}", accept="text/html")[1]
    answer, content = ask(page, f"/runs/{RUN_ID}/gallery.json")
    assert SCRIPT in json.loads(content)["prompts"]["A:0"]
    assert answer.getheader("content-type") == "application/json"
    answer, content = ask(page, f"/runs/{SCRIPT.replace('/', '%2F')}", accept="text/html")
    assert (answer.status, SCRIPT.encode() in content) == (404, False)


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/..%2f..%2fledger.db", "/pictures/../../ledger.db", "/static/../app.py",
        "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/pictures/drafts/p00.png", "/thumbnails/%00",
        "/otters/ledger.db",
        "/static//etc/passwd", "/duels/x/left", f"/runs/{RUN_ID}/candidates/..%2fx.json",
        "/openapi.json", "/docs",
    ],
)  # fmt: skip
def test_no_path_leads_out(page: Open, path: str) -> None:
    """Only ids are answered, and only files of the page itself."""
    answer, content = ask(page, path)
    assert answer.status in (404, 405)
    assert b"SQLite" not in content
    assert b"import " not in content


@pytest.fixture
def hostile(page: Open) -> Iterator[Any]:
    """Change where the ledger says a picture is, and put it right again."""
    name = page.drafts[0].candidate_id
    this_one = candidates.c.candidate_id == name
    kept = {"file": page.drafts[0].file, "thumbnail": page.drafts[0].inspection.thumbnail}  # type: ignore[union-attr]

    def place(file: str) -> str:
        with page.ledger.database.write() as connection:
            connection.execute(candidates.update().where(this_one).values(file=file, thumbnail=file))
        return name

    yield place
    with page.ledger.database.write() as connection:
        connection.execute(sa.update(candidates).where(this_one).values(kept))


@pytest.mark.parametrize("file", ["../../x", "../../ledger.db", "/etc/passwd", "drafts/../../../x", "drafts"])
def test_a_file_outside_of_its_run_is_not_sent(page: Open, hostile: Any, file: str) -> None:
    """Not even where the ledger itself names it; and a link that leads out is followed by nobody."""
    (page.home / "x").write_bytes((page.folder / "drafts/p00.png").read_bytes())
    link = page.folder / "drafts/link.png"
    link.unlink(missing_ok=True)
    link.symlink_to(page.home / "x")
    for name in (file, "drafts/link.png"):
        cid = hostile(name)
        for path in (f"/pictures/{cid}", f"/thumbnails/{cid}"):
            assert ask(page, path)[0].status == 404


@pytest.mark.parametrize("content", [SVG, b"<html><script>alert(1)</script>", b"", b"GIF", b"RIFF1234WAVE"])
def test_what_is_no_picture_is_not_sent(page: Open, hostile: Any, content: bytes) -> None:
    """By its first bytes, whatever its name says: an SVG could act."""
    (page.folder / "drafts/bad.png").write_bytes(content)
    assert ask(page, f"/pictures/{hostile('drafts/bad.png')}")[0].status == 404


def test_a_picture_is_sent_as_the_kind_it_is(page: Open) -> None:
    """The type comes from its bytes, and those are the ones on disk."""
    cid = page.drafts[0].candidate_id
    answer, content = ask(page, f"/pictures/{cid}")
    assert answer.getheader("content-type") == "image/png"
    assert content == (page.folder / page.drafts[0].file).read_bytes()
    assert ask(page, f"/thumbnails/{cid}")[0].getheader("content-type") == "image/webp"


def test_a_duel_tells_neither_arm_nor_picture(page: Open) -> None:
    """Neither in what the page is told, nor in the pictures' addresses and headers."""
    _, content = ask(page, f"/runs/{RUN_ID}/duel.json?voter=mara")
    told = json.loads(content)
    assert set(told) == {"duel", "n_done", "n_skipped", "n_wanted"}
    assert set(told["duel"]) == {"id", "about", "n_made_from"}
    assert told["duel"]["about"] in ("swimming", "asleep in kelp")
    for side in ("left", "right"):
        answer, _ = ask(page, f"/duels/{told['duel']['id']}/{side}")
        headers = " ".join(f"{name}: {value}" for name, value in answer.getheaders())
        assert answer.status == 200
        assert not any(word in headers for word in ("c-", "drafts", "p0", "A-0", "B-0"))
    assert ask(page, f"/duels/{told['duel']['id']}/both")[0].status == 422


def test_home_is_never_named_to_strangers(tmp_path: Path) -> None:
    """Where things lie on the disk is no business of an error."""
    with review_page(tmp_path) as opened:
        _, content = ask(opened, "/runs/nothing", accept="text/html")
        assert str(tmp_path).encode() not in content
