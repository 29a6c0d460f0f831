"""Rounds: shared out within the drafts that were agreed on, decided by what counts, the same every time."""

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.halving import (
    ARMS,
    ROWS,
    Pictures,
    draw_truth,
    find_by_halving,
    find_fixed,
    measure_verdicts,
    share_found,
    who_goes_on,
)
from tasks.ab_test.arm_leads import measure_leads
from tasks.ab_test.evidence import HeldOut, ScoredDraft
from tasks.ab_test.verdict import compare_arms
from tasks.allocate import allocate
from tasks.campaign.rounds import (
    LAST_ARMS,
    MOST_ROUNDS,
    Pass,
    RoundDecision,
    is_complete,
    passes_of,
    plan_rounds,
)
from tasks.orders.round_costs import plan_round_costs


def a_scored(arm: str, row: int, replicate: int, score: float | None) -> ScoredDraft:
    """Make a received, surviving draft."""
    name = f"{arm}-{row}-{replicate}"
    return ScoredDraft(
        f"o-{name}", arm, row, replicate, "received", Decimal("0.01"), f"c-{name}", "survivor", score
    )


def decided(scored: list[ScoredDraft], arms: str = "ABC", per_prompt: int = 2) -> RoundDecision:
    """Decide a first round that can be decided; with 2 for each arm and row, two arms go on from it."""
    decision = allocate(scored, list(arms), plan_rounds(len(arms), per_prompt, "halving"), number=1)
    assert decision is not None
    return decision


def scored_like(
    means: Sequence[float], replicates: int, spread: float = 0.1, first: int = 0
) -> list[ScoredDraft]:
    """Make as many drafts of arms A, B, … in each of six rows, spread evenly around their arms' means."""
    steps = np.random.default_rng(5).normal(0, spread, (len(means), 6, replicates))
    steps -= steps.mean(axis=(1, 2), keepdims=True)
    return [
        a_scored("ABCDEFGH"[arm], row, first + index, means[arm] + step)
        for (arm, row, index), step in np.ndenumerate(steps)
    ]


@given(st.integers(3, 26), st.integers(2, 1000))
def test_rounds_stay_within_the_drafts_that_fixed_makes(n_arms: int, per_prompt: int) -> None:
    """Never more pictures, few unused, replicates without gap; looks at all arms, then halved down to two."""
    rounds = plan_rounds(n_arms, per_prompt, "halving")
    made = sum(each.n_arms * each.replicates for each in rounds)
    assert n_arms * per_prompt - LAST_ARMS < made <= n_arms * per_prompt
    assert all(each.replicates >= 1 for each in rounds)
    assert len(rounds) <= MOST_ROUNDS
    halved = [n_arms]
    while halved[-1] > LAST_ARMS:
        halved.append(max(LAST_ARMS, halved[-1] // 2))
    sizes = [each.n_arms for each in rounds]
    assert sizes == [n_arms] * (len(rounds) - len(halved)) + halved
    assert len(rounds) == MOST_ROUNDS or sum(sizes) + n_arms > n_arms * per_prompt
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
    assert decided(scored + odd).standings == decided(scored).standings


def test_an_arm_without_a_score_stands_last_and_nobody_without_any() -> None:
    """Unknown is not zero: such an arm has no lead, and a round without scores is not decided."""
    scored = [a_scored("A", 0, 0, None), a_scored("B", 0, 0, 0.1), a_scored("C", 0, 0, 0.2)]
    decision = decided(scored)
    last = decision.standings[-1]
    assert (last.arm, last.lead, last.mean_score, last.pictures) == ("A", None, None, 0)
    assert decision.arms_going_on == ("C", "B")
    rounds = plan_rounds(3, 4, "halving")
    assert allocate([a_scored("A", 0, 0, None)], ["A", "B", "C"], rounds, number=1) is None
    more = [*scored, *(a_scored("C", row, 0, 0.2) for row in (1, 2)), a_scored("B", 1, 0, 0.2)]
    assert decided(more, per_prompt=4).arms_going_on == ("C", "B")
    alone = [a_scored("A", 0, 0, None), a_scored("B", 0, 0, None), a_scored("C", 0, 0, 0.2)]
    assert decided(alone, per_prompt=4).arms_going_on == ("C", "A", "B")


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12), st.randoms(use_true_random=False))
def test_shuffled_drafts_decide_the_same(scores: list[float], dice: random.Random) -> None:
    """Order of completion is nothing; of equals the campaign's first goes on."""
    places = [(arm, row) for arm in "ABC" for row in range(4)]
    scored = [a_scored(arm, row, 0, score) for (arm, row), score in zip(places, scores, strict=True)]
    shuffled = dice.sample(scored, len(scored))
    assert decided(shuffled) == decided(scored)
    assert decided([replace(one, score=0.5) for one in scored]).arms_going_on == ("A", "B")


def test_an_arm_that_trails_clearly_is_dropped_before_it_must_be() -> None:
    """Of eight arms all could go on; those that would hardly come first are out, the others stay."""
    decision = decided(scored_like([0.5, 0.5, 0.48, 0.2, 0.2, 0.2, 0.2, 0.2], 1), "ABCDEFGH", 4)
    assert set(decision.arms_going_on) == set("ABC")
    assert not decision.is_next_last
    chances = [standing.chance for standing in decision.standings]
    assert chances[0] is None
    assert all((chance or 0) >= 0.05 for chance in chances[1:3])
    assert all(chance is not None and chance < 0.05 for chance in chances[3:])


def test_an_arm_of_which_little_is_known_stays() -> None:
    """Chances heed how many pictures speak: with one only, an arm may stay where one before it is out."""
    scored = scored_like([0.8, 0.5, 0.45, 0.2], 2, spread=0.15)
    alone = next(draft for draft in scored if draft.arm == "C")
    scored = [draft for draft in scored if draft.arm != "C" or draft is alone]
    decision = decided([replace(one, score=0.58) if one is alone else one for one in scored], "ABCD", 8)
    assert decision.arms_going_on == ("A", "C")
    assert not decision.is_next_last


def test_a_clear_leader_ends_the_choice_and_the_runner_up_comes_along() -> None:
    """The last round follows at once, of two arms, with the pictures that were planned for it."""
    decision = decided(scored_like([0.9, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1], 1), "ABCDEFGH", 4)
    rounds = plan_rounds(8, 4, "halving")
    assert decision.arms_going_on == ("A", "B")
    assert decision.is_next_last
    assert (decision.next_first_replicate, decision.next_replicates) == (1, rounds[-1].replicates)


def test_nobody_is_dropped_by_a_spread_that_nobody_knows() -> None:
    """One row of one picture each tells no spread, and scores that are all alike none either."""
    one_row = [a_scored(arm, 0, 0, score) for arm, score in zip("ABCD", (0.9, 0.5, 0.2, 0.1), strict=True)]
    level = [a_scored(arm, row, 0, 0.5) for arm in "ABCD" for row in range(4)]
    for scored in (one_row, level):
        decision = decided(scored, "ABCD", 4)
        assert decision.arms_going_on == ("A", "B", "C", "D")
        assert [standing.chance for standing in decision.standings] == [None] * 4


def test_later_rounds_begin_after_every_replicate_there_is() -> None:
    """A campaign whose `per_prompt` was lowered on the way has no held-out picture that was seen before."""
    scored = [*scored_like([0.5, 0.5, 0.5], 1), *scored_like([0.5, 0.5, 0.5], 1, first=6)]
    assert decided(scored).next_first_replicate == 7


@pytest.mark.parametrize("replicates", [1, 3])
def test_the_spread_is_that_of_a_two_way_layout(replicates: int) -> None:
    """Leads and their chance agree with statsmodels' least squares over arms and rows."""
    rng = np.random.default_rng(2)
    scores = 0.5 + 0.05 * rng.normal(size=(4, 1, 1)) + 0.1 * rng.normal(size=(4, 6, replicates))
    means = scores.mean(axis=2)
    squares = ((scores - means[..., None]) ** 2).sum(axis=2)
    found = measure_leads(np.full(means.shape, float(replicates)), means, squares, 0.25)
    arm, row, _ = (index.ravel() for index in np.indices(scores.shape))
    first = int(found.lead.argmax())
    others = [other for other in range(4) if other != first]
    columns = [
        np.ones(scores.size),
        *(arm == other for other in others),
        *(row == one for one in range(1, 6)),
    ]
    fit = sm.OLS(scores.ravel(), np.column_stack(columns).astype(float)).fit()
    for place, other in enumerate(others, 1):
        assert found.lead[other] - found.lead[first] == pytest.approx(fit.params[place])
        t = fit.params[place] / fit.bse[place] / 0.75**0.5
        assert found.chance[other] == pytest.approx(stats.t.cdf(t, fit.df_resid))


def test_the_chance_is_how_often_the_arm_comes_first_in_the_end() -> None:
    """4,000 times the rest of two arms' pictures is drawn, by the means that the first part makes likely."""
    rng = np.random.default_rng(4)
    counts, spread, made, rest = np.full((2, 200), 2.0), 0.1, 400, 1200
    means = np.stack([np.full(200, 0.51), np.full(200, 0.503)])
    squares = np.full((2, 200), spread**2 * 599 / 400)  # as much as 599 degrees of freedom have
    chance = measure_leads(counts, means, squares, made / (made + rest)).chance[1]
    truth = means.mean(axis=1) + rng.normal(0, spread / made**0.5, (4_000, 2))
    later = truth + rng.normal(0, spread / rest**0.5, (4_000, 2))
    in_the_end = (made * means.mean(axis=1) + rest * later) / (made + rest)
    assert chance == pytest.approx((in_the_end[:, 1] > in_the_end[:, 0]).mean(), abs=0.03)


@given(st.integers(3, 9), st.integers(2, 12), st.integers(0, 10**9), st.sampled_from([0.0, 0.05, 0.3]))
@settings(max_examples=60)
def test_however_arms_score_a_run_keeps_to_its_plan(
    n_arms: int, per_prompt: int, seed: int, missing: float
) -> None:
    """Two arms at least go on, the best among them; nothing beyond the plan is made, and nothing twice."""
    dice = random.Random(seed)
    arms, rounds = "ABCDEFGHI"[:n_arms], plan_rounds(n_arms, per_prompt, "halving")
    means = {arm: dice.uniform(0.3, 0.7) for arm in arms}
    scored = [a_scored(arms[0], 2, 0, 0.5)]
    decisions: list[RoundDecision] = []
    made: list[tuple[str, int]] = []
    while True:
        one = passes_of(rounds, arms, decisions)[-1]
        replicates = range(one.first_replicate, one.first_replicate + one.replicates)
        made += [(arm, replicate) for arm in one.arms for replicate in replicates]
        for arm, row, replicate in product(one.arms, range(2), replicates):
            score = None if dice.random() < missing else dice.gauss(means[arm], 0.1)
            scored.append(a_scored(arm, row, replicate, score))
        if is_complete(rounds, decisions):
            break
        decision = allocate(scored, one.arms, rounds, number=len(decisions) + 1)
        assert decision is not None
        assert LAST_ARMS <= len(decision.arms_going_on) <= rounds[decision.number].n_arms
        assert decision.standings[0].goes_on
        decisions.append(decision)
    assert len(one.arms) == LAST_ARMS
    assert one.replicates == rounds[-1].replicates
    assert len(made) == len(set(made)) <= n_arms * per_prompt


def test_passes_follow_what_was_decided() -> None:
    """The first pass is of every arm; later ones keep the campaign's order and new replicates."""
    rounds = plan_rounds(4, 4, "halving")
    scored = [a_scored(arm, 0, 0, score) for arm, score in zip("ABCD", (0.2, 0.9, 0.1, 0.8), strict=True)]
    decision = replace(decided(scored, "ABCD"), next_first_replicate=7, next_replicates=3)
    first, second = passes_of(rounds, list("ABCD"), [decision])
    assert first == Pass(("A", "B", "C", "D"), 0, rounds[0].replicates)
    assert second == Pass(("B", "D"), 7, 3)
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
    """Nobody knows which arms go on, nor for how long, so the plan holds for any of them."""
    rounds = plan_rounds(4, 4, "halving")
    first_usd = {arm: (Decimal(n), Decimal(2 * n)) for n, arm in enumerate("ABCD", 1)}
    first, second, third, last = plan_round_costs(rounds, 3, first_usd)
    times = Decimal(rounds[-1].replicates) / rounds[0].replicates
    assert (first.low_usd, first.high_usd) == (Decimal(10), Decimal(20))
    assert (second.low_usd, second.high_usd) == (Decimal(0), Decimal(20))
    assert (third.low_usd, third.high_usd) == (Decimal(0), Decimal(20))
    assert (last.low_usd, last.high_usd) == (3 * times, 14 * times)
    assert [part.fewest_pictures for part in (first, second, third, last)] == [12, 0, 0, 12]
    assert first.pictures + second.pictures + third.pictures + last.pictures == 4 * 4 * 3


def test_halving_finds_the_best_arm_oftener_by_as_many_drafts() -> None:
    """2,000 drawn campaigns of eight arms: as often as all alike does with more than twice the drafts."""
    rng = np.random.default_rng(3)
    truth = draw_truth(rng, "0.02 apart", 2_000)
    found = find_by_halving(rng, truth, 16)
    halving = share_found(truth, found.named)
    twice = 2 * found.drafts.mean() / (len(ARMS) * ROWS)
    once, more = (
        share_found(truth, find_fixed(rng, truth, per_prompt)) for per_prompt in (8, math.ceil(twice))
    )
    assert found.drafts.max() <= 16 * len(ARMS) * ROWS
    assert halving > once + 0.02
    assert halving > more - 0.01


def test_the_benchmark_draws_by_the_rule_of_a_run() -> None:
    """30 campaigns, picture by picture: the arms that go on, and the end of the choice, are the same."""
    rng = np.random.default_rng(6)
    rounds = plan_rounds(8, 8, "halving")
    share = rounds[1].first_replicate / (rounds[-1].first_replicate + rounds[-1].replicates)
    n_settled = 0
    for _ in range(30):
        means = rng.normal(0.5, 0.1, 8)
        cells = means[:, None, None] + rng.normal(0, 0.1, (8, 6, rounds[0].replicates))
        scored = [
            a_scored(ARMS[arm], row, index, score) for (arm, row, index), score in np.ndenumerate(cells)
        ]
        decision = allocate(scored, list(ARMS), rounds, number=1)
        assert decision is not None
        squares = ((cells - cells.mean(axis=2, keepdims=True)) ** 2).sum(axis=2)
        made = Pictures(np.full((1, 8, 6), cells.shape[2]), cells.mean(axis=2)[None], squares[None])
        goes_on, is_settled = who_goes_on(made, np.ones((1, 8), dtype=bool), share, rounds[1].n_arms)
        assert set(decision.arms_going_on) == {
            arm for arm, is_in in zip(ARMS, goes_on[0], strict=True) if is_in
        }
        assert decision.is_next_last == is_settled[0]
        n_settled += decision.is_next_last
    assert 0 < n_settled < 30


def test_the_pictures_held_out_do_not_flatter_the_arm_that_led() -> None:
    """100 campaigns of equal arms, picture by picture: few wins, and a lead by chance only."""
    wins, holds, fresh, flattered = measure_verdicts(np.random.default_rng(3), 100, 0.0)
    assert wins <= 0.12
    assert holds >= 0.88
    assert abs(fresh) < 0.01
    assert flattered > 0


LEVELS = {"light": ["soft", "hard"], "lens": ["wide", "tele"], "size": ["s", "l"]}
BY_ARM = {
    "_".join(each): dict(zip(LEVELS, each, strict=True)) for each in itertools.product(*LEVELS.values())
}


def of_levels(hard: float, replicates: int = 1, seed: int = 3) -> list[ScoredDraft]:
    """Make drafts of eight arms in six rows; hard light scores this much better, nothing else matters."""
    rng = np.random.default_rng(seed)
    return [
        a_scored(arm, row, index, 0.5 + hard * (levels["light"] == "hard") + float(rng.normal(0, 0.1)))
        for (arm, levels), row, index in itertools.product(BY_ARM.items(), range(6), range(replicates))
    ]


def test_a_level_that_cannot_be_among_the_best_goes_with_all_its_arms() -> None:
    """Its eight arms together say so at once; some of them would go on by themselves."""
    large = {"light": ["soft", "dim", "hard"], "lens": ["wide", "tele", "macro", "fish"], "size": ["s", "l"]}
    by_arm = {
        "_".join(each): dict(zip(large, each, strict=True)) for each in itertools.product(*large.values())
    }
    worse = {True: 0, False: 0}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        scored = [
            a_scored(arm, row, 0, 0.5 + 0.08 * (own["light"] == "hard") + float(rng.normal(0, 0.1)))
            for (arm, own), row in itertools.product(by_arm.items(), range(6))
        ]
        for by_levels in (True, False):
            levels = by_arm if by_levels else None
            rounds = plan_rounds(len(by_arm), 6, "halving")
            found = allocate(scored, list(by_arm), rounds, number=1, levels=levels)
            assert found is not None
            worse[by_levels] += sum(by_arm[arm]["light"] != "hard" for arm in found.arms_going_on)
    assert worse[True] == 0
    assert worse[False] > 0


def test_with_a_single_row_arms_are_compared_as_they_are() -> None:
    """It does not show how far scores vary, so nothing is known of levels beyond their arms."""
    scored, rounds = of_levels(0.1), plan_rounds(8, 6, "halving")
    one_row = [draft for draft in scored if draft.row == 0]
    by_levels = allocate(one_row, list(BY_ARM), rounds, number=1, levels=BY_ARM)
    assert by_levels == allocate(one_row, list(BY_ARM), rounds, number=1)


def test_dropped_arms_still_say_what_their_levels_are_worth() -> None:
    """In a later round only two arms of hard light are left; the lens is known from all eight."""
    scored, rounds = of_levels(0.3, replicates=2), plan_rounds(8, 6, "halving")
    left = ["hard_wide_s", "hard_tele_s", "hard_wide_l"]
    found = allocate(scored, left, rounds, number=2, levels=BY_ARM)
    assert found is not None
    assert {standing.arm for standing in found.standings} == set(left)
    assert all(standing.lead is not None for standing in found.standings)
