"""Somebody at the review page chooses finalists and has them bought, as often as it takes."""

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from flows.promotion.child_process import ChildPromoter
from flows.review.access import CSRF_HEADER, Access
from flows.review.app import create_app
from flows.review.page_context import PageContext
from flows.runs.lock import is_free
from tasks.ledger import open_existing_ledger
from tasks.settings import Settings
from tasks.storage.home import run_folder
from tests.support.child_process import wait_until


def buy_on_page(home: str, run_id: str) -> None:
    """Choose the finalists that the rule chose, confirm their price, and wait for the purchase."""
    settings = Settings.of(home, {"PATH": ""})
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        # An earlier page was killed; the process that buys for it goes on.
        wait_until(lambda: is_free(ledger, run_folder(settings.home, "otters", run_id)), 60)
        promoter, access = ChildPromoter(settings), Access("127.0.0.1", 80, frozenset(), None)
        app = create_app(PageContext(settings, ledger, promoter, access, "mara"))
        page = TestClient(app, base_url="http://127.0.0.1", headers={CSRF_HEADER: access.csrf})
        drafts = ledger.candidates.of_run(run_id, "draft")
        chosen = [draft.candidate_id for draft in drafts if draft.is_finalist]
        shortlist = page.get(f"/runs/{run_id}/shortlist.json").json()
        word = {"by": "mara", "candidate_ids": chosen, "after": shortlist["revision"]}
        last = ledger.shortlists.last(run_id)
        if last is None or (last.confirmed_at and promoter.price(run_id).has_work):
            # As the page does: a list that was confirmed gets a new revision to be confirmed again.
            shortlist = _say(page, f"/runs/{run_id}/shortlist", word)
        if promoter.price(run_id).has_work:
            bought = {"by": "mara", "revision": shortlist["revision"], "most_usd": "1.00"}
            _say(page, f"/runs/{run_id}/confirm", bought)
        promoter.wait()


def _say(page: TestClient, path: str, word: dict[str, object]) -> dict[str, Any]:
    answer = page.post(path, json=word)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def make_older_ledger(home: str, version: str) -> None:
    """Make the ledger of an earlier version."""
    from tests.support.ledgers import open_older_ledger

    open_older_ledger(Path(home), version).close()
