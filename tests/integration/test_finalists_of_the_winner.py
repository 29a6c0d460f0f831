"""``finalists: {from: winner}``: the run's verdict decides of which arms finalists are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from flows.command_line import runoff
from flows.evaluation.drafts import select_finalists
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from tasks.decisions import Shortlist
from tasks.ledger import Ledger
from tasks.settings import Settings
from tests.support.builders import NOON
from tests.support.ledgers import open_ledger
from tests.support.nights import STOPPING, add_night
from tests.support.review_home import review_page
from tests.support.review_requests import read, say, survivors

KINDS = [{"action": f"doing {n}", "kind": "places" if n % 2 else "words"} for n in range(12)]
OF_WINNER = STOPPING | {"finalists": {"from": "winner", "per_row": 1}, "rows": KINDS}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger."""
    opened = open_ledger(tmp_path)
    yield opened
    opened.close()


def chosen(home: Path, ledger: Ledger, campaign: dict[str, Any], lift: Any) -> tuple[StoredRun, list[str]]:
    """Select the finalists of a new run of two arms; returns the run, and each row's arm."""
    run_id = add_night(home, ledger, 0, {"A": 0.0, "B": lift}, campaign=campaign)
    run = StoredRun.find(Settings(home, {}), ledger, run_id)
    select_finalists(run)
    return run, arms_of_finalists(run)


def arms_of_finalists(run: StoredRun) -> list[str]:
    """List the finalists' arms, row by row."""
    drafts = sorted(run.read_candidates("draft"), key=lambda draft: (draft.row, draft.arm))
    return [draft.arm for draft in drafts if draft.is_finalist]


def by_kind(row: int) -> float:
    """B is better for words, and as much worse for places."""
    return -0.15 if row % 2 else 0.15


def test_the_arm_that_won_has_all_finalists(tmp_path: Path, ledger: Ledger) -> None:
    """The report says which; a person's list overrides it."""
    run, arms = chosen(tmp_path, ledger, OF_WINNER, 0.1)
    assert arms == ["B"] * 12
    facts = write_run_report(run).facts
    assert facts.without_finalist == {}
    assert str(facts.finalists).endswith("Finalists are of the arm that won: B on the whole.")
    assert "Finalists are of the arm that won: B" in (run.folder / "report.html").read_text()
    losing = next(draft for draft in run.read_candidates("draft") if draft.arm == "A")
    words = ["explain", run.run_id, losing.candidate_id, "--home", str(tmp_path)]
    told = CliRunner().invoke(runoff, words, catch_exceptions=False).stdout
    assert "no  from            of the arm that won, if one did: arm B won" in told
    ledger.shortlists.choose(run.run_id, [losing.candidate_id], after=0, by="ana", now=NOON)
    assert select_finalists(run) == 1
    assert isinstance(ledger.shortlists.last(run.run_id), Shortlist)
    assert arms_of_finalists(run) == ["A"]


def test_segments_that_the_campaign_names_have_winners_of_their_own(tmp_path: Path, ledger: Ledger) -> None:
    """On the whole there is none. Without ``ab_test.segments`` all arms count, though a segment was found."""
    named = OF_WINNER | {"ab_test": {"segments": ["kind"]}}
    run, arms = chosen(tmp_path, ledger, named, by_kind)
    assert arms == ["B", "A"] * 6
    told = write_run_report(run).facts.finalists
    assert 'A for kind "places"' in str(told)
    assert 'B for kind "words"' in str(told)
    unnamed = run.decided_by(run.campaign.model_copy(update={"ab_test": type(run.campaign.ab_test)()}))
    select_finalists(unnamed)
    reasons = {draft.choice.reason for draft in run.read_candidates("draft") if draft.choice}
    assert any(reason.endswith("no arm won, so all count") for reason in reasons)
    assert set(arms_of_finalists(run)) == {"A", "B"}


def test_the_rule_is_off_unless_asked_for(tmp_path: Path, ledger: Ledger) -> None:
    """The default chooses the best pictures of all arms, and no verdict is computed for it."""
    _, arms = chosen(tmp_path, ledger, STOPPING | {"finalists": {"count": 12}, "rows": KINDS}, 0.02)
    assert set(arms) == {"A", "B"}


def test_the_page_says_by_what_rule_finalists_were_chosen(tmp_path: Path) -> None:
    """While nobody has chosen; a run of few pictures has no winner."""
    with review_page(tmp_path) as page:
        file = page.folder / "campaign.yaml"
        rule = {"from": "winner", "count": 2}
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"finalists": rule}))
        assert read(page, "/shortlist.json")["rule"] == "No arm won, so finalists are of all arms."
        first = survivors(page)[0]
        say(page, "/shortlist", candidate_ids=[first], after=0)
        assert read(page, "/shortlist.json")["rule"] == ""
