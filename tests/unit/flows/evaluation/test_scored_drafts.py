"""The scores that the A/B test compares: those of duplicates are of the same kind as all others."""

from typing import Any

import pytest

from flows.evaluation.scored_drafts import scored_drafts
from tests.support.report_rows import make_copy, make_draft

WEIGHTS = {"technical": 1.0, "judge": 3.0}


def judged(technical: float, judge: float | None, replicate: int, **known: Any) -> dict[str, Any]:
    """Make a draft with both scores."""
    scores = {"score_technical": technical, "score_judge": judge}
    return make_draft(known.pop("arm", "A"), 0, replicate, **scores, **known)


def test_a_duplicate_takes_what_it_was_not_asked_about_from_its_representative() -> None:
    """No judge sees a copy; its total is of the judge's word on the original and its own measurements."""
    original = judged(0.8, 0.6, 0)
    found = scored_drafts([original, make_copy(judged(0.4, None, 1), original, bits=2)], (), WEIGHTS)
    assert [one.score for one in found] == pytest.approx([0.65, 0.55])
    assert found[0].cluster == found[1].cluster == original["candidate_id"]


def test_a_duplicate_of_a_picture_elsewhere_has_no_judge_and_so_no_score() -> None:
    """Another arm's picture was judged by another prompt; scorers that see every picture need no judge."""
    original = judged(0.8, 0.6, 0, arm="B")
    rows = [original, make_copy(judged(0.4, None, 1), original, bits=2)]
    assert scored_drafts(rows, (), WEIGHTS)[1].score is None
    assert scored_drafts(rows, (), {"technical": 1.0})[1].score == pytest.approx(0.4)


def test_a_duplicate_of_what_is_left_out_is_left_out() -> None:
    """A picture without the judge's score is not comparable; neither is its copy."""
    original = judged(0.8, None, 0)
    rows = [original, make_copy(judged(0.4, None, 1), original, bits=2)]
    assert [one.score for one in scored_drafts(rows, {original["candidate_id"]}, WEIGHTS)] == [None, None]
