"""People on the review page: invited by a link, or named by a proxy; by name, with rights and a limit."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import flows.review as review_room
from flows.commands.review import review
from flows.review import visitors
from flows.review.root_path import normal_root_path
from flows.review.visitors import right_for
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import Open, fill_run, page_on
from tests.support.review_requests import ask, change

HERE = (ip_network("127.0.0.1"),)
PROXIED = {"proxies": HERE, "user_header": "X-Forwarded-User", "token": "owner"}


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve pages of a filled home by rules of access; a revoked invitation ends at once."""
    monkeypatch.setattr(visitors, "KNOWN_FOR_S", 0.0)
    with open_ledger(tmp_path) as ledger:
        drafts = fill_run(tmp_path, ledger)
        yield lambda **rules: page_on(tmp_path, ledger, drafts, **rules)


def entered(page: Open, token: str, **headers: str) -> str:
    """Open a link, and return the cookie that it leaves."""
    answer, _ = ask(page, f"/?token={token}", **headers)
    assert answer.status == 200
    return str(answer.getheader("set-cookie"))


def choose(page: Open, after: int = 0, **headers: str) -> tuple[int, Any]:
    """Choose the second draft as the only finalist."""
    body = {"candidate_ids": [page.drafts[1].candidate_id], "after": after, "by": "somebody else"}
    status, text = change(page, f"/runs/{RUN_ID}/shortlist", body, **headers)
    return status, json.loads(text)


def confirm(page: Open, revision: int = 1, **headers: str) -> tuple[int, Any]:
    """Confirm to buy."""
    body = {"revision": revision, "most_usd": "9", "by": "somebody else"}
    status, text = change(page, f"/runs/{RUN_ID}/confirm", body, **headers)
    return status, json.loads(text)


def test_an_invited_person_does_what_the_invitation_says_in_that_name(pages: Any) -> None:
    """Looks and chooses, and does not buy; in that name whatever is sent; until it is revoked."""
    with pages(token="owner") as page:
        invited = page.ledger.invitations
        token = invited.invite("Ann", "choose", None, by="mara", now=NOON)
        cookie = entered(page, token).split(";")[0]
        _, content = ask(page, f"/runs/{RUN_ID}", cookie=cookie)
        assert b'content="Ann"' in content
        assert b'data-may="choose"' in content
        assert choose(page, cookie=cookie)[0] == 200
        last = page.ledger.shortlists.last(RUN_ID)
        assert last.chosen_by == "Ann"
        status, told = confirm(page, cookie=cookie)
        assert (status, told["message"]) == (
            403, "Ann may choose here, and this needs the right to buy. Nothing was changed.",
        )  # fmt: skip
        assert page.shop.started == []
        assert change(page, f"/runs/{RUN_ID}/anything-new", {}, cookie=cookie)[0] == 403
        invited.revoke("Ann", by="mara", now=NOON)
        assert ask(page, "/", cookie=cookie)[0].status == 401
        assert ask(page, f"/?token={token}")[0].status == 401


def test_a_limit_in_dollars_counts_all_that_a_person_agrees_to(pages: Any) -> None:
    """A list that was not confirmed does not count; a further purchase beyond the limit is refused."""
    with pages(token="owner") as page:
        token = page.ledger.invitations.invite("Ann", "buy", Decimal("0.15"), by="mara", now=NOON)
        cookie = entered(page, token).split(";")[0]
        assert choose(page, cookie=cookie)[0] == 200
        assert confirm(page, revision=7, cookie=cookie)[0] == 409  # not the list that is there
        assert confirm(page, cookie=cookie)[0] == 200
        assert page.shop.started == [RUN_ID]
        last = page.ledger.shortlists.last(RUN_ID)
        assert last.confirmed_by == "Ann"
        assert choose(page, after=1, cookie=cookie)[0] == 200
        status, told = confirm(page, revision=2, cookie=cookie)
        assert status == 409
        assert "Ann has agreed to $0.1000 of $0.1500 so far. Nothing was bought." in told["message"]
        assert page.shop.started == [RUN_ID]


def test_a_trusted_proxy_names_the_user(pages: Any) -> None:
    """Invited by name or not; nobody without a name; and nobody else's header is believed."""
    with pages(**PROXIED) as page:
        page.ledger.invitations.invite("ann@example.org", "buy", None, by="mara", now=NOON)
        assert ask(page, "/")[0].status == 401
        for wrong in ("", "  ", "x" * 61, "a\tb"):
            assert ask(page, "/", x_forwarded_user=wrong)[0].status == 401
        assert choose(page, x_forwarded_user="bob@example.org")[0] == 403
        assert choose(page, x_forwarded_user="ann@example.org")[0] == 200
        _, content = ask(page, f"/runs/{RUN_ID}", x_forwarded_user="bob@example.org")
        assert b'data-may="vote"' in content
        assert b"Sign out" not in content
    with pages(**PROXIED | {"proxies": (ip_network("10.0.0.0/8"),)}) as page:
        assert ask(page, "/", x_forwarded_user="ann@example.org")[0].status == 401
        assert "Secure" not in entered(page, "owner", x_forwarded_proto="https")


def test_the_cookie_is_secure_behind_tls_and_can_be_thrown_away(pages: Any) -> None:
    """Of what a trusted proxy says; signing out needs our page, and leaves no cookie."""
    with pages(token="owner", proxies=HERE, root_path="/runoff") as page:
        cookie = entered(page, "owner", x_forwarded_proto="https")
        assert {"Secure", "HttpOnly", "Path=/runoff"} <= set(cookie.split("; "))
        assert "Secure" not in entered(page, "owner")
        mine = cookie.split(";")[0]
        assert b"Sign out" in ask(page, f"/runs/{RUN_ID}", cookie=mine)[1]
        assert ask(page, "/sign-out", "POST", {}, cookie=mine)[0].status == 403
        sent = {"cookie": mine, "x_runoff_csrf": page.access.csrf}
        answer, _ = ask(page, "/sign-out", "POST", {}, **sent)
        assert answer.status == 200
        assert "Max-Age=0; Path=/runoff" in str(answer.getheader("set-cookie"))


def test_under_a_path_every_address_of_ours_has_it(pages: Any) -> None:
    """Whether the proxy takes the path away or leaves it; texts of people stay as they are."""
    with pages(root_path="/runoff") as page:
        for path in (f"/runoff/runs/{RUN_ID}", f"/runs/{RUN_ID}"):
            answer, content = ask(page, path)
            assert answer.status == 200
            text = content.decode()
            assert 'href="/runoff/static/base.css"' in text
            assert f'href="/runoff/runs/{RUN_ID}/duels"' in text
            assert 'src="/static' not in text
        for file in (Path(review_room.__file__).parent / "static").glob("*.js"):
            _, script = ask(page, f"/runoff/static/{file.name}")
            assert re.findall(rb"[\"'`]/(?!runoff/)[a-z]|(?:assign|fetch)\(\"/\"", script) == [], file.name
        assert ask(page, "/runoff")[0].status == 200
        assert ask(page, "/runoffs")[0].status == 404
        assert ask(page, f"/runoff/runs/{RUN_ID}", "HEAD")[0].status == 405
        assert choose(page)[0] == 200
        assert confirm(page)[1]["finals"] == f"/runoff/runs/{RUN_ID}/finals"


def test_health_is_told_to_everybody_and_nothing_else_is(pages: Any) -> None:
    """By any name of the host, without a token."""
    with pages(token="owner") as page:
        answer, content = ask(page, "/health", host="10.1.2.3")
        assert (answer.status, json.loads(content)) == (200, {"ok": True})
        assert ask(page, "/health/x", host="evil.example")[0].status == 421
        page.ledger.database.engine.dispose()
        (page.home / "ledger.db").rename(page.home / "away.db")
        (page.home / "ledger.db").mkdir()
        assert ask(page, "/health")[0].status == 503


@pytest.mark.parametrize("text", ["/a/../b", "/a b", '/a"b', "//", "/a//b", "/.."])
def test_what_is_no_path_is_refused(text: str) -> None:
    """It would stand in attributes of the page."""
    if text == "//":
        assert normal_root_path(text) == ""
        return
    with pytest.raises(ValueError, match="is not a path such as /runoff"):
        normal_root_path(text)


def told(home: Path, *words: str, code: int = 0) -> str:
    """Give the command, which serves nothing here."""
    done = CliRunner().invoke(review, [*words, "--home", str(home)])
    assert done.exit_code == code, done.output
    return done.output


def test_people_are_invited_listed_and_revoked_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is for where people open the page, and is shown once."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
    monkeypatch.setenv("RUNOFF_PUBLIC_URL", "https://studio.example.org/runoff/")
    said = told(tmp_path, "--invite", "Ann", "--may", "buy", "--up-to", "20")
    assert "Ann may buy, for at most $20.00 in all." in said
    assert "\nhttps://studio.example.org/runoff/?token=" in said
    listed = told(tmp_path, "--invitations")
    assert "Ann  may buy, at most $20.00  invited by " in listed
    assert "token" not in listed
    assert "Ann is no longer invited." in told(tmp_path, "--revoke", "Ann")
    assert "Ann has no invitation." in told(tmp_path, "--revoke", "Ann")
    assert "Nobody is invited." in told(tmp_path, "--invitations")
    for words in (
        ("--user-header", "X-User"), ("--up-to", "5"), ("--invite", "Ann", "--up-to", "5"),
        ("--trusted-proxy", "nowhere"), ("--root-path", "a b"), ("--invite", "\t"),
    ):  # fmt: skip
        told(tmp_path, *words, code=2)


def test_a_change_that_is_not_known_needs_the_highest_right() -> None:
    """A path that only looks like a vote is none."""
    assert right_for(f"/runs/{RUN_ID}/votes") == "vote"
    assert right_for(f"/runs/{RUN_ID}/decline") == "choose"
    for path in (f"/runs/{RUN_ID}/more/votes", f"/runs/{RUN_ID}/confirm", "/votes", f"/runs/{RUN_ID}/votes/"):
        assert right_for(path) == "buy"
