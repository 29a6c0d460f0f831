"""A review page on a run that a judge has answered about."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from flows.evaluation.run_questions import questions_of
from flows.runs.run import StoredRun
from tasks.campaign.statements import statements_of
from tasks.ledger import Ledger, Limits, Settlement
from tasks.orders.questions import worth_judging
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID
from tests.support.review_home import CAMPAIGN, Open, review_page

OTTER, WET = "It shows an otter {{ action }}", "The otter is wet"
RUBRIC = [OTTER, {"statement": WET, "depends_on": OTTER}, "<b>There</b> is no text"]


def judge_run(opened: Open, rubric: Sequence[object] = RUBRIC) -> StoredRun:
    """Have a run judged: no otter in every third picture, and text in every second."""
    campaign = CAMPAIGN | {"score": {"weights": {"technical": 1, "judge": 3}, "judge": {"rubric": rubric}}}
    (opened.folder / "campaign.yaml").write_text(yaml.safe_dump(campaign))
    run = stored_run(opened.home, opened.ledger)
    questions = questions_of(run)
    for number, picture in enumerate(worth_judging(run.read_candidates("draft"))):
        verdicts = {1: number % 3 > 0, 2: True, 3: number % 2 > 0}
        parts: dict[str, object] = {
            f"statement_{place}": {"reason": "seen", "answer": "yes" if verdicts[place] else "no"}
            for place in range(1, len(statements_of(run.campaign, picture.row, picture.arm)) + 1)
        }
        order = questions.about(picture)
        opened.ledger.orders.plan([order])
        opened.ledger.orders.send(order, Limits(), NOON)
        text = json.dumps(parts | {"overall": {"reason": "", "grade": "good"}})
        opened.ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), (), text)
    return run


def stored_run(home: Path, ledger: Ledger) -> StoredRun:
    """Read the run as it is now."""
    return StoredRun.find(Settings(home, os.environ), ledger, RUN_ID)


@contextmanager
def judged_page(home: Path) -> Iterator[Open]:
    """Serve a page on a run of eight judged pictures."""
    with review_page(home) as opened:
        judge_run(opened)
        yield opened
