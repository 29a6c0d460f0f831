"""The Bradley-Terry model: a strength for each picture from pairwise results, with ties and intervals.

People's votes and the judge's duels are both lists of meetings of two pictures. The model gives each picture
a strength such that the difference of two strengths is the log-odds of one beating the other, given no tie.
Pictures that are not connected by meetings have no common scale: each connected group is fitted by itself,
with its own weight of ties, preference for a side, and shares of answers that name a side blindly.

Source: R. A. Bradley and M. E. Terry (1952), "Rank analysis of incomplete block designs". The
extensions are explained in `tasks.pairwise.likelihood`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tasks.pairwise.likelihood import fit
from tasks.pairwise.votes import Vote, VoteOutcome

CONFIDENCE = 0.95

Meeting = tuple[str, str, float]
"""Left id, right id, and the left one's result: 1 won, 0.5 tied, 0 lost. A judge sees the left one first."""

RESULTS: dict[VoteOutcome, float] = {"left": 1.0, "tie": 0.5, "right": 0.0}
"""The outcomes that compare the two pictures."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong one picture is among those it was compared with.

    Args:
        value: Probability of beating an average one of them, in [0, 1]; 0.5 is average. It is conditional on
            answers that look and name a winner: ties and blind answers do not pull it to the middle.
        low: Lower end of its 95 % interval.
        high: Upper end.
        log_odds: The same on the model's own scale, 0 for the average.
        meetings: How many meetings it took part in.
        rivals: How many other pictures are on its scale.
    """

    value: float
    low: float
    high: float
    log_odds: float
    meetings: int
    rivals: int


def meetings_of(votes: Iterable[Vote]) -> list[Meeting]:
    """Turn people's votes into meetings, in the same order.

    A skip says nothing. Two pictures that are both bad are not compared by that, and need not be equally bad:
    a tie would pull them to the middle. So neither is a meeting.
    """
    return [(vote.left_id, vote.right_id, RESULTS[vote.outcome]) for vote in votes if vote.outcome in RESULTS]


def strengths(pairs: Sequence[Meeting]) -> dict[str, Strength]:
    """Fit a strength to every picture that met another.

    Args:
        pairs: In any order; the same two may meet several times. Which of them was on the left matters if
            answers favour a side.

    Returns:
        One strength for each id in ``pairs``. The interval is the normal one around the penalised fit, on
        the log-odds scale. Its coverage is measured in benchmarks/README.md.

    Raises:
        ValueError: A result is not 0, 0.5 or 1, or a picture met itself.

    Example:
        >>> found = strengths([("a", "b", 1), ("b", "c", 1), ("a", "c", 0.5)])
        >>> sorted(found, key=lambda name: -found[name].value)
        ['a', 'b', 'c']
    """
    for left, right, result in pairs:
        if left == right or result not in (0, 0.5, 1):
            what = f"not a valid meeting: {left}, {right}, {result}"
            raise ValueError(what)
    found: dict[str, Strength] = {}
    for group in _groups(pairs):
        found |= _fit(group)
    return {name: found[name] for name in sorted(found)}


def _groups(pairs: Sequence[Meeting]) -> list[list[Meeting]]:
    """Split the meetings into connected groups of pictures."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    place = _places(pairs)
    left, right = [place[pair[0]] for pair in pairs], [place[pair[1]] for pair in pairs]
    met = coo_array((np.ones(len(pairs)), (left, right)), shape=(len(place), len(place)))
    count, group_of = connected_components(met, directed=False) if pairs else (0, np.empty(0, dtype=int))
    groups: list[list[Meeting]] = [[] for _ in range(count)]
    for pair in sorted(pairs):
        groups[group_of[place[pair[0]]]].append(pair)
    return groups


def _places(pairs: Sequence[Meeting]) -> dict[str, int]:
    names = sorted({name for pair in pairs for name in pair[:2]})
    return {name: index for index, name in enumerate(names)}


def _fit(pairs: Sequence[Meeting]) -> dict[str, Strength]:
    place = _places(pairs)
    found = fit(len(place), [(place[a], place[b], result) for a, b, result in pairs])
    log_odds = found.log_odds
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * found.errors
    value, low, high = (_chance(ends) for ends in (log_odds, log_odds - reach, log_odds + reach))
    meetings = np.bincount([place[name] for pair in pairs for name in pair[:2]], minlength=len(place))
    return {
        name: Strength(
            float(value[i]),
            float(low[i]),
            float(high[i]),
            float(log_odds[i]),
            int(meetings[i]),
            len(place) - 1,
        )
        for name, i in place.items()
    }


def _chance(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import expit

    chance: NDArray[np.float64] = expit(log_odds)
    return chance
