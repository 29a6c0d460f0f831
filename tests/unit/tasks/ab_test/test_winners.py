"""The arm that won for each row: its segment's, else the whole's, else none."""

from tasks.ab_test.segments import Segment
from tasks.ab_test.winners import Outcome, Winner, Winners, find_winner, find_winners

AB = ("A", "B")
PLACES = Segment("kind", "places", frozenset({0, 1}))
WORDS = Segment("kind", "words", frozenset({2, 3}))
WINTER = Segment("season", "winter", frozenset({1, 2}))


def test_a_segment_has_its_own_winner_and_other_rows_the_one_on_the_whole() -> None:
    """Rows of no segment, and of one where nobody won, follow the whole."""
    found = find_winners([Outcome(AB, "B")], [(PLACES, [Outcome(AB, "A")]), (WORDS, [Outcome(AB, None)])])
    assert found.of_row(0) == Winner("A", 'for kind "places"')
    assert found.of_row(2) == found.of_row(9) == Winner("B")
    assert found.state() == 'Finalists are of the arm that won: A for kind "places", B on the whole'


def test_without_a_winner_all_arms_count_and_it_is_said() -> None:
    """On the whole; and outside the one segment that has a winner."""
    assert find_winners([Outcome(AB, None)], []).of_row(0) is None
    assert Winners(None).state() == "No arm won, so finalists are of all arms"
    found = find_winners([Outcome(AB, None)], [(PLACES, [Outcome(AB, "A")])])
    assert (found.of_row(0), found.of_row(2)) == (Winner("A", 'for kind "places"'), None)
    assert found.state().endswith("all arms elsewhere, where none won")


def test_where_two_segments_of_a_row_disagree_the_whole_decides() -> None:
    """A row is a place and in winter; each kind of row has another winner."""
    segments = [(PLACES, [Outcome(AB, "A")]), (WINTER, [Outcome(AB, "B")])]
    assert find_winners([Outcome(AB, "B")], segments).of_row(1) == Winner("B")
    assert find_winners([Outcome(AB, None)], segments).of_row(1) is None
    assert find_winners([Outcome(AB, None)], segments).of_row(2) == Winner("B", 'for season "winter"')


def test_a_winner_beats_every_other_arm() -> None:
    """Two of three is not enough, nor is a segment in which the third arm has no score."""
    pairs = [Outcome(AB, "B"), Outcome(("A", "C"), None), Outcome(("B", "C"), None)]
    assert find_winner(pairs) is None
    found = find_winners(pairs, [(PLACES, [Outcome(AB, "B")])])
    assert found.of_row(0) is None
