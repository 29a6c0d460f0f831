"""Which words of a prompt are its own: those that another prompt beside it lacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prompt_words import MOST_WORDS, own_words

WORDS = st.lists(st.sampled_from(["an", "otter", "in", "kelp,", "watercolour", "\n", "  "]), max_size=12)


def test_what_differs_between_arms_is_marked_with_the_spaces_in_it() -> None:
    """Words that both have are not, wherever they stand; of three prompts, what any other lacks is."""
    soft, hard = own_words(["The mug, soft morning light", "The mug, hard light"])
    assert soft == [("The mug, ", False), ("soft morning", True), (" light", False)]
    assert hard == [("The mug, ", False), ("hard", True), (" light", False)]
    three = own_words(["a red mug", "a red cup", "a blue cup"])
    assert [text for text, is_own in three[0] if is_own] == ["red mug"]


def test_a_mark_beside_a_word_and_a_placeholder_are_not_what_differs() -> None:
    """A style behind the same words: only the style is the arm's own."""
    plain, styled = own_words(["{{ text }} of a cup", "{{ text }} of a cup, on oak"])
    assert plain == [("{{ text }} of a cup", False)]
    assert styled == [("{{ text }} of a cup", False), (", on oak", True)]


@pytest.mark.parametrize("prompts", [["alone"], ["same", "same"], ["x " * (2 * MOST_WORDS), "y"], ["", ""]])
def test_what_cannot_be_compared_is_left_unmarked(prompts: list[str]) -> None:
    """A single prompt, equal ones, and one that is too long."""
    found = own_words(prompts)
    assert ["".join(text for text, _ in parts) for parts in found] == prompts
    assert not any(is_own for parts in found for _, is_own in parts)


@given(st.lists(WORDS, min_size=1, max_size=10))
def test_the_pieces_add_up_to_the_prompt(texts: list[list[str]]) -> None:
    """Whatever the prompts are, and however many."""
    prompts = ["".join(words) for words in texts]
    assert ["".join(text for text, _ in parts) for parts in own_words(prompts)] == prompts
