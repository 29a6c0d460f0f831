"""What was compared is remembered in a few bytes a pair."""

import gc
import tracemalloc

import pytest

from flows.evaluation.compared_pairs import ComparedPairs
from tasks.duplicates.comparison import Comparison

SOME = [Comparison(0.9), Comparison(None), Comparison(0.8, "mirrored"), Comparison(0.77, is_framed=True)]


def test_what_was_found_is_found_again() -> None:
    """Every figure as it was, and what was not compared is unknown."""
    pairs = ComparedPairs()
    for number, found in enumerate(SOME):
        pairs.keep("one", f"other {number}", found)

    others = [f"other {number}" for number in range(len(SOME) + 1)]

    assert pairs.of("one", others) == [*SOME, None]
    assert pairs.of("other 0", ["one"]) == [None], "the second laid on the first is another comparison"
    assert pairs.of("never seen", ["one"]) == [None]


def test_beyond_the_limit_all_is_forgotten() -> None:
    """And compared again when it is needed."""
    pairs = ComparedPairs(most_pairs=2)
    for number in range(3):
        pairs.keep("one", str(number), Comparison(0.5))

    assert pairs.of("one", ["0", "1", "2"]) == [None, None, Comparison(0.5)]


def test_a_picture_of_fifty_of_a_prompt_takes_less_than_two_kilobytes() -> None:
    """All pairs of each prompt: 24.5 for each picture."""
    gc.collect()
    tracemalloc.start()
    pairs = ComparedPairs()
    for prompt in range(8):
        names = [f"{prompt:032d}{number:032d}" for number in range(50)]
        for place, one in enumerate(names):
            for other in names[:place]:
                pairs.keep(one, other, Comparison(place / 50))
    n_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert pairs.of(names[1], names[:1]) == [Comparison(1 / 50)]
    assert n_bytes / 400 == pytest.approx(1_000, abs=1_000)
