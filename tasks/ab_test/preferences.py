"""Which arm people prefer: a verdict of its own, from votes between pictures of two arms in one row.

The preference is the share of the decided votes, ties left out, that one arm wins. Votes are no independent
draws: a row's prompt may suit one arm, and a person may have a taste. So rows and people are the clusters.
The variance of the share is that of independent votes, and what the variance over rows, and that over people,
exceed it by. It gives the number of independent votes that would be as certain, and with it Wilson's interval
and the p-value of the score test. The degrees of freedom are Satterthwaite's, so that what two or three
people say is not taken for everybody's taste. Where all votes agree, each row counts as one vote, and the
interval is the exact binomial one with half the probability of what was seen (mid-p).

Source: A. C. Cameron, J. Gelbach, D. Miller (2011), "Robust inference with multiway clustering" (variance by
rows, plus by people, less by votes); E. Korn, B. Graubard (1998), "Confidence intervals for proportions with
small expected number of positive counts estimated from survey data" (effective sample size); E. B. Wilson
(1927), "Probable inference, the law of succession, and statistical inference"; F. Satterthwaite (1946), "An
approximate distribution of estimates of variance components". ``benchmarks/ab_votes.py`` measures how often
the intervals hold.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test.holm import correct_by_holm
from tasks.pairwise.votes import Vote, without_skips

CONFIDENCE = 0.95
SIGNIFICANCE = 0.05
ENOUGH_VOTES = 20
ENOUGH_ROWS = 5
"""With fewer decided votes or rows only a landslide is found; then the scores' verdict comes first."""

Answer = Literal["first", "second", "tie", "both bad"]
Pair = tuple[str, str]
Floats = NDArray[np.float64]


class ArmVote(NamedTuple):
    """One person's word on two pictures of one row, made by two arms.

    Args:
        row: Index of the row of variables.
        voter: The person's name.
        arms: The two arms, in order of their names.
        answer: Which arm's picture is better; ``tie`` and ``both bad`` are answers too.
    """

    row: int
    voter: str
    arms: Pair
    answer: Answer


@dataclass(frozen=True, slots=True)
class Preference:
    """What people say of two arms.

    Args:
        arms: The two names, A and B below, in order.
        wins: Votes for A, and for B.
        ties: Votes that call both equally good.
        both_bad: Votes that call both bad; they are neither ties nor wins.
        rows: Rows with a decided vote.
        voters: People with a decided vote.
        share: Share of the decided votes that A wins, 0 to 1; ``None`` without any.
        low: Lower end of its 95 % interval; ``None`` with fewer than two rows.
        high: Upper end.
        tie_share: Share of ties among all votes but those of ``both_bad``; ``None`` without any.
        p_value: Probability that equally liked arms show so large a preference; ``None`` like the interval.
        p_value_holm: The same, corrected for the number of pairs.
        winner: The arm that people prefer, or ``None`` if the evidence is not enough.
        is_enough: Whether there are enough votes for people's verdict to come first.
    """

    arms: Pair
    wins: tuple[int, int]
    ties: int
    both_bad: int
    rows: int
    voters: int
    share: float | None
    low: float | None
    high: float | None
    tie_share: float | None
    p_value: float | None
    p_value_holm: float | None
    winner: str | None
    is_enough: bool


def votes_between_arms(votes: Sequence[Vote], made_by: Mapping[str, tuple[str, int]]) -> list[ArmVote]:
    """Keep the votes on two arms' pictures of one row; a skip is none.

    Args:
        votes: People's votes.
        made_by: Candidate id to its arm and row; votes on other pictures are left out.
    """
    found = []
    for vote in without_skips(votes):
        if not {vote.left_id, vote.right_id} <= made_by.keys():
            continue
        (left, row), (right, other_row) = made_by[vote.left_id], made_by[vote.right_id]
        if left == right or row != other_row:
            continue
        is_in_order = left < right
        answers: dict[str, Answer] = {
            "left": "first" if is_in_order else "second",
            "right": "second" if is_in_order else "first",
            "tie": "tie",
            "both bad": "both bad",
        }
        arms = (left, right) if is_in_order else (right, left)
        found.append(ArmVote(row, vote.voter, arms, answers[vote.outcome]))
    return found


def prefer_arms(votes: Sequence[ArmVote]) -> tuple[Preference, ...]:
    """Compare every two arms that people compared, in order of their names.

    Args:
        votes: In any order.
    """
    by_pair: dict[Pair, list[ArmVote]] = defaultdict(list)
    for vote in votes:
        by_pair[vote.arms].append(vote)
    pairs = sorted(by_pair)
    shares = [
        _share([vote for vote in by_pair[pair] if vote.answer in ("first", "second")]) for pair in pairs
    ]
    corrected = correct_by_holm([share.p_value for share in shares])
    return tuple(
        _prefer(pair, by_pair[pair], share, p_holm)
        for pair, share, p_holm in zip(pairs, shares, corrected, strict=True)
    )


class _Share(NamedTuple):
    share: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def _prefer(pair: Pair, votes: Sequence[ArmVote], found: _Share, p_holm: float | None) -> Preference:
    counts = Counter(vote.answer for vote in votes)
    decided = [vote for vote in votes if vote.answer in ("first", "second")]
    rows, n_looked = len({vote.row for vote in decided}), len(votes) - counts["both bad"]
    is_clear = p_holm is not None and p_holm <= SIGNIFICANCE
    return Preference(
        arms=pair,
        wins=(counts["first"], counts["second"]),
        ties=counts["tie"],
        both_bad=counts["both bad"],
        rows=rows,
        voters=len({vote.voter for vote in decided}),
        share=found.share,
        low=found.low,
        high=found.high,
        tie_share=counts["tie"] / n_looked if n_looked else None,
        p_value=found.p_value,
        p_value_holm=p_holm,
        winner=pair[counts["second"] > counts["first"]] if is_clear else None,
        is_enough=len(decided) >= ENOUGH_VOTES and rows >= ENOUGH_ROWS,
    )


def _share(decided: Sequence[ArmVote]) -> _Share:
    if not decided:
        return _Share(None)
    won = np.array([float(vote.answer == "first") for vote in decided])
    rows = _numbered([vote.row for vote in decided])
    share = float(won.mean())
    if rows.max() == 0:
        return _Share(share)
    if share in (0, 1):
        return _all_agree(share, int(rows.max()) + 1)
    n_alike, freedom = _independent_votes(won, rows, _numbered([vote.voter for vote in decided]))
    return _Share(share, *_wilson(share, n_alike, freedom))


def _all_agree(share: float, n_rows: int) -> _Share:
    """Nothing is known about how alike the votes of a row are: it counts as one."""
    reach: float = (1 - CONFIDENCE) ** (1 / n_rows)
    low, high = (reach, 1.0) if share else (0.0, 1 - reach)
    return _Share(share, low, high, 0.5**n_rows)


def _numbered(names: Sequence[object]) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([places[name] for name in names])


def _independent_votes(
    won: Floats, rows: NDArray[np.int64], people: NDArray[np.int64]
) -> tuple[float, float]:
    """Return how many independent votes would be as certain as these, and the degrees of freedom."""
    share, n_votes = float(won.mean()), len(won)
    alone, each = share * (1 - share) / n_votes, (won - share) / n_votes
    by_vote = alone * n_votes / (n_votes - 1)  # as the variances by clusters are, if each is one vote
    by_row, by_person = _variance(each, rows), _variance(each, people)
    of_rows, of_people = max(by_row - by_vote, 0.0), max(by_person - by_vote, 0.0)
    variance = alone + of_rows + of_people
    doubt = of_rows**2 / int(rows.max()) + by_person**2 / max(int(people.max()), 1)
    return share * (1 - share) / variance, max(variance**2 / doubt, 1.0) if doubt else np.inf


def _variance(each: Floats, clusters: NDArray[np.int64]) -> float:
    """Return the variance of a sum over clusters, the sum itself being 0; 0 with a single cluster."""
    sums, n_clusters = np.bincount(clusters, each), int(clusters.max()) + 1
    return float((sums**2).sum()) * n_clusters / (n_clusters - 1) if n_clusters > 1 else 0.0


def _wilson(share: float, n_votes: float, freedom: float) -> tuple[float, float, float]:
    from scipy import special

    reach = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2))
    weight = reach**2 / n_votes
    middle = (share + weight / 2) / (1 + weight)
    half = reach * (share * (1 - share) / n_votes + weight / (4 * n_votes)) ** 0.5 / (1 + weight)
    p_value = 2 * float(special.stdtr(freedom, -abs(share - 0.5) * 2 * n_votes**0.5))
    return max(middle - half, 0.0), min(middle + half, 1.0), p_value
