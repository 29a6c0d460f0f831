"""Effects of factors on people's votes: against a plain share, with few votes, landslides and one person."""

import itertools

import numpy as np
import pytest

from tasks.ab_test.preferences import Answer, ArmVote
from tasks.ab_test.vote_effects import estimate_vote_effects

LEVELS = {"light": ["soft", "hard"], "lens": ["wide", "tele"]}
ARMS = {"_".join(each): dict(zip(LEVELS, each, strict=True)) for each in itertools.product(*LEVELS.values())}


def votes(
    n_votes: int, hard: float, seed: int = 1, n_rows: int = 10, n_people: int = 4, ties: float = 0.1
) -> list[ArmVote]:
    """Let people vote between random arms; hard light has these log-odds."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n_votes):
        first, second = sorted(rng.choice(list(ARMS), 2, replace=False))
        worth = hard * (("hard" in first) - ("hard" in second))
        is_first = rng.random() < 1 / (1 + np.exp(-worth))
        answer: Answer = "tie" if rng.random() < ties else "first" if is_first else "second"
        found.append(ArmVote(number % n_rows, f"p{rng.integers(n_people)}", (first, second), answer))
    return found


def test_the_level_that_people_prefer_is_named_and_no_other() -> None:
    """Its difference is how much more often than half it wins, all else equal."""
    light, lens = estimate_vote_effects(votes(400, hard=1.0, ties=0.0, n_people=8), ARMS, LEVELS)
    assert (light.factors, light.levels, light.matters) == (("light",), ("hard",), True)
    assert light.difference == pytest.approx(1 / (1 + np.exp(-1.0)) - 0.5, abs=0.08)
    assert not lens.matters


def test_of_one_factor_it_is_the_share_of_votes() -> None:
    """Apart from the prior's one vote."""
    arms = {"a": {"light": "soft"}, "b": {"light": "hard"}}
    given = [ArmVote(n % 10, f"p{n % 4}", ("a", "b"), "second" if n % 4 else "first") for n in range(400)]
    (found,) = estimate_vote_effects(given, arms, {"light": LEVELS["light"]})
    assert found.difference == pytest.approx(0.25, abs=0.005)


def test_few_votes_say_nothing_and_a_landslide_stays_finite() -> None:
    """Nineteen votes, four rows, or votes that call both bad, are not enough."""
    assert estimate_vote_effects(votes(19, 2.0), ARMS, LEVELS) == []
    assert estimate_vote_effects(votes(100, 2.0, n_rows=4), ARMS, LEVELS) == []
    bad = [vote._replace(answer="both bad") for vote in votes(100, 0.0)]
    assert estimate_vote_effects(bad, ARMS, LEVELS) == []
    won = [ArmVote(n % 8, f"p{n % 5}", ("hard_wide", "soft_wide"), "first") for n in range(60)]
    (found,) = estimate_vote_effects(won, ARMS, LEVELS)
    assert 0.4 < found.difference < 0.5


def test_arms_that_are_not_made_of_factors_are_left_out() -> None:
    """They have no levels."""
    strange = [vote._replace(arms=("by_hand", vote.arms[1])) for vote in votes(100, 2.0)]
    assert estimate_vote_effects(strange, ARMS, LEVELS) == []


@pytest.mark.parametrize("hard", [0.0, 1.0])
def test_the_interval_holds_in_about_95_of_100_campaigns(hard: float) -> None:
    """Of 120 campaigns at least 108; a person's taste is not simulated here."""
    truth, held = 1 / (1 + np.exp(-hard)) - 0.5, 0
    for seed in range(120):
        light, _ = estimate_vote_effects(votes(80, hard, seed=seed, ties=0.0), ARMS, LEVELS)
        assert light.low is not None
        assert light.high is not None
        held += light.low <= truth <= light.high
    assert held >= 108
