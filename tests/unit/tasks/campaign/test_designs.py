"""Designs that make fewer arms: how many, how balanced, and what they cannot tell."""

import itertools
from typing import Any

import numpy as np
import pytest

from tasks.campaign.designs import find_confounding, state_confounding
from tasks.campaign.factors import Factors

NAMES = "abcdefghijkl"


def factors(sizes: tuple[int, ...], **changes: Any) -> Factors:
    """Make factors with levels a0, a1 and so on."""
    levels = {
        name: [f"{name}{place}" for place in range(size)] for name, size in zip(NAMES, sizes, strict=False)
    }
    return Factors.model_validate({"prompt": "x", "levels": levels} | changes)


def levels_of(subject: Factors) -> dict[str, list[str]]:
    """List the names of the levels."""
    return {factor: list(named) for factor, named in subject.named_levels.items()}


@pytest.mark.parametrize(
    ("sizes", "design", "n_arms"),
    [
        ((2, 2, 2), "full", 8),
        ((2,) * 3, "fractional", 8),
        ((2,) * 4, "fractional", 8),
        ((2,) * 7, "fractional", 16),
        ((2,) * 3, "main_effects", 4),
        ((2,) * 7, "main_effects", 8),
        ((2,) * 11, "main_effects", 12),
        ((3, 4, 2), "main_effects", 10),
        ((3,) * 5, "main_effects", 14),
    ],
)
def test_a_design_is_as_small_as_its_kind_allows_and_balanced(
    sizes: tuple[int, ...], design: str, n_arms: int
) -> None:
    """Every level has as many arms as any other, or nearly; and it is the same at every call."""
    subject = factors(sizes, design=design)
    made = subject.combinations
    assert len(made) == subject.n_arms == n_arms
    assert len({tuple(each.values()) for each in made}) == n_arms
    for factor, named in levels_of(subject).items():
        counts = [sum(each[factor] == level for each in made) for level in named]
        assert max(counts) - min(counts) <= (0 if set(sizes) == {2} else 2)
    if set(sizes) == {2}:
        assert set(made[0].values()) == {named[0] for named in levels_of(subject).values()}
    assert made == factors(sizes, design=design).combinations


def test_the_eight_arms_of_seven_factors_are_the_textbook_s() -> None:
    """The 2^(7-4): main effects are orthogonal, and each may be taken for three pairs.

    Source: Box, Hunter and Hunter, "Statistics for Experimenters", table 6.2: seven factors in eight runs.
    """
    subject = factors((2,) * 7, design="main_effects")
    signs = np.array(
        [[1 if level.endswith("1") else -1 for level in each.values()] for each in subject.combinations]
    )
    assert (signs.T @ signs == 8 * np.eye(7)).all()
    found = find_confounding(subject.combinations, levels_of(subject))
    for factor, pairs in found.mains.items():
        assert len(pairs) == 3
        assert {name for pair in pairs for name in pair} == set(NAMES[:7]) - {factor}
    assert len(found.pairs) == 21


def test_a_fraction_of_resolution_four_keeps_main_effects_clear() -> None:
    """Of 2^(4-1), AB is CD: which of them it is cannot be told, but no main effect is taken for it."""
    subject = factors((2,) * 4, design="fractional")
    assert find_confounding(subject.combinations, levels_of(subject)).mains == {name: [] for name in "abcd"}
    assert state_confounding(subject.combinations, levels_of(subject)) == (
        "8 of 16 combinations are made. Main effects are clear of interactions of two factors."
        " Which factors work together can be told of 0 of 6 pairs."
    )


def test_a_small_design_says_what_its_main_effects_may_be_taken_for() -> None:
    """Three factors in four arms."""
    subject = factors((2,) * 3, design="main_effects")
    assert state_confounding(subject.combinations, levels_of(subject)) == (
        "4 of 8 combinations are made. A main effect may be taken for two factors that work together:"
        " a for b with c; b for a with c; c for a with b."
        " Which factors work together can be told of 0 of 3 pairs."
    )
    whole = factors((2,) * 3)
    assert state_confounding(whole.combinations, levels_of(whole)) == ""


def test_a_few_arms_of_a_design_tell_nothing_apart() -> None:
    """As with `--only-arm`; without any there is nothing to say."""
    subject = factors((2,) * 3)
    levels = levels_of(subject)
    assert state_confounding(subject.combinations[:1], levels) == (
        "1 of 8 combinations is made, which does not tell the factors from one another."
    )
    assert state_confounding([], levels) == ""
    assert find_confounding([], levels).is_too_small


def test_a_design_of_what_exclusions_leave_keeps_to_them() -> None:
    """D-optimal, of the combinations that may be made."""
    subject = factors((3, 4, 2), design="main_effects", exclude=[{"a": "a1", "b": ["b1", "b2"]}])
    assert not any(each["a"] == "a1" and each["b"] in ("b1", "b2") for each in subject.combinations)
    assert {each["b"] for each in subject.combinations} == {"b0", "b1", "b2", "b3"}


def test_a_d_optimal_design_is_nearly_as_good_as_the_full_one() -> None:
    """At least 85 % of the information of each arm of the full design."""
    for sizes in ((3, 4, 2), (3, 3, 3, 2), (5, 4, 3), (3,) * 5):
        subject = factors(sizes, design="main_effects")
        every = [
            dict(zip(levels_of(subject), each, strict=True))
            for each in itertools.product(*levels_of(subject).values())
        ]
        small, large = (information(made, levels_of(subject)) for made in (subject.combinations, every))
        assert small / large > 0.85


def information(made: Any, levels: dict[str, list[str]]) -> float:
    """Return the determinant of the information of main effects for each arm, to the power of one effect."""
    columns = [
        [1.0, *(float(each[name] == level) for name in levels for level in levels[name][1:])] for each in made
    ]
    design = np.array(columns)
    return float(np.linalg.det(design.T @ design) ** (1 / design.shape[1]) / len(design))
