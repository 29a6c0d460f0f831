"""A run is looked at and decided about though what it was bought with is known no more."""

import os
from pathlib import Path

import pytest

from flows.promotion.plan import promotion_plan
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.review_home import CAMPAIGN, change_campaign, filled_home, review_page
from tests.support.review_requests import ask
from tests.support.shell import Shell

GONE = CAMPAIGN | {
    "provider": "gone-shop",
    "arms": CAMPAIGN["arms"] | {"B": CAMPAIGN["arms"]["B"] | {"provider": "another-gone-shop"}},
    "drafts": CAMPAIGN["drafts"] | {"model": "gone-model"},
    "finals": CAMPAIGN["finals"] | {"model": "gone-model"},
    "score": {
        "weights": {"technical": 1, "judge": 1},
        "judge": {"model": "gone-judge", "rubric": ["The otter is the subject"]},
    },
}
"""Its providers are no longer in providers.yaml, and its models not in the catalogue."""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Somebody who has taken a provider and its models away."""
    return Shell(filled_home(tmp_path, **GONE), {})


@pytest.mark.parametrize(
    "words",
    [
        "report", "verdict", "rescore", "share", "explain RUN p00", "grid", "duplicates", "judge",
        "decline", "runs", "ledger spend", "runs --prune --older-than 0d --yes",
    ],
)  # fmt: skip
def test_what_buys_nothing_works(words: str, shell: Shell) -> None:
    """All it needs is in the home."""
    given = words.replace("RUN", RUN_ID).split()
    given += [RUN_ID] if len(given) == 1 and words != "runs" else []
    done = shell.runoff(*given, "--home", shell.home)
    assert done.returncode == 0, done.stderr


def test_a_scorer_that_is_not_installed_any_more_is_needed_only_to_score(shell: Shell) -> None:
    """Its scores are in the ledger."""
    change_campaign(shell.home, **(GONE | {"score": {"weights": {"technical": 1, "of-my-own": 2}}}))
    assert shell.runoff("report", RUN_ID, "--home", shell.home).returncode == 0
    rescored = shell.runoff("rescore", RUN_ID, "--home", shell.home)
    assert (rescored.returncode, "of-my-own: no such scorer" in rescored.stderr) == (1, True)


def test_what_would_buy_names_all_that_is_gone(shell: Shell) -> None:
    """Nothing is bought."""
    done = shell.runoff("promote", RUN_ID, "--yes", "--home", shell.home)
    assert done.returncode == 2
    for name in ("gone-shop", "another-gone-shop", "gone-model", "gone-judge"):
        assert repr(name) in done.stderr


def test_the_review_page_shows_the_run_and_says_why_nothing_can_be_bought(tmp_path: Path) -> None:
    """Every page opens."""
    with review_page(tmp_path) as page:
        change_campaign(tmp_path, **GONE)
        settings = Settings(tmp_path, os.environ)
        page.shop.price = lambda run_id: promotion_plan(settings, run_id)  # type: ignore[method-assign, assignment, return-value]
        for path in ("", f"/runs/{RUN_ID}", f"/runs/{RUN_ID}/finalists", f"/runs/{RUN_ID}/duels"):
            answer, content = ask(page, path or "/")
            assert answer.status == 200, (path, content)
        answer, content = ask(page, f"/runs/{RUN_ID}/shortlist.json")
        assert (answer.status, b"there is no provider 'gone-shop'" in content) == (200, True)
