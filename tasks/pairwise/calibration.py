"""The calibration of scorers: how often each agrees with people's votes.

The unit is a pair of pictures that people compared. Several votes on a pair count once, as their majority.
A tie and "both bad" do not say which picture is better: they are left out. The scorer ``votes`` is not
compared with the votes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.candidate import Candidate
from tasks.pairwise.bradley_terry import RESULTS
from tasks.pairwise.suggested_weights import suggest_weights
from tasks.pairwise.votes import Vote, without_skips

PEOPLE = "votes"
TOTAL = "score"
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a scorer ranks a pair as people do.

    Args:
        scorer: Its name, or ``score`` for the total without the votes.
        pairs: Pairs that people decided and that it scored on both sides.
        accuracy: Share of them ranked as people do, 0 to 1; equal scores count half. ``None`` without pairs.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    scorer: str
    pairs: int
    accuracy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A pair that people and a scorer rank in opposite order.

    Args:
        scorer: The scorer, or ``score``.
        preferred: The candidate that people prefer.
        other: The one that the scorer prefers.
        margin: The difference of their scores, 0 to 1.
        votes: How many people's votes the pair has.
    """

    scorer: str
    preferred: str
    other: str
    margin: float
    votes: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well the scorers agree with people's votes.

    Args:
        votes: The number of votes, skips left out.
        both_bad: How many of them call both pictures bad.
        voters: The number of people who voted.
        pairs: Pairs that a majority decided.
        ties: Pairs that stayed undecided.
        agreements: Each scorer's, best first, the total's last.
        suggested_weights: Scorer to weight, to use instead of the campaign's; ``None`` if the votes do not
            support any.
        note: Why these weights, or why none.
        disagreements: The worst, of the judge if there is one, else of the total.
    """

    votes: int
    both_bad: int
    voters: int
    pairs: int
    ties: int
    agreements: tuple[Agreement, ...]
    suggested_weights: dict[str, float] | None
    note: str
    disagreements: tuple[Disagreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Turn the result into JSON values."""
        return asdict(self)


class DecidedPair(NamedTuple):
    """Two drafts of one row of which people prefer the first."""

    preferred: Candidate
    other: Candidate
    votes: int


def calibrate(
    drafts: Sequence[Candidate], votes: Sequence[Vote], weights: Mapping[str, float]
) -> Calibration | None:
    """Measure the scorers of a run by people's votes.

    Args:
        drafts: The run's drafts, scored.
        votes: People's votes on pairs of them; votes on other pictures are ignored.
        weights: The campaign's weights.

    Returns:
        ``None`` if nobody voted.
    """
    known = {draft.candidate_id: draft for draft in drafts}
    counted = [vote for vote in without_skips(votes) if {vote.left_id, vote.right_id} <= known.keys()]
    if not counted:
        return None
    pairs, ties = _decide(counted, known)
    scorers = sorted({name for draft in drafts for name in draft.scores} - {PEOPLE})
    values = {name: _margins(pairs, name) for name in scorers}
    now = {name: weights.get(name, 0.0) for name in scorers}
    margins = values | {TOTAL: _total_margins(values, now, len(pairs))}
    agreements = [_agreement(name, margins[name]) for name in scorers]
    suggestion = suggest_weights(values, now, [pair.preferred.row for pair in pairs])
    suspect = "judge" if "judge" in values else TOTAL
    return Calibration(
        votes=len(counted),
        both_bad=sum(vote.outcome == "both bad" for vote in counted),
        voters=len({vote.voter for vote in counted}),
        pairs=len(pairs),
        ties=ties,
        agreements=(*sorted(agreements, key=_best_first), _agreement(TOTAL, margins[TOTAL])),
        suggested_weights=suggestion.weights,
        note=suggestion.note,
        disagreements=_disagreements(suspect, pairs, margins[suspect]),
    )


def _decide(votes: Sequence[Vote], known: Mapping[str, Candidate]) -> tuple[list[DecidedPair], int]:
    """Take the majority on each pair; count the pairs without one."""
    results_by_pair: dict[tuple[str, str], list[float]] = {}
    for vote in votes:
        if vote.outcome not in RESULTS:
            continue
        first, second = sorted((vote.left_id, vote.right_id))
        result = RESULTS[vote.outcome]
        results_by_pair.setdefault((first, second), []).append(
            result if vote.left_id == first else 1 - result
        )
    pairs, ties = [], 0
    for (first, second), results in sorted(results_by_pair.items()):
        share = sum(results) / len(results)
        ids = (first, second) if share > 0.5 else (second, first)
        if share == 0.5:
            ties += 1
        else:
            pairs.append(DecidedPair(known[ids[0]], known[ids[1]], len(results)))
    return pairs, ties


Margins = NDArray[np.float64]
"""One scorer's value of the preferred picture minus that of the other, pair by pair; NaN where unknown."""


def _margins(pairs: Sequence[DecidedPair], scorer: str) -> Margins:
    def value(draft: Candidate) -> float:
        score = draft.scores.get(scorer)
        return np.nan if score is None or score.value is None else score.value

    return np.array([value(pair.preferred) - value(pair.other) for pair in pairs], dtype=float)


def _total_margins(values: Mapping[str, Margins], weights: Mapping[str, float], n_pairs: int) -> Margins:
    """Weight the margins as the campaign does, over the pairs that every weighted scorer scored."""
    weighted = {name: weight for name, weight in weights.items() if weight > 0}
    if not weighted:
        return np.full(n_pairs, np.nan)
    summed = np.sum([weight * values[name] for name, weight in weighted.items()], axis=0)
    margins: Margins = summed / sum(weighted.values())
    return margins


def _agreement(scorer: str, margins: Margins) -> Agreement:
    """Count the pairs ranked as people rank them.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    seen = margins[~np.isnan(margins)]
    if not seen.size:
        return Agreement(scorer, 0, None, None, None)
    from statsmodels.stats.proportion import proportion_confint

    alike = float((seen > 0).sum() + (seen == 0).sum() / 2)
    low, high = proportion_confint(alike, seen.size, method="wilson")
    return Agreement(scorer, int(seen.size), alike / seen.size, float(low), float(high))


def _best_first(agreement: Agreement) -> tuple[float, str]:
    return -(agreement.accuracy or 0.0), agreement.scorer


def _disagreements(scorer: str, pairs: Sequence[DecidedPair], margins: Margins) -> tuple[Disagreement, ...]:
    wrong = [(float(margin), pair) for margin, pair in zip(margins, pairs, strict=True) if margin < 0]
    wrong.sort(key=lambda one: (one[0], one[1].preferred.candidate_id, one[1].other.candidate_id))
    return tuple(
        Disagreement(scorer, pair.preferred.candidate_id, pair.other.candidate_id, -margin, pair.votes)
        for margin, pair in wrong[:MOST_SHOWN]
    )
