"""How far people agree: a published example comes out, and too little says nothing."""

from datetime import UTC, datetime

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.pairwise.people_agreement import FEWEST, Level, _alpha, agree_on_pairs, agree_on_stars
from tasks.pairwise.votes import Vote, VoteOutcome

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OBSERVERS = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}
"""Krippendorff (2011), example C: 12 units, 4 observers, values missing; for ranks alpha is 0.815."""


def vote(number: int, voter: str, outcome: VoteOutcome, *, is_turned: bool = False) -> Vote:
    """Vote on the numbered pair, whose pictures may have changed sides."""
    pair = (f"c-{number}a", f"c-{number}b")
    left, right = pair[::-1] if is_turned else pair
    return Vote(f"v-{number}-{voter}", "run", 0, left, right, outcome, voter, NOON)


def test_a_published_example_comes_out() -> None:
    """Unit 12 has one value only, and is no evidence."""
    stars = {
        str(unit): {name: values[unit] for name, values in OBSERVERS.items() if values[unit] is not None}
        for unit in range(12)
    }
    found = agree_on_stars(stars)  # type: ignore[arg-type]
    assert found.alpha == pytest.approx(0.815, abs=5e-4)
    assert (found.shared, found.people, found.note) == (11, 4, "")


@given(
    st.lists(st.lists(st.integers(1, 4) | st.none(), min_size=3, max_size=3), min_size=6, max_size=20),
    st.sampled_from(["nominal", "ordinal"]),
)
def test_it_is_what_another_implementation_finds(table: list[list[int | None]], level: Level) -> None:
    """Three people, and any answers that two of them gave."""
    shared = [{name: value for name, value in zip("ABC", row, strict=True) if value} for row in table]
    shared = [answers for answers in shared if len(answers) > 1]
    assume(len({value for answers in shared for value in answers.values()}) > 1)
    columns = [[answers.get(name, np.nan) for answers in shared] for name in "ABC"]
    theirs = krippendorff.alpha(reliability_data=np.array(columns, float), level_of_measurement=level)
    assert _alpha(shared, level) == pytest.approx(theirs, abs=1e-9)


def test_people_agree_about_pictures_and_not_about_sides() -> None:
    """Two people see the same pairs on other sides and prefer the same pictures; a skip is no answer."""
    answers: list[VoteOutcome] = ["left", "right", "tie", "both bad", "left", "right"]
    turned: dict[VoteOutcome, VoteOutcome] = {"left": "right", "right": "left"}
    votes = [vote(k, "mara", said) for k, said in enumerate(answers)]
    votes += [vote(k, "jo", turned.get(said, said), is_turned=True) for k, said in enumerate(answers)]
    skips = [vote(k, "kim", "skip") for k in range(6)]
    found = agree_on_pairs(votes + skips)
    assert found.alpha == pytest.approx(1.0)
    assert (found.shared, found.people) == (6, 2)
    contradicted = [vote(k, "mara", "left") for k in range(6)] + [vote(k, "jo", "right") for k in range(6)]
    assert (agree_on_pairs(contradicted).alpha or 0) < 0


def test_too_little_is_not_read_as_agreement() -> None:
    """Few shared pairs, or one answer to all, have no alpha and a reason."""
    few = [vote(k, name, "left") for k in range(FEWEST - 1) for name in ("mara", "jo")]
    assert agree_on_pairs(few).alpha is None
    assert "fewer than 5 pairs" in agree_on_pairs(few).note
    same = [vote(k, name, "tie") for k in range(9) for name in ("mara", "jo")]
    assert agree_on_pairs(same).alpha is None
    assert "same answer" in agree_on_pairs(same).note
    assert agree_on_pairs([]).shared == 0
