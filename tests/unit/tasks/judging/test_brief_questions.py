"""Statements that a model writes from a brief: what is read of its answer, whatever it answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign.choice import Judge, Statement
from tasks.emulator.question_writer import write_questions
from tasks.judging.brief_questions import MOST, brief_parameters, brief_prompt, read_statements


def an_answer(*entries: Any) -> str:
    """Write an answer."""
    return json.dumps({"statements": list(entries)})


def test_statements_are_read_with_their_kind_and_what_they_depend_on() -> None:
    """By number; white space and a parent that comes later do not matter."""
    found = read_statements(
        an_answer(
            {"kind": "object", "statement": "There is  a fox ", "depends_on": 0},
            {"kind": "attribute", "statement": "It is red", "depends_on": 1},
            {"kind": "mood", "statement": "It is calm", "depends_on": 9},
        )
    )
    assert found == (
        Statement(statement="There is a fox", kind="object"),
        Statement(statement="It is red", kind="attribute", depends_on="There is a fox"),
        Statement(statement="It is calm"),
    )


def test_no_more_than_twelve_and_none_twice() -> None:
    """A repetition is dropped, and what is no statement."""
    many = [{"statement": f"There is {number}", "kind": "object", "depends_on": 0} for number in range(20)]
    assert len(read_statements(an_answer(*many))) == MOST
    assert (
        len(read_statements(an_answer(many[0], many[0], 7, {"statement": 3}, {"statement": "x" * 600}))) == 1
    )


@pytest.mark.parametrize(
    "content", ["", "I cannot.", "[]", '{"statements": "no"}', '{"statements": []}', "{"]
)
def test_an_answer_of_another_shape_has_none(content: str) -> None:
    """Nothing is guessed."""
    assert read_statements(content) == ()


ENTRY = st.dictionaries(
    st.sampled_from(["kind", "statement", "depends_on"]),
    st.none() | st.booleans() | st.integers(-3, 20) | st.sampled_from(["object", "a fox", "an owl", " "]),
)


@given(st.lists(ENTRY | st.none() | st.text()))
def test_whatever_comes_a_judge_can_be_asked(entries: list[Any]) -> None:
    """The statements are valid, and each depends on an earlier one."""
    found = read_statements(an_answer(*entries))
    assert Judge(rubric=found).statements == found


def test_the_question_has_the_brief_and_a_further_attempt_is_another_question() -> None:
    """And the emulator answers it with statements that depend on one another."""
    assert "Brief: a fox" in brief_prompt("a fox")
    assert brief_prompt("a fox", 1) != brief_prompt("a fox")
    schema = brief_parameters("m")["response_format"]["json_schema"]["schema"]
    written = write_questions(brief_prompt("two red mugs left of a bottle, with the words “SALE”"), schema)
    found = read_statements(json.dumps(written))
    assert {one.kind for one in found} >= {"object", "count", "attribute", "relation", "text", "style"}
    assert any(one.depends_on == "The picture shows a mug" for one in found)
    assert write_questions("What is this?", schema) is None
