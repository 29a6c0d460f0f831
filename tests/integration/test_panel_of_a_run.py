"""What a panel answered, read from the ledger: opinions, warnings, and whom people are asked about first."""

import json
from pathlib import Path

import yaml

from flows.evaluation.panel import best_pictures, panel_questions, panel_warnings, read_panel
from flows.evaluation.run_questions import questions_of
from flows.evaluation.scores import add_bought_scores
from tasks.ledger import Limits, Settlement
from tasks.money import format_share
from tasks.order import Order
from tests.support.builders import NOON
from tests.support.judged_page import RUBRIC, judge_run, stored_run
from tests.support.review_home import CAMPAIGN, Open, review_page
from tests.support.review_requests import read

PANEL = {"judges": [{"model": "gpt-6-luna", "provider": "openai"}], "best": 3}


def answer_no(page: Open, order: Order) -> None:
    """Answer every statement of a question with no."""
    page.ledger.orders.plan([order])
    page.ledger.orders.send(order, Limits(), NOON)
    no = {"reason": "", "answer": "no"}
    parts = {f"statement_{number}": no for number in range(1, len(RUBRIC) + 1)}
    text = json.dumps(parts | {"overall": {"reason": "", "grade": "bad"}})
    page.ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), (), text)


def test_opinions_come_from_what_was_asked_and_a_silent_judge_is_named(tmp_path: Path) -> None:
    """One picture was looked at, one could not be asked about: no number, but a warning."""
    with review_page(tmp_path) as page:
        judge_run(page)
        score = {"weights": {"technical": 1, "judge": 3}, "judge": {"rubric": RUBRIC}, "panel": PANEL}
        (page.folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN | {"score": score}))
        run = stored_run(page.home, page.ledger)
        add_bought_scores(run)
        drafts = run.read_candidates("draft")
        best = best_pictures(run.campaign, drafts)
        assert len(best) == 3
        assert read_panel(run, drafts) == {}
        assert panel_warnings(run, drafts) == [], "nobody was asked yet"
        (questions,) = panel_questions(questions_of(run))
        answer_no(page, questions.about(best[0]))
        page.ledger.orders.plan([questions.about(best[1])])
        (name,) = opinions = read_panel(run, drafts)
        assert name == best[0].candidate_id
        assert opinions[name].judges == 2
        assert opinions[name].disagreement is not None
        assert panel_warnings(run, drafts) == [
            "score.panel: gpt-6-luna at openai gave no answer about 1 of 3 pictures (it was not asked);"
            " finalists are chosen by the other judges."
        ]
        assert read(page, "/statements.json?person=mara")["pictures"][0]["id"] == name


def test_a_share_reads_as_somebody_wrote_it() -> None:
    """Small ones too."""
    shares = (0.5, 0.125, 0.07, 0.00001, 1, 2)
    assert [format_share(one) for one in shares] == ["50%", "12.5%", "7%", "0.001%", "100%", "200%"]
