"""Finals that must keep what the judge said of their drafts: asked about when accepted, refused when lost."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from flows.evaluation.finals import compare_finals
from flows.evaluation.kept import finals_to_judge
from flows.promotion.plan import promotion_plan
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from tasks.candidate import Candidate, Score
from tasks.ledger import Limits, Settlement
from tasks.order import OrderState
from tasks.orders.questions import Questions
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID
from tests.support.review_home import CAMPAIGN, Open, review_page
from tests.support.review_requests import buy_tries

STATEMENT = "The otter has two ears"
FINALS = CAMPAIGN["finals"] | {"method": "generate"}
JUDGED = CAMPAIGN | {
    "score": {
        "weights": {"technical": 1, "judge": 0},
        "judge": {"rubric": [{"statement": STATEMENT, "must": True}]},
    },
    "finals": FINALS | {"keep_statements": "must"},
}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A run whose finalists have two ears, by the judge."""
    with review_page(tmp_path) as opened:
        (opened.folder / "campaign.yaml").write_text(yaml.safe_dump(JUDGED))
        seen = {
            draft.candidate_id: {"judge": Score(1.0, "", {"judge_statement_1": 1.0})}
            for draft in opened.drafts
        }
        opened.ledger.candidates.record_scores(seen, {})
        yield opened


def stored(page: Open) -> StoredRun:
    """Find the run."""
    return StoredRun.find(Settings(page.home, os.environ), page.ledger, RUN_ID)


def finals(page: Open) -> list[Candidate]:
    """List the finals, the most faithful first."""
    return page.ledger.candidates.of_run(RUN_ID, "final")


def ask(page: Open, final: Candidate, answer: str | None) -> None:
    """Ask the judge about a final; without an answer it is lost, and nobody knows whether it was billed."""
    run = stored(page)
    order = Questions(run.campaign, RUN_ID, str(run.folder)).about(final)
    page.ledger.orders.plan([order])
    page.ledger.orders.send(order, Limits(), NOON)
    parts = {"statement_1": {"reason": "", "answer": answer}, "overall": {"reason": "", "grade": "good"}}
    state: OrderState = "unknown" if answer is None else "received"
    content = None if answer is None else json.dumps(parts)
    page.ledger.orders.settle(order.order_id, Settlement(state, is_charged=True), (), content)


def test_the_best_final_that_keeps_the_statement_is_accepted(page: Open) -> None:
    """Only what would be accepted is asked about; each answer decides again, and nothing is asked twice."""
    buy_tries(page, page.drafts[0].candidate_id, (0.9, 0.8))
    compare_finals(stored(page))
    first, second = finals(page)
    assert [one.candidate_id for one in finals_to_judge(stored(page))] == [first.candidate_id]

    ask(page, first, "no")
    compare_finals(stored(page))
    assert [one.is_accepted for one in finals(page)] == [False, True]
    assert [one.candidate_id for one in finals_to_judge(stored(page))] == [second.candidate_id]

    ask(page, second, "no")
    compare_finals(stored(page))
    assert [one.is_accepted for one in finals(page)] == [False, False]
    assert finals_to_judge(stored(page)) == []
    (reason,) = {one.choice.reason for one in finals(page) if one.choice}
    assert reason.startswith(f"not as its draft: “{STATEMENT}” is true of the draft and not of the final")


def test_a_lost_answer_refuses_nothing_and_is_reported(page: Open) -> None:
    """The final is accepted and said to be unjudged, in its reason and in the report's warnings."""
    buy_tries(page, page.drafts[0].candidate_id, (0.9,))
    compare_finals(stored(page))
    ask(page, finals(page)[0], None)
    compare_finals(stored(page))
    (final,) = finals(page)
    assert final.is_accepted
    assert final.choice is not None
    assert final.choice.reason.endswith(f"unjudged: not known whether “{STATEMENT}” is still true")
    warnings = write_run_report(stored(page)).facts.warnings
    assert any("accepted unjudged" in warning for warning in warnings)


def test_the_price_of_a_promotion_has_its_questions(page: Open) -> None:
    """Of each finalist whose draft has something to keep, for every attempt; and the sentence says so."""
    settings = Settings(page.home, os.environ)
    judged = promotion_plan(settings, RUN_ID)
    (page.folder / "campaign.yaml").write_text(yaml.safe_dump(JUDGED | {"finals": FINALS}))
    plain = promotion_plan(settings, RUN_ID)
    assert (judged.n_finals, judged.is_judged, plain.is_judged) == (plain.n_finals, True, False)
    question_usd = (judged.first_usd - plain.first_usd) / judged.n_finals
    assert question_usd > 0
    assert judged.all_usd - plain.all_usd == 2 * judged.n_finals * question_usd
    assert sum(judged.of_finalist_usd.values()) == judged.first_usd
    assert "each judged" in judged.sentence
