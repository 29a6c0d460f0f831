"""Rounds: shared out within the drafts that were agreed on, decided by what counts, the same every time."""

import random
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.halving import draw_truth, find_by_halving, find_fixed, measure_verdicts, share_found
from tasks.ab_test import HeldOut, ScoredDraft, compare_arms
from tasks.allocate import allocate
from tasks.round_costs import plan_round_costs
from tasks.rounds import LAST_ARMS, RoundDecision, passes_of, plan_rounds


def a_scored(arm: str, row: int, replicate: int, score: float | None) -> ScoredDraft:
    """Make a received, surviving draft."""
    name = f"{arm}-{row}-{replicate}"
    return ScoredDraft(
        f"o-{name}", arm, row, replicate, "received", Decimal("0.01"), f"c-{name}", "survivor", score
    )


def decided(scored: list[ScoredDraft], arms: str = "ABC", n_going_on: int = 2) -> RoundDecision:
    """Decide a first round that can be decided."""
    decision = allocate(scored, list(arms), number=1, n_going_on=n_going_on)
    assert decision is not None
    return decision


@given(st.integers(3, 26), st.integers(2, 1000))
def test_rounds_stay_within_the_drafts_that_fixed_makes(n_arms: int, per_prompt: int) -> None:
    """Never more pictures, few unused, replicates without gap, arms halved down to two."""
    rounds = plan_rounds(n_arms, per_prompt, "halving")
    made = sum(each.n_arms * each.replicates for each in rounds)
    assert n_arms * per_prompt - LAST_ARMS < made <= n_arms * per_prompt
    assert all(each.replicates >= 1 for each in rounds)
    assert [each.n_arms for each in rounds] == [
        n_arms,
        *(max(LAST_ARMS, each.n_arms // 2) for each in rounds[:-1]),
    ]
    ends = [each.first_replicate + each.replicates for each in rounds]
    assert [each.first_replicate for each in rounds] == [0, *ends[:-1]]


def test_fixed_is_one_round_of_everything() -> None:
    """The default makes what it always made."""
    (only,) = plan_rounds(8, 4, "fixed")
    assert (only.n_arms, only.first_replicate, only.replicates) == (8, 0, 4)


def test_an_arm_is_compared_within_each_row() -> None:
    """An arm refused in the row where all do badly is not the better for it."""
    scored = [a_scored(arm, 0, 0, score) for arm, score in zip("ABC", (0.9, 0.8, 0.7), strict=True)]
    scored += [a_scored("A", 1, 0, 0.3), a_scored("B", 1, 0, 0.2), a_scored("C", 1, 0, None)]
    decision = decided(scored)
    assert [standing.arm for standing in decision.standings] == ["A", "B", "C"]
    assert decision.arms_going_on == ("A", "B")
    assert decision.standings[0].lead == pytest.approx((0.1 + 0.05) / 2)
    assert decision.standings[2].mean_score == pytest.approx(0.7)


def test_what_is_no_evidence_decides_nothing() -> None:
    """Copies, downgraded and unscored pictures count no more here than in the verdict."""
    scored = [a_scored(arm, 0, 0, score) for arm, score in zip("ABC", (0.5, 0.6, 0.7), strict=True)]
    odd = [
        replace(a_scored("A", 0, 1, 1.0), status="duplicate"),
        replace(a_scored("A", 0, 2, 1.0), is_downgraded=True),
        a_scored("A", 0, 3, None),
        a_scored("Z", 0, 0, 1.0),
    ]
    assert decided(scored + odd) == decided(scored)


def test_an_arm_without_a_score_stands_last_and_nobody_without_any() -> None:
    """Unknown is not zero: such an arm has no lead, and a round without scores is not decided."""
    scored = [a_scored("A", 0, 0, None), a_scored("B", 0, 0, 0.1), a_scored("C", 0, 0, 0.2)]
    decision = decided(scored)
    last = decision.standings[-1]
    assert (last.arm, last.lead, last.mean_score, last.pictures) == ("A", None, None, 0)
    assert decision.arms_going_on == ("C", "B")
    assert allocate([a_scored("A", 0, 0, None)], ["A", "B", "C"], number=1, n_going_on=2) is None


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12), st.randoms(use_true_random=False))
def test_shuffled_drafts_decide_the_same(scores: list[float], dice: random.Random) -> None:
    """Order of completion is nothing; of equals the campaign's first goes on."""
    places = [(arm, row) for arm in "ABC" for row in range(4)]
    scored = [a_scored(arm, row, 0, score) for (arm, row), score in zip(places, scores, strict=True)]
    shuffled = dice.sample(scored, len(scored))
    assert decided(shuffled) == decided(scored)
    assert decided([replace(one, score=0.5) for one in scored]).arms_going_on == ("A", "B")


def test_passes_follow_what_was_decided() -> None:
    """The first pass is of every arm; later ones keep the campaign's order and new replicates."""
    rounds = plan_rounds(4, 4, "halving")
    scored = [a_scored(arm, 0, 0, score) for arm, score in zip("ABCD", (0.2, 0.9, 0.1, 0.8), strict=True)]
    first, second = passes_of(rounds, list("ABCD"), [decided(scored, "ABCD")])
    assert (first.arms, first.first_replicate) == (("A", "B", "C", "D"), 0)
    assert (second.arms, second.first_replicate) == (("B", "D"), first.replicates)
    assert len(passes_of(rounds, list("ABCD"), [])) == 1


def test_a_verdict_after_rounds_looks_only_at_pictures_that_chose_nobody() -> None:
    """Earlier pictures and dropped arms change no pair, and every arm keeps its own figures."""
    fresh = [a_scored(arm, row, 5, 0.5 + 0.1 * row) for arm in "AB" for row in range(4)]
    early = [a_scored(arm, row, 0, 0.9 if arm == "A" else 0.1) for arm in "ABC" for row in range(4)]
    test = compare_arms([*early, *fresh], held_out=HeldOut(frozenset("AB"), 5))
    (pair,) = test.pairs
    assert (pair.arms, pair.difference, pair.pictures) == (("A", "B"), 0.0, (4, 4))
    assert {arm: figures.pictures for arm, figures in test.arms.items()} == {"A": 8, "B": 8, "C": 4}
    assert test.headline.endswith("The other arm was dropped in earlier rounds.")


def test_rounds_are_priced_between_the_cheapest_and_the_dearest_arms() -> None:
    """Nobody knows which arms go on, so the plan holds for any of them."""
    rounds = plan_rounds(4, 4, "halving")
    first_usd = {arm: (Decimal(n), Decimal(2 * n)) for n, arm in enumerate("ABCD", 1)}
    first, last = plan_round_costs(rounds, 3, first_usd)
    times = Decimal(rounds[1].replicates) / rounds[0].replicates
    assert (first.low_usd, first.high_usd) == (Decimal(10), Decimal(20))
    assert (last.low_usd, last.high_usd) == (3 * times, 14 * times)
    assert first.pictures + last.pictures == 4 * 4 * 3


def test_halving_finds_the_best_arm_oftener_by_as_many_drafts() -> None:
    """2,000 drawn campaigns of eight arms: nearly as often as all alike does with twice the drafts."""
    rng = np.random.default_rng(3)
    truth = draw_truth(rng, "0.02 apart", 2_000)
    halving = share_found(truth, find_by_halving(rng, truth, 12))
    once, twice = (share_found(truth, find_fixed(rng, truth, per_prompt)) for per_prompt in (12, 24))
    assert halving > once + 0.02
    assert halving > twice - 0.02


def test_the_pictures_held_out_do_not_flatter_the_arm_that_led() -> None:
    """100 campaigns of equal arms, picture by picture: few wins, and a lead by chance only."""
    wins, holds, fresh, flattered = measure_verdicts(np.random.default_rng(3), 100, 0.0)
    assert wins <= 0.12
    assert holds >= 0.88
    assert abs(fresh) < 0.01
    assert flattered > 0
