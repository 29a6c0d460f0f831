"""The A/B test: honest about noise, blind to what is unknown, and exact about money."""

import json
import random
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tasks.ab_test.result import NOT_ENOUGH
from tasks.ab_test.verdict import compare_arms
from tests.support.scored_campaigns import CENT, a_campaign, a_scored, simulate


def test_a_clear_difference_wins_by_name() -> None:
    """A tenth of a score over twelve rows is found, with its interval and its size."""
    test = compare_arms(simulate(np.random.default_rng(5), rows=12, replicates=8, lift=0.1))
    (pair,) = test.pairs
    assert pair.verdict == "B wins"
    assert pair.difference == pytest.approx(-0.1, abs=0.04)
    assert pair.low is not None
    assert pair.high is not None
    assert pair.low < -0.1 < pair.high < 0
    assert pair.more_pictures_needed is None
    assert test.headline.startswith("Arm B beats arm A by 0.1")
    assert "over 12 rows" in test.headline


def test_a_small_difference_asks_for_more_pictures() -> None:
    """Noise larger than the lead is no verdict, and the price of one is told."""
    test = compare_arms(simulate(np.random.default_rng(2), rows=4, replicates=4, lift=0.03))
    (pair,) = test.pairs
    assert pair.verdict == NOT_ENOUGH
    assert pair.more_pictures_needed
    assert pair.more_pictures_needed > 16
    assert pair.more_rows_needed
    assert pair.more_pictures_needed == 4 * pair.more_rows_needed
    more = f"about {pair.more_rows_needed} more rows ({pair.more_pictures_needed} more pictures per arm)"
    assert f"; {more} would decide it." in test.headline


def test_as_many_more_pictures_as_asked_for_do_settle_it() -> None:
    """Buying what was said to be needed finds the difference in about four campaigns of five."""
    rng = np.random.default_rng(7)
    needed = []
    for _ in range(40):
        (pair,) = compare_arms(simulate(rng, rows=8, replicates=4, lift=0.04)).pairs
        if pair.difference and abs(pair.difference + 0.04) < 0.005 and pair.more_pictures_needed:
            needed.append(pair.more_pictures_needed)
    rows = 8 + round(float(np.median(needed)) / 4)
    wins = sum(
        compare_arms(simulate(rng, rows=rows, replicates=4, lift=0.04)).pairs[0].verdict == "B wins"
        for _ in range(60)
    )
    assert 0.65 <= wins / 60 <= 0.98


@pytest.mark.parametrize("replicates", [2, 3, 8])
def test_more_pictures_are_counted_with_the_replicates_of_a_row(replicates: int) -> None:
    """Equal rows are needed however many pictures each has; each further row is bought with all of them."""
    rows = {"A": [0.5, 0.62, 0.4, 0.55, 0.48], "B": [0.53, 0.6, 0.47, 0.56, 0.52]}
    (single,) = compare_arms(
        a_campaign({arm: [[mean] for mean in means] for arm, means in rows.items()})
    ).pairs
    (several,) = compare_arms(
        a_campaign({arm: [[mean] * replicates for mean in means] for arm, means in rows.items()})
    ).pairs
    assert single.more_pictures_needed
    assert several.more_pictures_needed == replicates * single.more_pictures_needed


@pytest.mark.parametrize(
    ("rows", "replicates", "unlike"),
    [
        (6, 4, 0.05),
        *(
            pytest.param(*shape, marks=pytest.mark.slow)
            for shape in ((2, 8, 0.1), (1, 10, 0.0), (3, 8, 0.1), (3, 8, 0.0), (10, 4, 0.05))
        ),
    ],
)
def test_equal_arms_seldom_win_and_intervals_hold(rows: int, replicates: int, unlike: float) -> None:
    """Among 400 campaigns of equal arms, few rows and wild arms included, at most 8 % go wrong either way."""
    rng = np.random.default_rng(11)
    pairs = [compare_arms(simulate(rng, rows, replicates, unlike=unlike)).pairs[0] for _ in range(400)]
    assert sum(pair.verdict != NOT_ENOUGH for pair in pairs) <= 32
    held = sum(
        pair.low is not None and pair.high is not None and pair.low <= 0 <= pair.high for pair in pairs
    )
    assert held >= 368


VALUES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)
TABLE = st.lists(st.lists(VALUES, max_size=4), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@example(a=[[0.0, 0.25]], b=[[0.25, 0.25]])
@given(TABLE, TABLE)
def test_the_probability_is_mann_whitneys(a: list[list[float]], b: list[list[float]]) -> None:
    """The share of all couples of the shared rows that A wins, ties counting half."""
    (pair, *_rest) = compare_arms(
        [*a_campaign({"A": a, "B": b}), a_scored("A", 9, 0, 1), a_scored("B", 8, 0, 1)]
    ).pairs
    shared = [row for row in range(min(len(a), len(b))) if a[row] and b[row]]
    of_a, of_b = ([value for row in shared for value in table[row]] for table in (a, b))
    if not shared:
        assert pair.probability is None
    else:
        wins = [(one > other) + (one == other) / 2 for one in of_a for other in of_b]
        assert pair.probability == pytest.approx(sum(wins) / len(wins))


@settings(max_examples=40, deadline=None)
@given(TABLE, TABLE, st.randoms(use_true_random=False))
def test_shuffled_drafts_give_the_same_test(
    a: list[list[float]], b: list[list[float]], dice: random.Random
) -> None:
    """Order is nothing."""
    drafts = a_campaign({"A": a, "B": b})
    shuffled = list(drafts)
    dice.shuffle(shuffled)
    assert compare_arms(shuffled) == compare_arms(drafts)


@settings(max_examples=40, deadline=None)
@given(TABLE, TABLE)
def test_exchanged_arms_exchange_the_result(a: list[list[float]], b: list[list[float]]) -> None:
    """What A is to B, B is not to A."""
    one, other = (compare_arms(a_campaign(tables)).pairs for tables in ({"A": a, "B": b}, {"A": b, "B": a}))
    for pair, exchanged in zip(one, other, strict=True):
        if pair.difference is not None and exchanged.difference is not None:
            assert exchanged.difference == pytest.approx(-pair.difference)
            assert exchanged.probability == pytest.approx(1 - (pair.probability or 0))
            assert exchanged.p_value == (
                pair.p_value if pair.p_value is None else pytest.approx(pair.p_value)
            )


def test_what_is_unknown_is_not_zero() -> None:
    """Unscored, downgraded and duplicate pictures change no score and no verdict."""
    drafts = simulate(np.random.default_rng(5), rows=6, replicates=4, lift=0.1)
    noise = [
        a_scored("A", 0, 90, None),
        a_scored("A", 1, 91, 0.0, is_downgraded=True),
        a_scored("B", 2, 92, 0.0, status="duplicate"),
        a_scored("B", 3, 93, 0.0, status="unfit"),
        a_scored("B", 3, 94, None, state="refused", candidate_id=None, status=None, cost_usd=None),
    ]
    plain, noisy = compare_arms(drafts), compare_arms(drafts + noise)
    assert noisy.pairs == plain.pairs
    assert noisy.arms["A"].mean_score == plain.arms["A"].mean_score
    assert noisy.arms["A"].pictures == plain.arms["A"].pictures + 2


def test_rows_of_one_arm_are_left_out_and_counted() -> None:
    """A row that only A was scored in says nothing about B."""
    drafts = a_campaign({"A": [[0.5, 0.6], [0.5, 0.7], [1.0, 1.0]], "B": [[0.5, 0.4], [0.6, 0.5], []]})
    (pair,) = compare_arms(drafts).pairs
    assert (pair.rows, pair.rows_left_out, pair.pictures) == (2, 1, (4, 4))
    assert pair.difference == pytest.approx(0.575 - 0.5)
    assert "1 row was left out: scored for one arm only" in pair.note


def test_one_row_is_compared_by_replicates_and_says_so() -> None:
    """A single prompt can be settled, for that prompt."""
    drafts = a_campaign({"A": [[0.9, 0.8, 0.85, 0.95, 0.9]], "B": [[0.3, 0.2, 0.25, 0.35, 0.3]]})
    (pair,) = compare_arms(drafts).pairs
    assert pair.verdict == "A wins"
    assert pair.note.startswith("one row only")


def test_one_picture_each_tells_nothing() -> None:
    """Two pictures have a difference but no spread: no interval and no verdict."""
    test = compare_arms(a_campaign({"A": [[0.9]], "B": [[0.1]]}))
    (pair,) = test.pairs
    assert pair.difference == pytest.approx(0.8)
    assert (pair.low, pair.high, pair.p_value, pair.more_pictures_needed) == (None, None, None, None)
    assert pair.verdict == NOT_ENOUGH
    assert pair.note == "one picture does not show how much pictures vary"
    assert test.headline == f"Not enough evidence that arms A and B differ: {pair.note}."


def test_scores_that_never_vary_need_rows_that_agree() -> None:
    """Without any spread a few rows are not proof, and many are."""
    few = compare_arms(a_campaign({"A": [[1.0, 1.0]] * 3, "B": [[0.0, 0.0]] * 3})).pairs[0]
    many = compare_arms(a_campaign({"A": [[1.0, 1.0]] * 8, "B": [[0.0, 0.0]] * 8})).pairs[0]
    assert (few.verdict, many.verdict) == (NOT_ENOUGH, "A wins")
    assert few.low is None
    assert many.low is not None
    assert 0 < many.low < 1
    assert few.note.startswith("the scores do not vary")


CEILING = (
    "Nearly every picture gets full marks; this score cannot tell the arms apart:"
    " vote, or sharpen the rubric."
)


def test_a_scorer_at_its_ceiling_is_said_to_tell_nothing() -> None:
    """Full marks for one picture in twenty less: no number of pictures to buy, but what to do instead."""
    nearly = [[1.0, 1.0]] * 10
    test = compare_arms(a_campaign({"A": nearly, "B": [*nearly[1:], [1.0, 0.5]]}), by="on the judge alone")
    assert test.headline == (
        "On the judge alone, not enough evidence that arms A and B differ:"
        f" A leads by 0.03 points (95% interval −0.12 to 0.16). {CEILING}"
    )


def test_a_score_that_is_always_the_same_is_said_to_tell_nothing() -> None:
    """Whichever value it is; and a scorer that does tell arms apart is not blamed, however coarse."""
    same = compare_arms(a_campaign({"A": [[0.75]] * 6, "B": [[0.75]] * 6})).headline
    apart = compare_arms(a_campaign({"A": [[1.0, 1.0]] * 20, "B": [[1.0, 0.8]] * 18 + [[1.0, 1.0]] * 2}))
    assert "every picture gets the same score (0.75); this score cannot tell" in same
    assert apart.headline.startswith("Arm A beats arm B")
    assert "cannot tell" not in apart.headline


def test_the_headline_says_first_by_which_score() -> None:
    """A winner by technical quality need not be one by taste."""
    drafts = simulate(np.random.default_rng(5), rows=12, replicates=8, lift=0.1)
    assert compare_arms(drafts, by="by people and technical quality").headline.startswith(
        "By people and technical quality, arm B beats arm A by 0.1"
    )


def test_many_equal_arms_do_not_make_a_winner() -> None:
    """Six pairs of four equal arms: Holm keeps the chance of any false winner in bounds."""
    rng = np.random.default_rng(13)
    campaigns = [compare_arms(simulate(rng, rows=6, replicates=4, arms="ABCD")) for _ in range(25)]
    assert sum(any(pair.verdict != NOT_ENOUGH for pair in test.pairs) for test in campaigns) <= 3
    for pair in campaigns[0].pairs:
        assert pair.p_value_holm is not None
        assert pair.p_value is not None
        assert pair.p_value <= pair.p_value_holm <= 1


@pytest.mark.slow  # loading statsmodels takes three seconds
def test_corrected_p_values_are_those_of_statsmodels() -> None:
    """Six pairs of four arms, the real ones corrected as ``multipletests`` does by Holm's method."""
    rng = np.random.default_rng(14)
    for _ in range(5):
        pairs = compare_arms(simulate(rng, rows=6, replicates=4, lift=0.1, arms="ABCD")).pairs
        expected = multipletests([pair.p_value for pair in pairs], method="holm")[1]
        assert [pair.p_value_holm for pair in pairs] == pytest.approx(expected)


def test_the_best_of_three_arms_is_named() -> None:
    """An arm that beats all others is the headline; else the headline says what is missing."""
    rng = np.random.default_rng(17)
    assert compare_arms(simulate(rng, 12, 8, lift=0.2, arms="ABC")).headline == "Arm C beats every other arm."
    assert (
        compare_arms(simulate(rng, 3, 2, arms="ABC")).headline
        == "Not enough evidence that any of the 3 arms is better than another."
    )


def test_an_arms_own_figures_are_counted_by_hand() -> None:
    """Four orders: one with two pictures (one a copy), one refused, one failed, one still planned."""
    drafts = [
        a_scored("A", 0, 0, 0.8, order_id="o-1", cost_usd=Decimal("0.003")),
        a_scored("A", 0, 1, 0.2, order_id="o-1", cost_usd=Decimal("0.004"), status="duplicate"),
        a_scored("A", 1, 0, None, state="refused", candidate_id=None, status=None, cost_usd=None),
        a_scored("A", 2, 0, None, state="failed", candidate_id=None, status=None, cost_usd=None),
        a_scored("A", 3, 0, None, state="planned", candidate_id=None, status=None, cost_usd=None),
        a_scored("A", 4, 0, 0.6, cost_usd=Decimal("0.005")),
    ]
    arm = compare_arms(drafts).arms["A"]
    assert (arm.orders, arm.pictures, arm.compared) == (4, 3, 2)
    assert (arm.duplicate_rate, arm.refusal_rate, arm.failure_rate) == (1 / 3, 1 / 4, 1 / 4)
    assert arm.mean_score == pytest.approx(0.7)
    assert arm.cost_per_unique_image_usd == Decimal("0.006")


def test_the_cost_per_unique_image_is_unknown_when_any_cost_is() -> None:
    """An order without an answer may have been billed, so the cost per unique image is unknown."""
    known = a_scored("A", 0, 0, 0.8)
    silent = a_scored("A", 0, 1, None, state="unknown", candidate_id=None, status=None, cost_usd=None)
    assert compare_arms([known]).arms["A"].cost_per_unique_image_usd == CENT
    assert compare_arms([known, silent]).arms["A"].cost_per_unique_image_usd is None
    assert compare_arms([replace(known, status="duplicate")]).arms["A"].cost_per_unique_image_usd is None


def test_shares_of_nothing_are_unknown() -> None:
    """An arm whose orders were never sent has no rate at all."""
    planned = a_scored("A", 0, 0, None, state="planned", candidate_id=None, status=None, cost_usd=None)
    arm = compare_arms([planned]).arms["A"]
    assert (arm.orders, arm.pictures, arm.compared) == (0, 0, 0)
    assert (arm.duplicate_rate, arm.refusal_rate, arm.failure_rate, arm.mean_score) == (
        None,
        None,
        None,
        None,
    )


def test_nothing_to_compare_is_said() -> None:
    """No draft, one arm, or no common row: a sentence and no verdict."""
    assert compare_arms([]).headline == "There is nothing to compare."
    assert compare_arms([a_scored("A", 0, 0, 0.5)]).headline == "Only one arm: there is nothing to compare."
    apart = compare_arms([a_scored("A", 0, 0, 0.5), a_scored("B", 1, 0, 0.5)])
    assert apart.headline.startswith("Arms A and B cannot be compared: the arms have no scored row in common")


def test_the_result_is_json() -> None:
    """The summary file can hold it, missing figures as null."""
    test = compare_arms(a_campaign({"A": [[0.9], [0.8]], "B": [[0.1], [0.3]], "C": [[None], [None]]}))
    told = json.loads(json.dumps(test.as_dict(), allow_nan=False))
    assert told["headline"] == test.headline
    assert [pair["arms"] for pair in told["pairs"]] == [["A", "B"], ["A", "C"], ["B", "C"]]
    assert told["pairs"][1]["difference"] is None
    assert told["arms"]["A"]["cost_per_unique_image_usd"] == 0.01
    assert told["arms"]["A"]["cost_per_keeper_usd"] == 0.01
