"""Statements by arm: shares with intervals that hold, and only differences that are not chance."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from tasks.ab_test.statements import design_effect, state_statements, sum_up_statements, wilson_interval
from tasks.judging.statement_answers import StatementAnswer


def answers(template: str, arm: str, verdicts: dict[int, list[bool | None]]) -> Iterator[StatementAnswer]:
    """Answer one statement about an arm's pictures, by row."""
    for row, given in verdicts.items():
        for place, is_true in enumerate(given):
            yield StatementAnswer(
                f"{arm}-{row}-{place}", arm, row, 1, f"{template} {row}", template, False, is_true, ""
            )


def test_the_statement_that_fails_most_comes_first_and_the_arm_that_loses_is_named() -> None:
    """B breaks hands in every row, A in none; the light is good in both."""
    rows = range(8)
    given = [
        *answers("hands", "A", {row: [True, True] for row in rows}),
        *answers("hands", "B", {row: [False, row % 2 == 0] for row in rows}),
        *answers("light", "A", {row: [True, None] for row in rows}),
        *answers("light", "B", {row: [True, True] for row in rows}),
    ]
    hands, light = sum_up_statements(given, {"B-0-0": 0.2, "B-1-0": 0.9})
    assert (hands.template, light.template) == ("hands", "light")
    assert (hands.arms["B"].answered, hands.arms["B"].true) == (16, 4)
    assert hands.arms["B"].failing[0] == "B-1-0", "the best of those that fail nearly became a finalist"
    assert (light.arms["A"].answered, light.share) == (8, 1.0)
    assert hands.differing == (("B", "A"),)
    assert light.differing == ()
    assert state_statements([hands, light]) == ["B loses on “hands” (75 % against 0 % fail)."]


def test_statements_without_answers_have_no_share() -> None:
    """Unread is null, never false."""
    (found,) = sum_up_statements(list(answers("hands", "A", {0: [None, None]})))
    assert (found.share, found.arms["A"].share, found.arms["A"].low) == (None, None, None)
    assert sum_up_statements([]) == []


@pytest.mark.parametrize(("true", "n"), [(0, 5), (3, 9), (9, 9), (40, 200)])
def test_the_interval_of_independent_pictures_is_wilsons(true: int, n: int) -> None:
    """Checked against statsmodels."""
    assert wilson_interval(true / n, n) == pytest.approx(
        proportion_confint(true, n, method="wilson"), abs=1e-9
    )


def test_pictures_of_one_row_count_for_less_where_rows_decide() -> None:
    """Rows that are all true or all false: five pictures count for one. Without correlation each counts."""
    assert design_effect([[1.0] * 5, [0.0] * 5] * 10) == pytest.approx(5.0)
    dice = np.random.default_rng(3)
    assert design_effect([list(dice.integers(0, 2, 5).astype(float)) for _ in range(200)]) == pytest.approx(
        1, abs=0.2
    )
    assert design_effect([[1.0], [0.0]]) == 1.0


def test_no_difference_is_called_one_by_chance() -> None:
    """Twelve statements, two equal arms, eight rows: at most one campaign in twenty names any."""
    dice, named = random.Random(5), 0
    for _ in range(60):
        given = [
            answer
            for number in range(12)
            for arm in "AB"
            for answer in answers(
                f"s{number}", arm, {row: [dice.random() < 0.8 for _ in range(3)] for row in range(8)}
            )
        ]
        named += any(one.differing for one in sum_up_statements(given))
    assert named <= 8, "5 % of 60 and three standard deviations"
