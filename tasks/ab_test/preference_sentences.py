"""The verdict of people in words: which arm they prefer, how certain that is, and what stays undecided."""

from collections.abc import Sequence

from tasks.ab_test.preferences import Preference
from tasks.ab_test.segment_preferences import SegmentPreference
from tasks.ab_test.sentences import say_where


def state_preferences(found: Sequence[Preference], segments: Sequence[SegmentPreference] = ()) -> str:
    """State in words which arm people prefer, of each two that they compared, and where it is another one.

    Args:
        found: The arms on the whole.
        segments: The arms in each segment of the rows.
    """
    on_the_whole = {pair.arms: pair.winner for pair in found}
    elsewhere = [
        (one.winner, f'{one.variable} "{one.value}" ({_score(one.preference)})')
        for one in segments
        if one.winner is not None and one.winner != on_the_whole[one.preference.arms]
    ]
    sentences = " ".join(f"By people's votes, {_preference(pair)}." for pair in found)
    is_open = all(winner is None for winner in on_the_whole.values())
    return sentences + say_where(elsewhere, "is preferred for", is_open=is_open)


def _score(pair: Preference) -> str:
    return f"{max(pair.wins)} to {min(pair.wins)}"


def state_undecided(found: Sequence[Preference]) -> str:
    """State in words how many votes are ties, or call both pictures bad; empty if none is."""
    parts = [(pair, _undecided(pair)) for pair in found]
    of_pair = "" if len(found) == 1 else "Of arms {} and {}, "
    sentences = [of_pair.format(*pair.arms) + said for pair, said in parts if said]
    return " ".join(f"{one[0].upper()}{one[1:]}." for one in sentences)


def _preference(pair: Preference) -> str:
    (a, b), n_decided = pair.arms, sum(pair.wins)
    if pair.share is None:
        return f"arms {a} and {b} cannot be told apart: no vote is decided"
    leader, other = (a, b) if pair.share >= 0.5 else (b, a)
    share = max(pair.share, 1 - pair.share)
    votes = "1 decided vote" if n_decided == 1 else f"{n_decided} decided votes"
    over = f"over {_count(pair.rows, 'row', 'rows')} by {_count(pair.voters, 'person', 'people')}"
    if pair.low is None or pair.high is None:
        return f"not enough evidence: arm {leader} won {share:.0%} of {votes}, {over}"
    ends = (pair.low, pair.high) if leader == a else (1 - pair.high, 1 - pair.low)
    figures = f"{share:.0%} of {votes} (95% interval {ends[0]:.0%} to {ends[1]:.0%}), {over}"
    if pair.winner:
        return f"arm {leader} is preferred to arm {other} in {figures}"
    return f"not enough evidence that arm {a} or {b} is preferred: {leader} won {figures}"


def _undecided(pair: Preference) -> str:
    parts = []
    if pair.ties and pair.tie_share is not None:
        parts.append(f"{pair.tie_share:.0%} of the votes call both equally good")
    if pair.both_bad:
        parts.append(f"{_count(pair.both_bad, 'vote calls', 'votes call')} both bad")
    return " and ".join(parts)


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"
