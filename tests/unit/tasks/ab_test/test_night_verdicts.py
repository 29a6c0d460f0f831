"""The verdict over all nights in words, and drift: an arm that scores otherwise since some night."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pytest

from tasks.ab_test.drift import find_shift
from tasks.ab_test.night_verdicts import Night, compare_nights

FIRST = date(2026, 11, 1)


def some_nights(
    number: int,
    better: Mapping[str, float],
    *,
    rows: int = 12,
    since: int = 99,
    change: float = 0.0,
    seller: str = "openai",
) -> list[Night]:
    """Draw nights of arms that are better by so much; from a night on, B scores otherwise."""
    rng = np.random.default_rng(7)
    prompts = rng.normal(0.5, 0.1, rows)
    nights = []
    for night in range(number):
        scores = {
            arm: {
                f"row {row}": rng.normal(
                    prompts[row] + lift + (change if arm == "B" and night >= since else 0), 0.05, 3
                ).tolist()
                for row in range(rows)
            }
            for arm, lift in better.items()
        }
        provider = seller if night >= since else "openai"
        nights.append(Night(f"run-{night}", FIRST + timedelta(days=night), provider, scores))
    return nights


def test_a_winner_over_all_nights_is_said_to_be_safe_for_whoever_looks_every_morning() -> None:
    """The sentence names nights, rows and the anytime interval; the plain one is told apart."""
    found = compare_nights(some_nights(6, {"A": 0.0, "B": 0.08}))
    assert found is not None
    assert found.winner == "B"
    assert found.headline.startswith(
        "Over 6 nights and 12 rows, arm B beats arm A by 0.09 points (anytime 95%"
    )
    assert found.headline.endswith("whoever looks every morning may stop here.")
    (pair,) = found.pairs
    assert pair.anytime_high is not None
    assert pair.high is not None
    assert pair.anytime_high > pair.high  # B is ahead: both are below zero
    assert found.as_dict()["pairs"][0]["arms"] == ["A", "B"]


def test_before_the_third_night_nothing_is_decided() -> None:
    """However clear it looks; and one night alone is no verdict of this kind."""
    nights = some_nights(5, {"A": 0.0, "B": 0.3})
    second = compare_nights(nights[:2])
    assert second is not None
    assert second.winner is None
    assert second.headline.endswith("for a single look); nothing is decided before the third night.")
    assert compare_nights(nights[:1]) is None
    fifth = compare_nights(nights)
    assert fifth is not None
    assert fifth.winner == "B"


def test_of_three_arms_the_one_that_beats_both_decides() -> None:
    """Two that are alike leave it open, and what is known is said."""
    decided = compare_nights(some_nights(8, {"A": 0.0, "B": 0.1, "C": 0.2}))
    assert decided is not None
    assert decided.winner == "C"
    assert decided.headline.startswith("Over 8 nights, arm C beats every other arm")
    open_ = compare_nights(some_nights(8, {"A": 0.0, "B": 0.1, "C": 0.1}), left_out=2)
    assert open_ is not None
    assert open_.winner is None
    assert "B beats A, C beats A." in open_.headline
    assert open_.headline.endswith("2 earlier runs are left out: other arms, or scored otherwise.")


def test_drift_names_the_arm_the_day_the_change_and_a_new_seller() -> None:
    """From the eleventh night on B's pictures score 0.1 less, and another provider sells them."""
    nights = some_nights(16, {"A": 0.0, "B": 0.0}, since=10, change=-0.1, seller="cometapi")
    found = compare_nights(nights)
    assert found is not None
    (drift,) = found.drifts
    assert (drift.arm, drift.since, drift.provider) == ("B", date(2026, 11, 11), "cometapi")
    assert drift.change == pytest.approx(-0.1, abs=0.02)
    assert "Since 2026-11-11, arm B scores the same rows 0.1" in found.headline
    assert "since then cometapi is the provider" in found.headline


def test_nights_in_any_order_are_no_drift() -> None:
    """Noise, one bad night, and changes too small to matter are not told; few nights never are."""
    rng = np.random.default_rng(8)
    alarms = sum(find_shift(rng.normal(0.5, 0.05, (14, 10))) is not None for _ in range(30))
    assert alarms <= 1
    one_bad = rng.normal(0.5, 0.05, (14, 10))
    one_bad[6] -= 0.3
    assert find_shift(one_bad) is None
    tiny = np.full((20, 4), 0.5)
    tiny[10:] += 0.01
    assert find_shift(tiny) is None
    large = np.full((7, 4), 0.5)
    large[4:] += 0.3
    assert find_shift(large) is None


def test_a_shift_is_found_at_its_night_though_rows_are_missing() -> None:
    """Rows that came late do not move the level."""
    scores = np.random.default_rng(9).normal(0.5, 0.03, (18, 6)) + np.linspace(0, 0.3, 6)
    scores[12:] += 0.08
    scores[:9, 3:] = np.nan
    shift = find_shift(scores)
    assert shift is not None
    assert shift.first == 12
