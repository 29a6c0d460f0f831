"""What a run's end says at the terminal besides its verdict and its money."""

from flows.commands.tables import MOST_NAMED, differing_lines


def test_a_run_whose_pictures_are_as_ordered_says_nothing_of_it() -> None:
    """No line is better than one that says none."""
    assert differing_lines({}) == []


def test_pictures_that_are_not_as_ordered_are_counted_by_what_differs() -> None:
    """A run of tiny pictures was done, and accepted, without a word about it outside its report."""
    (line,) = differing_lines({"1x1 instead of 1024x1024": 4, "jpeg instead of png": 1})
    expected = "4 pictures (1x1 instead of 1024x1024), 1 picture (jpeg instead of png)."
    assert line == f"Not as ordered: {expected}"


def test_of_many_differences_the_most_frequent_are_named() -> None:
    """The report has all of them."""
    (line,) = differing_lines({f"{n}x8 instead of 1024x1024": 2 for n in range(MOST_NAMED + 3)})
    assert line.count("instead of") == MOST_NAMED
    assert line.endswith("6 more: see the report.")
