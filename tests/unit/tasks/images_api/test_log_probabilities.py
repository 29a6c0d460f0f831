"""Log-probabilities of a judging model's answer: read where they fit the text, and left out where not."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.images_api.log_probabilities import probabilities_of_yes

TEXT = '{"a": "yes", "b": "No – é"}'


def token(text: str, *tops: tuple[str, float], **changes: Any) -> dict[str, Any]:
    """Write a token as the vendor does."""
    found = [{"token": name, "logprob": math.log(chance)} for name, chance in tops]
    return {"token": text, "logprob": 0.0, "bytes": list(text.encode()), "top_logprobs": found} | changes


def answered(yes: dict[str, Any], no: dict[str, Any]) -> dict[str, Any]:
    """Write the log-probabilities of the text with these tokens at its two answers."""
    return {"content": [token('{"a": "'), yes, token('", "b": "'), no, token(' – é"}')]}


def test_the_share_of_yes_is_read_where_each_answer_begins() -> None:
    """Case and quotation marks do not matter; other words are left out of the share."""
    found = probabilities_of_yes(
        TEXT,
        answered(
            token("yes", ("yes", 0.6), ("Yes", 0.2), ("no", 0.1), ("maybe", 0.05)),
            token("No", ("No", 0.9), ("y", 0.1)),
        ),
    )
    assert found == {TEXT.index("yes"): pytest.approx(0.8 / 0.9), TEXT.index("No"): pytest.approx(0.1)}


def test_a_token_may_begin_with_the_quotation_mark_and_end_within_the_word() -> None:
    """Whatever the model's tokens are."""
    pieces = [token('{"a":'), token(' "ye', ('"ye', 0.7), ('"no', 0.3)), token('s", "b": "No – é"}')]
    assert probabilities_of_yes(TEXT, {"content": pieces}) == {TEXT.index("yes"): pytest.approx(0.7)}


def test_what_is_not_listed_may_be_the_other_word() -> None:
    """Only yes is listed with 0.9: no has at most the rest."""
    found = probabilities_of_yes(TEXT, answered(token("yes", ("yes", 0.9)), token("No", ("No", 1.0))))
    assert found == {TEXT.index("yes"): pytest.approx(0.9), TEXT.index("No"): pytest.approx(0.0)}


def test_letters_of_several_bytes_may_be_split_between_tokens() -> None:
    """The bytes of the tokens are joined, not their texts."""
    accent = "é".encode()
    pieces = [
        token('{"a": "'), token("yes", ("yes", 0.75), ("no", 0.25)), token('", "b": "No – '),
        token("?", bytes=[accent[0]]), token("?", bytes=[accent[1]]), token('"}'),
    ]  # fmt: skip
    assert probabilities_of_yes(TEXT, {"content": pieces})[TEXT.index("yes")] == pytest.approx(0.75)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        [],
        {},
        {"content": None},
        {"content": []},
        {"content": [token("of another text")]},
        {"content": [3, None, {"token": 7}]},
        answered(token("yes", top_logprobs=[{"token": None}, 3]), token("No", ("maybe", 0.5))),
    ],
)
def test_what_does_not_fit_the_text_is_left_out(logprobs: object) -> None:
    """Nothing is guessed."""
    assert probabilities_of_yes(TEXT, logprobs) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["yes", "no", TEXT]),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "token", "bytes", "logprob", "top_logprobs"]), each)
    ),
)


@given(logprobs=JSON)
def test_no_answer_makes_reading_fail(logprobs: object) -> None:
    """And whatever is read is a probability."""
    found = probabilities_of_yes(TEXT, {"content": [logprobs, {"token": TEXT, "top_logprobs": logprobs}]})
    assert all(0 <= chance <= 1 for chance in found.values())
