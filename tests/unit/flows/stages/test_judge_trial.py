"""The judge's first dozen answers: a rubric that all pictures meet is said before the rest is paid."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flows.stages.judge_trial import N_FIRST, first_of_all, tell_if_alike
from tasks.catalogue.estimates import Estimates
from tasks.judging.replies import Reply
from tasks.order import Order
from tasks.orders.judging_plan import plan_judging
from tasks.orders.questions import Questions
from tests.support.builders import NOON
from tests.support.judge_builders import RUBRIC, judged, seen
from tests.support.ledgers import open_ledger
from tests.support.planning import CATALOGUE, PROVIDERS, RUN

ESTIMATES = Estimates(CATALOGUE, PROVIDERS.provider("openai"))
JUDGE_ALONE = judged(score={"weights": {"judge": 1}, "judge": {"rubric": RUBRIC}})


class Answers:
    """The answers that came, by question."""

    def __init__(self, by_question: Mapping[str, str]) -> None:
        self._by_question = by_question

    def replies(self, _: str, questions: Sequence[str]) -> dict[str, Reply]:
        """Give them as replies."""
        return {question: Reply(text) for question, text in self.find(questions).items()}

    def find(self, questions: Sequence[str]) -> dict[str, str]:
        """Give their texts."""
        return {
            question: self._by_question[question] for question in questions if question in self._by_question
        }


def answer(*verdicts: str, grade: str = "excellent") -> str:
    """Write a judge's answer."""
    told = {f"statement_{number}": {"reason": "", "answer": word} for number, word in enumerate(verdicts, 1)}
    return json.dumps({**told, "overall": {"reason": "", "grade": grade}})


def ask(folder: Path, texts: Sequence[str], campaign: Any = JUDGE_ALONE, n_pictures: int = 40) -> list[str]:
    """Ask about pictures, of which the first have answers; returns what is said and warned of."""
    questions = Questions(campaign, RUN, "/runs/otter", ESTIMATES)
    drafts = [
        seen(f"c-{n:02d}", arm="AB"[n % 2], row=n // 2 % 3, replicate=n // 6, sha256=f"{n:064x}")
        for n in range(n_pictures)
    ]
    orders: list[Order] = [questions.about(draft) for draft in first_of_all(drafts)]
    said: list[str] = []
    folder.mkdir(exist_ok=True)
    with open_ledger(folder) as ledger:
        ledger.runs.start(RUN, campaign="otter", provider="openai", now=NOON)
        came = Answers({order.question: text for order, text in zip(orders, texts, strict=False)})
        around = SimpleNamespace(answers=came, database=ledger.database, runs=ledger.runs)
        run = SimpleNamespace(
            ledger=around, run_id=RUN, campaign=campaign, display=SimpleNamespace(say=said.append)
        )
        tell_if_alike(cast("Any", run), questions, first_of_all(drafts), "yes_no")
        warned = list(ledger.runs.find(RUN).warnings)
    assert [line.removesuffix(" Ctrl-C stops asking; what is paid is kept.") for line in said] == warned
    return warned


def test_full_marks_for_a_dozen_are_said_with_what_the_rest_and_pairs_would_cost(tmp_path: Path) -> None:
    """The price of the rest is the sum of its reserves; that of pairs the plan's."""
    (warning,) = ask(tmp_path, [answer("yes", "yes")] * N_FIRST)
    assert warning.startswith(
        "The judge gave the first 12 pictures full marks: its rubric may not tell the arms"
    )
    assert "Asking about the other 28 pictures costs up to $0.0" in warning
    pairs = plan_judging(judged(score={"weights": {"duel": 1}, "duel": {}}), ESTIMATES)
    assert pairs is not None
    assert pairs.high_usd > Decimal(0)
    assert f"score.weights: {{duel: 1}}, up to ${pairs.high_usd:.2f}"[:-1] in warning


@pytest.mark.parametrize(
    "texts",
    [
        [answer("yes", "yes")] * (N_FIRST - 1) + [answer("yes", "no")],
        [answer("yes", "yes")] * (N_FIRST - 1) + ["no JSON"],
        [answer("yes", "yes")] * (N_FIRST - 1),
    ],
    ids=["one differs", "one is unreadable", "one is missing"],
)
def test_answers_that_vary_or_are_too_few_are_not_said(tmp_path: Path, texts: list[str]) -> None:
    """A dozen equal ones are needed."""
    assert ask(tmp_path, texts) == []


def test_nothing_is_said_where_nothing_is_left_to_pay(tmp_path: Path) -> None:
    """All pictures are answered already, or there is no more than a dozen."""
    assert ask(tmp_path, [answer("yes", "yes")] * 40) == []
    assert ask(tmp_path / "b", [answer("yes", "yes")] * 12, n_pictures=12) == []


def test_another_score_for_all_is_named_and_duels_that_are_asked_for_are_not_proposed(tmp_path: Path) -> None:
    """Half marks say as little as full ones."""
    (warning,) = ask(tmp_path, [answer("no", "no", grade="bad")] * N_FIRST, judged())
    assert "the same score (0.00)" in warning
    assert warning.endswith("Duels compare the pictures too: sharpen the rubric, or leave it out.")


def test_the_first_dozen_is_of_every_arm_and_row() -> None:
    """Each once, before any of them twice."""
    drafts = [seen(f"c-{n}", arm="AB"[n % 2], row=n % 3, replicate=n // 6) for n in range(24)]
    first = first_of_all(drafts)[:6]
    assert {(draft.arm, draft.row) for draft in first} == {(arm, row) for arm in "AB" for row in range(3)}
