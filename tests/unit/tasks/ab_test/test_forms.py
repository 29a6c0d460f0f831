"""Pictures of another form than was ordered: only those of one form are compared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ab_test.evidence import compared_form
from tasks.ab_test.verdict import compare_arms
from tests.support.scored_campaigns import a_scored, simulate

JPEG = "jpeg instead of png"


def test_what_all_arms_are_alike_in_is_compared_and_said() -> None:
    """A provider that always sends jpeg does so for both arms: the figures are the same."""
    drafts = simulate(np.random.default_rng(5), rows=12, replicates=8, lift=0.1)
    plain, alike = compare_arms(drafts), compare_arms([replace(draft, form=JPEG) for draft in drafts])
    assert (alike.pairs, alike.arms) == (plain.pairs, plain.arms)
    assert alike.headline == f"{plain.headline} The pictures compared came as {JPEG}, alike in all arms."


def test_what_differs_between_arms_is_not_compared() -> None:
    """One arm came as jpeg only: compression would pass for the arm."""
    drafts = simulate(np.random.default_rng(5), rows=12, replicates=8, lift=0.1)
    apart = compare_arms([replace(draft, form=JPEG if draft.arm == "A" else "") for draft in drafts])
    assert apart.headline == (
        "Arms A and B cannot be compared: the arms have no scored row in common; 12 rows were left out:"
        " scored for one arm only. 96 pictures of another form are left out: jpeg instead of png."
    )
    assert [apart.arms[name].compared for name in "AB"] == [0, 96]


@pytest.mark.parametrize(("n_jpeg", "compared"), [(1, 7), (4, 4), (5, 5), (7, 7)])
def test_pictures_of_one_form_are_compared_with_one_another(n_jpeg: int, compared: int) -> None:
    """The form that most have; of two with as many, the one that was ordered."""
    drafts = [
        replace(draft, form=JPEG if draft.replicate < n_jpeg else "")
        for draft in simulate(np.random.default_rng(5), rows=12, replicates=8, lift=0.1)
    ]
    found = compare_arms(drafts)
    assert [found.arms[name].compared for name in "AB"] == [12 * compared] * 2
    assert (f"came as {JPEG}, alike" in found.headline) == (n_jpeg > 4)
    assert f"{24 * (8 - compared)} pictures of another form are left out" in found.headline


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["", JPEG, "8x8 instead of 9x9"]), st.booleans())
    )
)
def test_the_form_compared_is_one_that_the_most_arms_have(made: list[tuple[str, str, bool]]) -> None:
    """So that as many arms as possible are compared; pictures of a cheaper tier have no say."""
    drafts = [
        a_scored(arm, 0, k, 0.5, form=form, is_downgraded=is_downgraded)
        for k, (arm, form, is_downgraded) in enumerate(made)
    ]
    arms: dict[str, set[str]] = {}
    for arm, form, is_downgraded in made:
        if not is_downgraded:
            arms.setdefault(form, set()).add(arm)
    chosen = compared_form(drafts)
    assert len(arms.get(chosen, ())) == max(map(len, arms.values()), default=0)
