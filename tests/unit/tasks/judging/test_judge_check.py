"""The judge against people: agreement beyond chance, its interval, what is found and what is proposed."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from tasks.judging.drawn_pictures import draw_pictures
from tasks.judging.judge_check import CheckedStatement, check_judge
from tasks.judging.people_answers import PersonAnswer, Said
from tasks.judging.statement_answers import StatementAnswer
from tests.support.builders import NOON, RUN_ID

ASKED = "The mug is red"


def judged(name: str, is_true: bool | None, text: str = ASKED, *, is_own: bool = True) -> StatementAnswer:
    """Make an answer of the judge."""
    return StatementAnswer(name, "A", 0, 1, text, text, False, is_true, "", is_own=is_own)


def said(name: str, answer: Said, by: str = "mara", text: str = ASKED) -> PersonAnswer:
    """Make an answer of a person."""
    return PersonAnswer(RUN_ID, name, text, answer, by, NOON)


def checked(both_yes: int, only_judge: int, only_people: int, both_no: int) -> CheckedStatement:
    """Check a judge by so many pictures of each kind."""
    kinds = [(True, "yes")] * both_yes + [(True, "no")] * only_judge
    kinds += [(False, "yes")] * only_people + [(False, "no")] * both_no
    given = [judged(f"c-{k}", is_true) for k, (is_true, _) in enumerate(kinds)]
    people = [said(f"c-{k}", "yes" if word == "yes" else "no") for k, (_, word) in enumerate(kinds)]
    (found,) = check_judge(given, people).statements
    return found


@pytest.mark.parametrize("table", [(9, 1, 2, 8), (10, 5, 0, 5), (3, 7, 7, 3), (18, 0, 1, 1)])
def test_kappa_is_the_one_of_statsmodels_and_lies_in_its_interval(table: tuple[int, int, int, int]) -> None:
    """Of the same four counts."""
    found = checked(*table)
    expected = cohens_kappa(np.array(table).reshape(2, 2)).kappa
    assert found.kappa == pytest.approx(expected)
    assert found.kappa_low is not None
    assert found.kappa_high is not None
    assert found.kappa_low < expected < found.kappa_high <= 1
    assert found.accuracy == (table[0] + table[3]) / sum(table)


def test_twenty_times_right_is_no_certainty() -> None:
    """Where all agree, the interval still says how few they are."""
    few, many = checked(4, 0, 0, 4), checked(40, 0, 0, 40)
    assert few.kappa == many.kappa == 1
    assert few.kappa_low is not None
    assert many.kappa_low is not None
    assert 0.2 < few.kappa_low < 0.75 < many.kappa_low < 1


@pytest.mark.parametrize(
    ("table", "finding", "proposal"),
    [
        ((10, 0, 0, 10), "sees it", ""),
        ((5, 5, 0, 10), "undecided", ""),
        ((3, 9, 1, 7), "cannot see it", "other model"),
        ((7, 1, 9, 3), "cannot see it", "reword"),
        ((5, 5, 5, 5), "cannot see it", "drop"),
        ((12, 8, 0, 0), "cannot see it", "other model"),
        ((20, 0, 0, 0), "undecided", ""),
        ((2, 0, 0, 2), "undecided", ""),
    ],
)
def test_what_the_judge_cannot_see_is_named_with_a_proposal(
    table: tuple[int, int, int, int], finding: str, proposal: str
) -> None:
    """Faults that it overlooks ask for another model, faults that are none for other words."""
    found = checked(*table)
    assert (found.finding, found.proposal) == (finding, proposal)
    assert bool(found.kappa is None) == (table[2] + table[3] == 0), "unknown where it always said yes"


def test_the_last_answer_of_each_person_and_the_majority_of_all_count() -> None:
    """A tie, and who cannot tell, say nothing of the picture; people who answered the same are compared."""
    given = [judged("c-1", True), judged("c-2", True), judged("c-3", False)]
    people = [
        said("c-1", "no"), said("c-1", "yes"), said("c-1", "yes", "jo"), said("c-1", "no", "kim"),
        said("c-2", "yes"), said("c-2", "no", "jo"), said("c-3", "cannot_tell"),
        said("c-0", "yes"), said("c-1", "yes", text="Another statement"),
    ]  # fmt: skip
    check = check_judge(given, people)
    (found,) = check.statements
    assert (found.both_yes, found.pictures, found.split, found.cannot_tell) == (1, 1, 1, 1)
    assert (check.people, check.answers, check.people_agree) == (3, 8, 0.25)


def test_people_who_cannot_tell_ask_for_other_words() -> None:
    """What nobody can see is no fault of the judge."""
    given = [judged(f"c-{k}", k % 2 == 0) for k in range(9)]
    people = [said(f"c-{k}", "cannot_tell" if k < 3 else "yes") for k in range(9)]
    check = check_judge(given, people)
    assert (check.statements[0].finding, check.statements[0].proposal) == ("people cannot tell", "reword")
    assert check.sentences == (f"“{ASKED}”: People could not tell in 3 of 9 answers. Reword it.",)


def test_what_follows_from_another_statement_is_not_compared_and_noise_is_null_unless_measured() -> None:
    """An answer that was not the judge's own says nothing of its sight."""
    given = [judged("c-1", False, is_own=False), judged("c-2", True), judged("c-3", None)]
    people = [said("c-1", "yes"), said("c-2", "yes"), said("c-3", "yes")]
    (found,) = check_judge(given, people).statements
    assert (found.pictures, found.noise, found.asked_again) == (1, None, 0)
    (found,) = check_judge(given, people, {("c-2", ASKED): (True, False, True)}).statements
    assert found.noise == pytest.approx(2 / 3)
    assert found.asked_again == 1
    assert check_judge(given, ()).statements[0].accuracy is None


def test_pictures_are_drawn_of_both_answers_the_same_for_the_same_person() -> None:
    """Of 2 % that fail, all are drawn; who wants more gets the same and further ones."""
    given = [judged(f"c-{k:03d}", k % 50 != 0) for k in range(300)]
    drawn = draw_pictures(given, "run mara")
    assert drawn == draw_pictures(given[::-1], "run mara")
    assert len(set(drawn)) == 20
    assert sum(int(name[2:]) % 50 == 0 for name in drawn) == 6
    assert set(drawn) < set(draw_pictures(given, "run mara", 40))
    assert set(drawn) != set(draw_pictures(given, "run jo"))
    assert "c-007" in draw_pictures(given, "run jo", first=("c-007",))
    assert draw_pictures((), "run jo") == []
