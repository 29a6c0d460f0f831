"""Graded answers: the probability of yes by log-probabilities, words or samples, and what depends on what."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign.choice import Judge
from tasks.campaign.statements import AskedStatement
from tasks.judging.forms import CERTAINTY, is_declined
from tasks.judging.replies import Reply, reply_of, stored_text
from tasks.judging.reply_reading import read_reply
from tasks.judging.rubric import is_asked_in, rubric_parameters, rubric_prompt
from tasks.scorers.judge import JudgeScorer
from tests.support.draft_builders import a_draft

ASKED = (
    AskedStatement("There is a mug", "There is a mug"),
    AskedStatement("The mug is red", "The mug is red", parent=0),
    AskedStatement("It is sharp", "It is sharp"),
)


def an_answer(*words: str, grade: str = "good") -> str:
    """Write an answer, each verdict before its reason."""
    parts: dict[str, Any] = {
        f"statement_{number}": {
            "answer": word,
            "reason": f'reason {number}, not "statement_1": {{"answer": "no"',
        }
        for number, word in enumerate(words, 1)
    }
    return json.dumps(parts | {"overall": {"reason": "fine", "grade": grade}})


def by_log_probabilities(words: tuple[str, ...], chances: tuple[float | None, ...]) -> Reply:
    """Make a reply whose answers have these probabilities of yes."""
    content, yes_at, at = an_answer(*words), {}, 0
    for word, chance in zip(words, chances, strict=True):
        at = content.index(f'{{"answer": "{word}"', at) + len('{"answer": "')
        if chance is not None:
            yes_at[at] = chance
    return Reply(content, yes_at=yes_at, form="log_probabilities")


def chances(reply: Reply) -> tuple[float | None, ...]:
    """Read a reply."""
    found = read_reply(reply, ASKED)
    assert found is not None
    return found.chances


def test_the_probability_of_yes_is_that_where_the_answer_stands() -> None:
    """Not where a reason quotes another answer."""
    assert chances(by_log_probabilities(("yes", "yes", "no"), (0.98, 0.9, 0.2))) == (0.98, 0.9, 0.2)


def test_an_answer_without_its_log_probability_is_null_and_the_others_count() -> None:
    """Never 0, and never the bare yes in its place."""
    reply = by_log_probabilities(("yes", "yes", "yes"), (0.9, 0.9, None))
    assert chances(reply) == (0.9, 0.9, None)
    score = JudgeScorer("m", [one.text for one in ASKED], {"c": reply}).score(a_draft("c"), __file__)  # type: ignore[arg-type]
    assert score.value == pytest.approx((0.9 + 0.75) / 2)
    assert set(score.measurements) == {"judge_statement_1", "judge_statement_2", "judge_grade"}


def test_words_of_five_are_graded_and_in_doubt_no() -> None:
    """In any case of letters; a word beside the five makes the answer unreadable."""
    reply = Reply(an_answer("Probably", "unsure", "probably not"), form="word_of_five")
    found = read_reply(reply, ASKED)
    assert found is not None
    assert (found.chances, found.verdicts) == ((0.75, 0.5, 0.25), (True, False, False))
    assert read_reply(Reply(an_answer("maybe", "yes", "no"), form="word_of_five"), ASKED) is None
    assert read_reply(Reply(an_answer("probably", "yes", "no")), ASKED) is None


def test_samples_are_averaged_over_those_that_can_be_read() -> None:
    """Two of three say yes; a broken one is left out, and so is its grade."""
    texts = [an_answer("yes", "yes", "no"), an_answer("yes", "no", "no", grade="bad"), "broken"]
    assert chances(Reply(texts[0], form="samples", samples=texts[1:])) == (1.0, 0.5, 0.0)
    third = [*texts[:2], an_answer("no", "no", "yes")]
    assert chances(Reply(third[0], form="samples", samples=third[1:])) == pytest.approx((2 / 3, 1 / 3, 1 / 3))


def test_what_depends_on_a_false_statement_is_false() -> None:
    """Whatever was said of it, with the reason; and never likelier than what it depends on."""
    found = read_reply(Reply(an_answer("no", "yes", "yes")), ASKED)
    assert found is not None
    assert found.verdicts == (False, False, True)
    assert found.reasons[1] == "“There is a mug” is not true"
    assert chances(by_log_probabilities(("yes", "yes", "yes"), (0.7, 0.95, 0.9)))[1] == 0.7
    assert chances(by_log_probabilities(("no", "yes", "yes"), (0.1, None, 0.9)))[1] == 0.1
    assert chances(by_log_probabilities(("yes", "yes", "yes"), (None, 0.9, 0.9))) == (None, 0.9, 0.9)


@given(
    content=st.text(),
    yes_at=st.dictionaries(st.integers(0, 10**6), st.floats(0, 1)),
)
def test_an_answer_is_stored_and_read_word_for_word(content: str, yes_at: dict[int, float]) -> None:
    """With log-probabilities and without."""
    if reply_of(content).yes_at == {}:
        found = reply_of(stored_text(content, yes_at))
        assert (found.content, dict(found.yes_at)) == (content, yes_at)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: (
            st.lists(each) | st.dictionaries(st.sampled_from(["content", "probability_of_yes_at"]), each)
        ),
    ).map(json.dumps)
)
def test_nothing_stored_makes_reading_fail(stored: str) -> None:
    """A probability is in [0, 1] or left out."""
    assert all(0 <= chance <= 1 for chance in reply_of(stored).yes_at.values())


def test_each_form_asks_in_its_own_way_and_all_but_the_first_give_text_in_pictures_no_orders() -> None:
    """The answer comes first where its probability is read; Runoff's first words stay as they were."""
    rubric = ["It is sharp"]
    forms = ("first_yes_no", "yes_no", "log_probabilities", "word_of_five", "samples")
    prompts = {form: rubric_prompt(rubric, form) for form in forms}  # type: ignore[arg-type]
    assert len(set(prompts.values())) == len(forms)
    assert ["never an instruction" in prompt for prompt in prompts.values()] == [False, *[True] * 4]
    assert [form for form in forms if is_asked_in("first_yes_no", prompts[form])] == ["first_yes_no"]
    words = prompts["first_yes_no"].encode()
    assert hashlib.sha256(words).hexdigest().startswith("21d18f06b1cfe30d")
    assert rubric_prompt(rubric, "samples", 1) != prompts["samples"]
    shapes = {form: rubric_parameters("m", rubric, form) for form in forms}  # type: ignore[arg-type]
    parts = {
        form: shape["response_format"]["json_schema"]["schema"]["properties"]["statement_1"]["properties"]
        for form, shape in shapes.items()
    }
    assert [next(iter(part)) for part in parts.values()] == ["reason", "reason", "answer", "reason", "reason"]
    assert parts["word_of_five"]["answer"]["enum"] == list(CERTAINTY)
    assert [form for form, shape in shapes.items() if "logprobs" in shape] == ["log_probabilities"]
    assert is_declined(shapes["log_probabilities"], "unsupported_parameter")
    assert not is_declined(shapes["yes_no"], "unsupported_parameter")


def test_a_statement_depends_on_one_before_it() -> None:
    """And samples are for graded answers."""
    child = {"statement": "The mug is red", "depends_on": "There is a mug"}
    assert Judge(rubric=("There is a mug", child)).statements[1].depends_on == "There is a mug"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no statement before it"):
        Judge(rubric=(child, "There is a mug"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="answers: graded"):
        Judge(rubric=("There is a mug",), samples=3)
