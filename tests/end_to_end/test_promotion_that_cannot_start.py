"""Somebody confirms on the page, and the purchase cannot be started: the word stays, and the command buys."""

import os
import sys

import pytest

from flows.promotion.child_process import ChildPromoter
from flows.review.access import Access
from flows.review.app import create_app
from flows.review.page_context import PageContext
from flows.review.server import listen, serving
from tasks.settings import Settings
from tests.support.provider import OpenProvider
from tests.support.review_home import NotingFurtherBuyer, Open, Shop
from tests.support.review_requests import change
from tests.support.shell import Shell


@pytest.mark.slow
def test_the_list_stays_confirmed_and_the_command_goes_on(
    shell: Shell, open_provider: OpenProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was ordered by the page; `runoff promote` buys each finalist once, by the word on the page."""
    provider = open_provider()
    made = shell.json("run", shell.campaign({"finalists": {"count": 2, "approval": "review"}}))
    before, run_id = provider.n_requests, made["run_id"]
    for name, value in shell.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "executable", str(shell.home / "no-python"))
    with shell.ledger() as ledger:
        listener = listen("127.0.0.1", 0)
        access = Access("127.0.0.1", listener.getsockname()[1], frozenset(), None)
        settings = Settings(shell.home, os.environ)
        room = PageContext(settings, ledger, ChildPromoter(settings), access, "mara")
        with serving(create_app(room), listener):
            page = Open(shell.home, ledger, access, Shop(ledger), [], NotingFurtherBuyer(settings))
            word = {"by": "mara", "revision": 0, "most_usd": "1.00"}
            status, told = change(page, f"/runs/{run_id}/confirm", word)
        shortlist = ledger.shortlists.last(run_id)
    assert status == 409
    assert "confirmed, but they are not being bought: the purchasing process could not be started" in told
    assert f"runoff promote {run_id}" in told
    assert str(shell.home) not in told, "a page tells no paths"
    assert shortlist is not None
    assert (shortlist.confirmed_by, provider.n_requests) == ("mara", before)

    bought = shell.json("promote", run_id, "--yes")
    assert (bought["state"], bought["accepted"]) == ("done", 2)
    assert provider.n_requests == before + 2
    assert shell.json("promote", run_id, "--yes")["finals"] == 2
    assert provider.n_requests == before + 2
