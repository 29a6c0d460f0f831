"""A rubric as a question, and what its answer is worth."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.candidate import Candidate, Standing
from tasks.judging.replies import Reply
from tasks.judging.rubric import GRADES, read_rubric_answer, rubric_parameters, rubric_prompt
from tasks.scorers import Assignment, load_scorer
from tasks.scorers.judge import JudgeScorer
from tests.support.draft_builders import a_draft
from tests.support.judge_builders import MODEL, RUBRIC

HERE = Path()


def an_answer(*verdicts: str, grade: str = "good", reason: str = "seen") -> str:
    """Write an answer of the right shape."""
    parts: dict[str, Any] = {
        f"statement_{number}": {"reason": reason, "answer": verdict}
        for number, verdict in enumerate(verdicts, 1)
    }
    return json.dumps(parts | {"overall": {"reason": "a fine picture", "grade": grade}})


def test_the_question_shows_each_statement_and_nothing_of_the_campaign() -> None:
    """Numbered, in order; the shape asks for each of them, its reason first, and nothing more."""
    prompt, parameters = rubric_prompt(RUBRIC), rubric_parameters(MODEL, RUBRIC)
    assert "1. The picture is sharp\n2. The light is good" in prompt
    schema = parameters["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["statement_1", "statement_2", "overall"]
    assert list(schema["properties"]["statement_1"]["properties"]) == ["reason", "answer"]
    assert schema["additionalProperties"] is False
    assert parameters["reasoning_effort"] == "none"
    assert parameters["max_completion_tokens"] > 0


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.sampled_from(sorted(GRADES)))
def test_the_value_is_half_the_share_of_true_statements_and_half_the_grade(
    verdicts: list[bool], grade: str
) -> None:
    """In [0, 1], and each yes raises it."""
    said = an_answer(*("yes" if verdict else "no" for verdict in verdicts), grade=grade)
    found = read_rubric_answer(said, len(verdicts))
    assert found is not None
    assert found.value == pytest.approx((sum(verdicts) / len(verdicts) + GRADES[grade]) / 2)
    assert 0 <= (found.value or 0.0) <= 1


BROKEN = (
    "",
    "I think it is a nice picture.",
    an_answer("yes", "no")[:-20],
    "[1, 2]",
    "null",
    "[" * 100_000,
    an_answer("yes"),
    an_answer("yes", "maybe"),
    json.dumps({"overall": "good"}),
    "Yes.",
    an_answer("yes", "no") + an_answer("no", "no"),
    "{" * 1000 + an_answer("yes", "no")[1:],
)


@pytest.mark.parametrize("content", BROKEN)
def test_an_answer_of_another_shape_is_none(content: str) -> None:
    """No part of it is guessed, and it is never 0."""
    assert read_rubric_answer(content, 2) is None


@pytest.mark.parametrize(
    "content",
    [
        f"```json\n{an_answer('yes', 'no')}\n```",
        f"Here is my verdict:\n\n{an_answer('yes', 'no')}\n\nI hope this helps {{}}.",
        an_answer("Yes.", " NO ", grade="Good!"),
        f"[{an_answer('yes', 'no')}]",
        json.dumps(an_answer("yes", "no")),
        an_answer("yes", "no") + "\n" + an_answer("yes", "no"),
        json.dumps({"statement_1": "yes", "statement_2": False, "overall": "good"}),
        json.dumps({"statement_1": {"answer": True}, "statement_2": "No", "overall": {"grade": "GOOD"}}),
    ],
    ids=["fenced", "among words", "punctuated", "list", "string", "twice", "without reasons", "truth values"],
)
def test_an_answer_in_other_clothes_is_read(content: str) -> None:
    """It was paid for, and what it says is certain."""
    found = read_rubric_answer(content, 2)
    assert found is not None
    assert (found.verdicts, found.grade, found.value) == ((True, False), 0.75, 0.625)


@pytest.mark.parametrize(
    "content", [an_answer("yes", "no", grade="superb"), '{"statement_1": "yes", "statement_2": "no"}']
)
def test_without_a_grade_the_statements_are_read_and_the_value_is_null(content: str) -> None:
    """The total is not made up from half of it."""
    found = judge(c1=Reply(content)).score(a_draft("c1"), HERE)
    assert (found.value, found.reason) == (None, "judge: no score, the answer has no grade")
    assert found.measurements == {"judge_statement_1": 1.0, "judge_statement_2": 0.0}


@pytest.mark.parametrize(
    ("content", "verdict"), [("Yes.", True), ("no", False), ("**No**", False), ("Perhaps", None)]
)
def test_a_single_word_answers_a_single_statement(content: str, verdict: bool | None) -> None:
    """With several, nobody knows which one it is about."""
    found = read_rubric_answer(content, 1)
    assert (found and found.verdicts) == (None if verdict is None else (verdict,))
    assert found is None or found.value is None


@given(st.text() | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
def test_no_text_makes_reading_fail(content: str) -> None:
    """Whatever a model says is read or refused."""
    found = read_rubric_answer(content, 2)
    assert found is None or found.value is None or 0 <= found.value <= 1


def judge(**replies: Reply) -> JudgeScorer:
    """Make a judge that was told these replies."""
    return JudgeScorer(MODEL, RUBRIC, replies)


def test_the_judge_gives_value_reasons_and_figures() -> None:
    """What was missed is named with the model's own reason."""
    scorer = judge(c1=Reply(an_answer("yes", "no", grade="fair", reason="too dark")))
    found = scorer.score(a_draft("c1"), HERE)
    assert found.value == 0.5
    assert found.reason == "judge: a fine picture; not “The light is good” (too dark)"
    assert found.measurements == {"judge_statement_1": 1.0, "judge_statement_2": 0.0, "judge_grade": 0.5}
    bare = judge(c1=Reply(an_answer("no", "yes", reason=""))).score(a_draft("c1"), HERE)
    assert bare.reason.endswith("not “The picture is sharp”")


def test_a_judge_without_words_of_its_own_still_has_an_opinion() -> None:
    """An empty reason is said to be missing."""
    said = json.loads(an_answer("yes", "yes")) | {"overall": {"grade": "excellent"}}
    found = judge(c1=Reply(json.dumps(said))).score(a_draft("c1"), HERE)
    assert (found.value, found.reason) == (1.0, "judge: no reason given")


MUTE: tuple[tuple[Reply | None, Standing | None, str], ...] = (
    (None, None, "judge: not asked"),
    (None, Standing("survivor", "c1"), "judge: not asked"),
    (None, Standing("duplicate", "c2", "c2", "near", 3), "judge: duplicates are not judged"),
    (None, Standing("unfit", None), "judge: unfit pictures are not judged"),
    (Reply(None, "the model refused: no"), None, "judge: no answer, the model refused: no"),
    (Reply("{"), None, "judge: no score, the answer is not valid"),
)


@pytest.mark.parametrize(("reply", "standing", "reason"), MUTE)
def test_without_a_usable_answer_the_score_is_null_and_says_why(
    reply: Reply | None, standing: Standing | None, reason: str
) -> None:
    """Never a number."""
    draft: Candidate = a_draft("c1", standing=standing)
    found = judge(**({} if reply is None else {"c1": reply})).score(draft, HERE)
    assert (found.value, found.reason) == (None, reason)


def test_another_rubric_or_model_is_another_version() -> None:
    """Opinions on other terms stay apart in the ledger."""
    versions = {
        JudgeScorer(MODEL, RUBRIC).version,
        JudgeScorer(MODEL, RUBRIC[:1]).version,
        JudgeScorer("gpt-7", RUBRIC).version,
        JudgeScorer(MODEL, ("The picture is", " sharpThe light is good")).version,
    }
    assert len(versions) == 4
    assert all(len(version) <= 32 for version in versions)


def test_a_judge_that_nobody_wished_for_has_no_opinion() -> None:
    """Loaded without settings it answers null."""
    assert load_scorer("judge", Assignment()).score(a_draft("c1"), HERE).value is None
