"""The file of statements beside a campaign: what people wrote stays, and a wrong one is one fault."""

from pathlib import Path

import pytest

from tasks.campaign.choice import Statement
from tasks.campaign_file.questions_file import (
    QUESTIONS_FILE,
    QuestionsFaultError,
    add_questions,
    read_questions,
)

FOX = (
    Statement(statement="There is a fox", kind="object"),
    Statement(statement="It is asleep", depends_on="There is a fox"),
)
OWL = (Statement(statement="There is “one” owl: brown"),)


def test_statements_are_read_as_they_were_added(tmp_path: Path) -> None:
    """Without the file there are none."""
    assert read_questions(tmp_path) == {}
    add_questions(tmp_path, {"a fox": FOX})
    add_questions(tmp_path, {"an owl": OWL, "a fox": OWL})
    assert read_questions(tmp_path) == {"a fox": FOX, "an owl": OWL}


def test_what_people_wrote_and_noted_stays(tmp_path: Path) -> None:
    """Further briefs are added below; an edited one is as it was edited."""
    file = tmp_path / QUESTIONS_FILE
    mine = (
        "# ours\n- brief: a fox\n  statements:\n  - statement: The fox is ours  # checked\n    must: true\n"
    )
    file.write_text(mine, encoding="utf-8")
    add_questions(tmp_path, {"a fox": FOX, "an owl": OWL})
    assert file.read_text(encoding="utf-8").startswith(mine.rstrip())
    assert read_questions(tmp_path)["a fox"] == (Statement(statement="The fox is ours", must=True),)
    before = file.read_bytes()
    add_questions(tmp_path, {"an owl": FOX})
    assert file.read_bytes() == before


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]\n"])
def test_a_file_without_entries_takes_the_first(tmp_path: Path, text: str) -> None:
    """Empty, with a comment, or an empty list."""
    (tmp_path / QUESTIONS_FILE).write_text(text, encoding="utf-8")
    add_questions(tmp_path, {"a fox": FOX})
    assert read_questions(tmp_path) == {"a fox": FOX}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- brief: [", "is not valid YAML"),
        ("brief: a fox", "it: Input should be a valid list"),
        ("- {brief: a fox, statements: [{statement: ''}]}", "0.statements.0.statement"),
        ("- {brief: a fox, statements: [{statement: x, depends_on: y}]}", "depends on 'y'"),
        ("- {brief: a fox, asked: []}", "0."),
    ],
)
def test_a_wrong_file_is_a_fault_that_says_where(tmp_path: Path, text: str, what: str) -> None:
    """And nothing is written over it."""
    file = tmp_path / QUESTIONS_FILE
    file.write_text(text, encoding="utf-8")
    with pytest.raises(QuestionsFaultError) as caught:
        read_questions(tmp_path)
    assert what in caught.value.fault.what
    assert str(file) in caught.value.fault.what
    with pytest.raises(QuestionsFaultError):
        add_questions(tmp_path, {"an owl": OWL})
    assert file.read_text(encoding="utf-8") == text
