"""Duels: pairs that teach most, asked in both orders, and the strengths that come of them."""

import itertools
import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.judging.duels import (
    Pair,
    duel_prompt,
    in_both_orders,
    meetings_of,
    most_pairs,
    next_pairs,
    read_duel_answer,
)
from tasks.judging.replies import DuelReply, Reply
from tasks.scorers import Assignment, load_scorer
from tasks.scorers.duel import DuelScorer
from tests.support.draft_builders import a_draft
from tests.support.judge_builders import MODEL, RUBRIC

HERE = Path()

Judge = Callable[[str, str], str]


def said(better: str) -> Reply:
    """Write an answer."""
    return Reply(json.dumps({"reason": "seen", "better": better}))


def ask(judge: Judge, *pairs: Pair, row: int = 0) -> list[DuelReply]:
    """Ask a judge about pairs, in both orders."""
    return [DuelReply(row, a, b, said(judge(a, b))) for a, b in in_both_orders(pairs)]


def by_name(first: str, second: str) -> str:
    """Find the later name better."""
    return "first" if first > second else "second"


def hold(pool: list[str], per_row: int, judge: Judge) -> list[DuelReply]:
    """Hold the duels of one row, round by round."""
    duels: list[DuelReply] = []
    while True:
        asked = {(duel.first_id, duel.second_id) for duel in duels}
        n_left = most_pairs(len(pool), per_row) - len({frozenset(pair) for pair in asked})
        pairs = next_pairs(pool, asked, duels, n_left)
        if not pairs:
            return duels
        duels += ask(judge, *pairs)


def values_of(duels: list[DuelReply], pool: list[str]) -> dict[str, float | None]:
    """Score a pool."""
    scorer = DuelScorer(MODEL, RUBRIC, duels)
    return {name: scorer.score(a_draft(name), HERE).value for name in pool}


def test_the_question_names_the_rubric_only_when_there_is_one() -> None:
    """Without one the pictures are compared as a whole."""
    assert duel_prompt(RUBRIC).startswith(duel_prompt(()))
    assert "- The light is good" in duel_prompt(RUBRIC)


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ('{"better": "first"}', 1.0),
        ('{"better": "tie"}', 0.5),
        ('{"better": "second"}', 0.0),
        ('{"better": "third"}', None),
        ('{"better": ["first"]}', None),
        ("{}", None),
        ("first", 1.0),
        ("The second picture.", 0.0),
        ('{"better": "Tie."}', 0.5),
        ('```json\n{"reason": "sharper", "better": "FIRST"}\n```', 1.0),
        ('Here you are: {"better": "second"} I hope this helps.', 0.0),
        ('{"better": "first"} on reflection {"better": "second"}', None),
        ('{"better": "first"} or {"worse": "second"}', 1.0),
        ('"{\\"better\\": \\"first\\"}"', 1.0),
        ("The first, or perhaps the second.", None),
        ("null", None),
        ("", None),
    ],
)
def test_an_answer_is_read_or_it_is_none(content: str, result: float | None) -> None:
    """A broken one says nothing about either picture."""
    assert read_duel_answer(content) == result


def test_a_pair_counts_only_when_both_orders_were_answered() -> None:
    """Half a pair would carry the liking for the first picture."""
    whole = ask(by_name, ("a", "b"))
    half = [DuelReply(0, "a", "c", said("first")), DuelReply(0, "c", "a", Reply(None, "refused"))]
    broken = [DuelReply(0, "b", "c", Reply("{")), DuelReply(0, "c", "b", said("first"))]
    assert sorted(meetings_of([*half, *whole, *broken])) == [("a", "b", 0.0), ("b", "a", 1.0)]


@settings(max_examples=30)
@given(st.integers(2, 9), st.integers(1, 40), st.integers(0, 5))
def test_no_pair_is_asked_twice_and_no_more_than_allowed(n: int, per_row: int, seed: int) -> None:
    """Each round shows a picture at most once; all rounds together keep to the campaign's number."""
    pool = [f"c-{number}" for number in range(n)]
    random.Random(seed).shuffle(pool)
    duels = hold(pool, per_row, by_name)
    asked = [(duel.first_id, duel.second_id) for duel in duels]
    assert len(set(asked)) == len(asked) == 2 * min(per_row, math.comb(n, 2))
    assert {(second, first) for first, second in asked} == set(asked)
    round_one = list(itertools.chain(*next_pairs(pool, (), (), per_row)))
    assert len(set(round_one)) == len(round_one)


@settings(max_examples=20)
@given(st.permutations([f"c-{number}" for number in range(7)]), st.randoms(use_true_random=False))
def test_position_is_never_identity(pool: list[str], chance: random.Random) -> None:
    """Pools and answers in any order give the same pairs and the same strengths."""
    plain = sorted(pool)
    duels = hold(plain, 9, by_name)
    shuffled = list(duels)
    chance.shuffle(shuffled)
    assert values_of(shuffled, pool) == pytest.approx(values_of(duels, plain))
    asked = {(duel.first_id, duel.second_id) for duel in duels}
    assert next_pairs(pool, asked, shuffled, 5) == next_pairs(plain, asked, duels, 5)


@pytest.mark.parametrize("n", [3, 8, 20])
def test_as_many_pairs_as_pictures_less_one_connect_a_row(n: int) -> None:
    """Every picture gets a strength: those that never met are met first."""
    pool = [f"c-{number:02d}" for number in range(n)]
    assert None not in values_of(hold(pool, n - 1, by_name), pool).values()


def test_too_few_duels_give_no_strength_rather_than_one_among_few() -> None:
    """Who beat a single rival is not stronger than those it never met, even over others."""
    pool = list("abcdefgh")
    values = values_of(hold(pool, 2, by_name), pool)
    assert set(values.values()) == {None}
    scorer = DuelScorer(MODEL, (), hold(pool, 2, by_name))
    reasons = {scorer.score(a_draft(name), HERE).reason for name in pool}
    assert reasons == {
        "duel: too few duels to compare it with most of its row",
        "duel: was in no pair",
    }


def test_the_better_picture_gets_the_higher_value_with_its_interval() -> None:
    """Values follow the judge; the interval holds the value and lies in [0, 1]."""
    pool = list("abcdef")
    duels = hold(pool, 15, by_name)
    values = values_of(duels, pool)
    assert sorted(pool, key=lambda name: values[name] or 0) == pool
    best = DuelScorer(MODEL, RUBRIC, duels).score(a_draft("f"), HERE)
    assert best.value is not None
    assert 0 < best.measurements["duel_low"] < best.value < best.measurements["duel_high"] < 1
    assert best.measurements["duel_comparisons"] == 10
    assert best.reason.startswith("duel: won 10 of 10 comparisons, strength 0.")


def test_a_judge_that_always_names_the_first_says_nothing() -> None:
    """Each picture wins once and loses once against each rival: all are equal."""
    pool = list("abcde")
    values = values_of(hold(pool, 10, lambda _first, _second: "first"), pool)
    assert list(values.values()) == pytest.approx([0.5] * 5)


def test_a_tie_favours_nobody() -> None:
    """Two pictures that tie in both orders are equally strong."""
    tied = values_of(ask(lambda _a, _b: "tie", ("a", "b")), ["a", "b"])
    assert list(tied.values()) == pytest.approx([0.5, 0.5])


def test_a_liking_for_the_first_picture_of_a_fifth_is_cancelled() -> None:
    """Equal pictures stay equal on average, and no picture gains by the place it is shown in."""
    chance = random.Random(7)

    def biased(_first: str, _second: str) -> str:
        return "first" if chance.random() < 0.2 else chance.choice(["first", "second"])

    pool = list("abcdef")
    runs = [list(values_of(hold(pool, 15, biased), pool).values()) for _ in range(30)]
    mean = np.mean(np.array(runs, dtype=float), axis=0)
    assert np.abs(mean - 0.5).max() < 0.08


def test_rows_are_pools_of_their_own() -> None:
    """A row with two pictures is not measured against the other row's ten."""
    duels = [*hold(list("abcdef"), 15, by_name), *ask(by_name, ("x", "y"), row=1)]
    values = values_of(duels, ["a", "f", "x", "y"])
    assert values["y"] is not None
    assert values["y"] > 0.5 > (values["x"] or 1)


def test_a_picture_without_a_usable_duel_has_no_strength() -> None:
    """All its answers were refused."""
    refused = [DuelReply(0, "a", "b", Reply(None)), DuelReply(0, "b", "a", Reply(None))]
    found = DuelScorer(MODEL, RUBRIC, refused).score(a_draft("a"), HERE)
    assert (found.value, found.reason) == (None, "duel: none of its pairs was answered in both orders")
    assert load_scorer("duel", Assignment()).score(a_draft("a"), HERE).value is None


def test_the_surest_outcome_is_asked_last() -> None:
    """Once the strongest has beaten much, it meets the weakest only when nothing else is left."""
    pool = list("abcd")
    duels = ask(by_name, ("a", "b"), ("b", "c"), ("c", "d"))
    asked = {(duel.first_id, duel.second_id) for duel in duels}
    assert ("a", "d") not in next_pairs(pool, asked, duels, 1)


def test_similar_pictures_are_compared_last_and_the_same_picture_never() -> None:
    """There is least to choose between."""
    pool, alike = ["a", "b", "c"], {"a": "a", "b": "a"}

    first = next_pairs(pool, (), (), 9, alike)
    asked = [("a", "c"), ("b", "c")]

    assert set(first) <= set(asked)
    assert next_pairs(pool, asked, (), 9, alike) == [("a", "b")]
    assert next_pairs(pool, asked, (), 9, alike, same=[("b", "a")]) == []
