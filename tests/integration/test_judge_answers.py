"""Answers find their pictures by what was asked, whatever the order in which they were asked and came."""

import random
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from flows.evaluation.judge_answers import JudgeAnswers, pools, read_judge_answers
from flows.stages.judging import next_round
from tasks.candidate import Candidate, Standing
from tasks.ledger import Ledger, Limits, Settlement
from tasks.order import Order
from tasks.orders.questions import Questions, worth_judging
from tests.support.builders import NOON
from tests.support.every_day import some_every_day
from tests.support.judge_builders import BOTH, judged, seen
from tests.support.ledgers import open_ledger
from tests.support.planning import RUN


def a_ledger(folder: Path) -> Ledger:
    """Open a ledger with a run."""
    ledger = open_ledger(folder)
    ledger.runs.start(RUN, campaign="otter", provider="openai", now=NOON)
    return ledger


def answer(ledger: Ledger, order: Order) -> None:
    """Settle a question with words that name its pictures."""
    ledger.orders.send(order, Limits(), NOON)
    content = " ".join(reference.sha256 for reference in order.references)
    ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), (), content)


def drafts_of(n: int) -> list[Candidate]:
    """Make survivors of two rows and two arms."""
    return [seen(f"c-{k}", arm="AB"[k % 2], row=k % 3 % 2, replicate=k) for k in range(n)]


@pytest.mark.parametrize("seed", some_every_day(range(6), lambda seed: seed < 2))
def test_position_is_never_identity_in_any_order_of_answers(tmp_path: Path, seed: int) -> None:
    """Drafts, questions and answers are shuffled apart; each opinion still is its own picture's."""
    chance = random.Random(seed)
    drafts = drafts_of(8)
    chance.shuffle(drafts)
    questions = Questions(judged(), RUN, "/runs/otter")
    orders = [questions.about(draft) for draft in drafts]
    orders += [questions.between(*pair) for pool in pools(drafts).values() for pair in permutations(pool, 2)]
    chance.shuffle(orders)
    with a_ledger(tmp_path) as ledger:
        ledger.orders.plan(orders)
        chance.shuffle(orders)
        for order in orders:
            answer(ledger, order)
        chance.shuffle(drafts)
        found = read_judge_answers(ledger, questions, drafts)
    assert {name: reply.content for name, reply in found.replies.items()} == {
        draft.candidate_id: draft.sha256 for draft in drafts
    }
    rows = {draft.candidate_id: draft.row for draft in drafts}
    assert len(found.duels) == len(orders) - 8
    for duel in found.duels:
        assert duel.reply.content == f"{duel.first_id} {duel.second_id}"
        assert rows[duel.first_id] == rows[duel.second_id] == duel.row


def test_equal_bytes_share_one_answer_and_copies_have_none(home: Path) -> None:
    """Survivors of the same bytes are asked about once, and share the opinion; on either database."""
    twin, other = seen("c-1", sha256="same"), seen("c-2", sha256="same", replicate=1)
    copy = seen("c-3", sha256="copy", standing=Standing("duplicate", "c-1", "c-1", "near", 2))
    questions = Questions(judged(), RUN, "/runs/otter")
    (asked,) = worth_judging([twin, other, copy])
    with a_ledger(home) as ledger:
        ledger.orders.plan([questions.about(asked)])
        answer(ledger, questions.about(asked))
        found = read_judge_answers(ledger, questions, [twin, other, copy])
    assert set(found.replies) == {"c-1", "c-2"}


def test_the_same_bytes_in_another_row_are_asked_what_that_row_asks(tmp_path: Path) -> None:
    """A picture of one row never answers for another one, nor for an arm that is asked otherwise."""
    rubric = [{"statement": "It is {{ place }}"}, {"statement": "It is by {{ arm }}", "per_arm": True}]
    campaign = judged(score={"weights": {"judge": 1}, "judge": {"rubric": rubric}})
    questions = Questions(campaign, RUN, "/runs/otter")
    pictures = [
        seen("c-1", sha256="same"), seen("c-2", sha256="same", row=1), seen("c-3", sha256="same", arm="B")
    ]  # fmt: skip
    orders = [questions.about(one) for one in pictures]
    assert len({order.question for order in orders}) == 3
    with a_ledger(tmp_path) as ledger:
        ledger.orders.plan(orders[:2])
        answer(ledger, orders[0])
        answer(ledger, orders[1])
        found = read_judge_answers(ledger, questions, pictures)
    assert set(found.replies) == {"c-1", "c-2"}
    assert [one.candidate_id for one in worth_judging(pictures)] == ["c-1", "c-2"]


def test_half_asked_pairs_and_unanswered_questions_are_told_apart(tmp_path: Path) -> None:
    """What was asked stands in the order in which it was asked, answered or not."""
    drafts = [replace(draft, row=0) for draft in drafts_of(3)]
    questions = Questions(judged(), RUN, "/runs/otter")
    first = questions.between(drafts[0], drafts[1])
    lost = questions.between(drafts[1], drafts[2])
    with a_ledger(tmp_path) as ledger:
        ledger.orders.plan([first, lost])
        answer(ledger, first)
        ledger.orders.send(lost, Limits(), NOON)
        ledger.orders.settle(lost.order_id, Settlement("unknown"))
        found = read_judge_answers(ledger, questions, drafts)
    assert found.asked(0) == {("c-0", "c-1"), ("c-1", "c-2")}
    assert found.asked(1) == set()
    assert next_round(found, 0, drafts, 9) == [("c-1", "c-0"), ("c-2", "c-1")]
    assert [duel.reply.fault for duel in found.duels] == ["", "no answer"]


def test_a_row_is_asked_about_until_it_has_its_pairs(tmp_path: Path) -> None:
    """Both orders of each pair, no pair twice, and then no more."""
    drafts = [replace(draft, row=0) for draft in drafts_of(4)]
    questions = Questions(judged(), RUN, "/runs/otter")
    by_id = {draft.candidate_id: draft for draft in drafts}
    asked: list[tuple[str, str]] = []
    with a_ledger(tmp_path) as ledger:
        while pairs := next_round(read_judge_answers(ledger, questions, drafts), 0, drafts, 5):
            orders = [questions.between(by_id[first], by_id[second]) for first, second in pairs]
            ledger.orders.plan(orders)
            for order in orders:
                answer(ledger, order)
            asked += pairs
    assert len(asked) == len(set(asked)) == 2 * 5
    assert {(second, first) for first, second in asked} == set(asked)
    assert next_round(JudgeAnswers({}, []), 0, drafts[:1], 5) == []


def test_what_the_campaign_does_not_weigh_is_not_looked_for(tmp_path: Path) -> None:
    """Settings alone ask nothing."""
    subject = judged(score=BOTH | {"weights": {"technical": 1}})
    questions = Questions(subject, RUN, "/runs/otter")
    drafts = drafts_of(2)
    with a_ledger(tmp_path) as ledger:
        order = Questions(judged(), RUN, "/runs/otter").about(drafts[0])
        ledger.orders.plan([order])
        answer(ledger, order)
        found = read_judge_answers(ledger, questions, drafts)
    assert (dict(found.replies), list(found.duels)) == ({}, [])
