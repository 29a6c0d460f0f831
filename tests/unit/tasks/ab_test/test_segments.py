"""Segments: what the whole hides is found, and what chance makes up is seldom named."""

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.proportion import proportion_confint

from tasks.ab_test.evidence import ScoredDraft
from tasks.ab_test.preference_sentences import state_preferences
from tasks.ab_test.preferences import Answer, ArmVote, prefer_arms
from tasks.ab_test.result import AbTest
from tasks.ab_test.segment_preferences import prefer_in_segments
from tasks.ab_test.segment_verdicts import find_interactions
from tasks.ab_test.segments import find_segments, hold_false_discoveries, shrink
from tasks.ab_test.verdict import compare_arms

KINDS = ("typography", "places", "people", "things")
ROWS = [{"kind": KINDS[row % 4], "name": f"row {row}"} for row in range(40)]


def test_segments_are_kinds_of_rows_and_not_rows() -> None:
    """A variable of one value, or of one value for each row, makes none; nor does a value of two rows."""
    rows = [
        {"kind": kind, "same": 1, "name": n}
        for n, kind in enumerate(["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"])
    ]
    found = find_segments([*rows, {"name": "x"}])
    assert [(one.variable, one.value, sorted(one.rows)) for one in found] == [
        ("kind", "a", [0, 1, 2, 3]),
        ("kind", "b", [4, 5, 6]),
    ]
    assert find_segments([{}]) == []


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_false_discoveries_are_held_as_statsmodels_does(p_values: list[float | None]) -> None:
    """By Benjamini and Hochberg; what is unknown stays unknown."""
    known = [p_value for p_value in p_values if p_value is not None]
    found = hold_false_discoveries(p_values)
    assert [value is None for value in found] == [value is None for value in p_values]
    if known:
        expected = multipletests(known, method="fdr_bh")[1]
        assert [value for value in found if value is not None] == pytest.approx(list(expected))


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 1)), min_size=1, max_size=6))
def test_segments_are_shrunk_toward_their_mean_and_not_beyond(measured: list[tuple[float, float]]) -> None:
    """The less certain one is, the further; none changes sides of the mean."""
    values, errors = zip(*measured, strict=True)
    mean = np.average(values, weights=np.array(errors) ** -2.0)
    for value, shrunk in zip(values, shrink(values, errors), strict=True):
        assert min(value, mean) - 1e-9 <= shrunk <= max(value, mean) + 1e-9


def test_alike_segments_are_shrunk_to_one_value_and_far_ones_hardly() -> None:
    """What the errors alone would show is nothing; what is ten errors apart stays."""
    assert shrink([0.10, 0.12], [0.05, 0.05]) == pytest.approx([0.11, 0.11])
    assert shrink([-0.5, 0.5], [0.05, 0.05]) == pytest.approx([-0.5, 0.5], abs=0.01)


def campaign_of(rng: np.random.Generator, effects: dict[str, float]) -> AbTest:
    """Compare two arms over 40 rows of three pictures; B is better by an effect of each row's kind."""
    drafts = []
    for row, variables in enumerate(ROWS):
        prompt = rng.normal(0.5, 0.1)
        for arm, lift in (("A", 0.0), ("B", effects.get(variables["kind"], 0.0))):
            for replicate, score in enumerate(rng.normal(prompt + lift, 0.1, 3).tolist()):
                name = f"{arm}-{row}-{replicate}"
                drafts.append(
                    ScoredDraft(name, arm, row, replicate, "received", Decimal(0), name, "survivor", score)
                )
    return compare_arms(drafts, by="on the judge alone", segments=find_segments(ROWS))


def test_what_the_whole_hides_is_named() -> None:
    """Better for one kind and worse for another: no difference on the whole, and both are said."""
    test = campaign_of(np.random.default_rng(4), {"typography": 0.15, "places": -0.15})
    assert test.headline.startswith("On the judge alone, not enough evidence that arms A and B differ")
    assert test.headline.endswith(
        ' A is better for kind "places", B for kind "typography"; on the whole no difference is found.'
    )
    by_kind = {one.value: one for one in test.segments}
    assert (by_kind["typography"].rows, by_kind["people"].winner) == (10, None)
    assert json.loads(json.dumps(test.as_dict()))["segments"][0]["arms"] == ["A", "B"]


def test_a_segment_that_agrees_with_the_whole_is_not_named() -> None:
    """It would say again what the first sentence says of all rows."""
    test = campaign_of(np.random.default_rng(5), dict.fromkeys(KINDS, 0.15))
    assert test.headline.startswith("On the judge alone, arm B beats arm A")
    assert test.headline.endswith("over 40 rows.")
    assert any(one.winner == "B" for one in test.segments)


@pytest.mark.parametrize("campaigns", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_with_equal_arms_hardly_a_campaign_names_a_segment(campaigns: int) -> None:
    """One in twenty, with some noise."""
    rng = np.random.default_rng(9)
    named = sum(any(one.winner for one in campaign_of(rng, {}).segments) for _ in range(campaigns))
    assert named <= 0.05 * campaigns + 3 * (0.05 * 0.95 * campaigns) ** 0.5


def public_votes() -> list[ArmVote]:
    """Rebuild the counts of a public comparison: A and B preferred, ties and both bad, by kind."""
    counts = {
        "typography": (7, 19, 3, 1),
        "places": (8, 1, 20, 1),
        "people": (4, 4, 20, 2),
        "things": (4, 3, 20, 3),
    }
    answers: tuple[Answer, ...] = ("first", "second", "tie", "both bad")
    votes = []
    for kind, numbers in counts.items():
        rows = [row for row, variables in enumerate(ROWS) if variables["kind"] == kind]
        said = [answer for answer, number in zip(answers, numbers, strict=True) for _ in range(number)]
        votes += [
            ArmVote(rows[place % len(rows)], "mara", ("A", "B"), answer) for place, answer in enumerate(said)
        ]
    return votes


def test_a_public_comparison_is_read_as_anybody_would_act_on_it() -> None:
    """23 to 27 with 63 ties; but 19 to 7 where text was asked for, and 8 to 1 where places were."""
    votes = public_votes()
    on_the_whole = prefer_arms(votes)
    in_segments = prefer_in_segments(votes, find_segments(ROWS))
    assert (on_the_whole[0].wins, on_the_whole[0].ties, on_the_whole[0].both_bad) == ((23, 27), 63, 7)
    sentence = state_preferences(on_the_whole, in_segments)
    assert sentence.startswith("By people's votes, not enough evidence that arm A or B is preferred")
    assert sentence.endswith(
        ' A is preferred for kind "places" (8 to 1), B for kind "typography" (19 to 7);'
        " on the whole no difference is found."
    )
    for one in in_segments:
        wins, decided = one.preference.wins[0], sum(one.preference.wins)
        score = (wins / decided - 0.5) * 2 * decided**0.5
        low, high = proportion_confint(wins, decided, method="wilson")
        assert one.preference.p_value == pytest.approx(2 * stats.norm.sf(abs(score)), abs=0.02)
        assert (one.preference.low, one.preference.high) == pytest.approx((low, high), abs=0.05)


def test_whether_a_difference_depends_on_the_kind_is_tested_as_statsmodels_does() -> None:
    """By Welch's analysis of variance of the rows' differences: small where kinds differ."""
    apart = campaign_of(np.random.default_rng(4), {"typography": 0.15, "places": -0.15})
    alike = campaign_of(np.random.default_rng(5), dict.fromkeys(KINDS, 0.15))
    (found,), (none,) = apart.interactions, alike.interactions
    assert (found.variable, found.arms) == ("kind", ("A", "B"))
    assert found.p_value is not None
    assert none.p_value is not None
    assert found.p_value < 0.001 < 0.05 < none.p_value
    rng = np.random.default_rng(6)
    scores = {arm: {row: rng.random(3).tolist() for row in range(40)} for arm in "AB"}
    differences = [float(np.mean(scores["A"][row]) - np.mean(scores["B"][row])) for row in range(40)]
    expected = anova_oneway(np.array(differences), np.array([row["kind"] for row in ROWS]), use_var="unequal")
    (tested,) = find_interactions(scores, find_segments(ROWS))
    assert tested.p_value == pytest.approx(float(expected.pvalue))
    flat = {"A": scores["A"], "B": scores["A"]}
    assert find_interactions(flat, find_segments(ROWS))[0].p_value is None


def test_named_variables_make_segments_whatever_their_number_of_values() -> None:
    """``ab_test.segments`` names them; an empty list wants none."""
    rows = [{"city": f"city {n % 10}", "light": n % 2} for n in range(40)]
    assert {one.variable for one in find_segments(rows)} == {"light"}
    assert {one.variable for one in find_segments(rows, ["city"])} == {"city"}
    assert find_segments(rows, []) == []
