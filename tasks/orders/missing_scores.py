"""Finds unique images without a judging model's score, which are left out of comparisons.

A total is the mean of the scores with a value. So the totals of pictures with and without a judge's score are
not comparable, and the A/B test must not mix them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tasks.candidate import Candidate, Score
from tasks.judging.duels import QUESTIONS
from tasks.judging.rubric import QUESTIONS as RUBRIC_QUESTIONS
from tasks.money import count_of
from tasks.orders.questions import BOUGHT

_TOOK_PART_IN_NONE = "duel: was in no pair"
"""The reason in older ledgers, which did not record ``QUESTIONS``, for a picture with nothing to compare it
with."""


def without_score(drafts: Iterable[Candidate], name: str) -> list[Candidate]:
    """List the unique images that should have a judging model's score and have none.

    Args:
        drafts: A run's drafts.
        name: ``judge`` or ``duel``.
    """
    return [
        draft
        for draft in drafts
        if draft.is_survivor and name in draft.scores and _is_missing(draft.scores[name])
    ]


def _is_missing(score: Score) -> bool:
    """Return whether a score is missing; a picture that had nothing to be compared with needs none.

    Neither does one that a limit left out, as the campaign wants it.
    """
    if score.value is not None:
        return False
    questions = score.measurements.get(QUESTIONS, score.measurements.get(RUBRIC_QUESTIONS))
    return score.reason != _TOOK_PART_IN_NONE if questions is None else questions > 0


def missing_score_warnings(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> list[str]:
    """Warn, for each judging model, how many pictures it did not score, and why."""
    return [
        _warning(name, drafts, missing)
        for name in _weighed(weights)
        if (missing := without_score(drafts, name))
    ]


def _weighed(weights: Mapping[str, float]) -> list[str]:
    return [name for name in BOUGHT if name in weights]


def _warning(name: str, drafts: Sequence[Candidate], missing: Sequence[Candidate]) -> str:
    n_survivors = sum(draft.is_survivor for draft in drafts)
    reasons = Counter(_short(draft.scores[name].reason) for draft in missing)
    why = "; ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    return (
        f"{name}: {len(missing)} of {count_of(n_survivors, 'unique image')} without its score ({why});"
        " their total is from the other scorers."
    )


def _short(reason: str) -> str:
    """Remove the scorer's name and the provider's text, which differs from order to order."""
    return reason.partition(": ")[2].partition(": ")[0] or reason


def partly_scored(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> set[str]:
    """Find the unique images whose total lacks a score that other totals include.

    Args:
        drafts: A run's drafts.
        weights: Scorer's name to weight.

    Returns:
        Candidate ids; none when each judging model scored all pictures or no picture.
    """
    survivors = [draft for draft in drafts if draft.is_survivor]
    found: set[str] = set()
    for name in _weighed(weights):
        given = {draft.candidate_id for draft in survivors if draft.value_of(name) is not None}
        if given and weights[name] > 0:
            found |= {draft.candidate_id for draft in survivors} - given
    return found


def scorers_that_count(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> list[str]:
    """List the scorers with a weight above 0 that scored some picture, the weightiest first."""
    answered = [
        name
        for name, weight in weights.items()
        if weight > 0 and any(draft.value_of(name) is not None for draft in drafts)
    ]
    return sorted(answered, key=lambda name: (-weights[name], name))


def silent(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> list[str]:
    """List the judging models with a weight above 0 that scored no picture."""
    return [
        name
        for name in _weighed(weights)
        if weights[name] > 0
        and without_score(drafts, name)
        and all(draft.value_of(name) is None for draft in drafts)
    ]


def note_of_test(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> str:
    """Describe what the A/B test leaves out; empty when everything was judged."""
    parts = []
    if left_out := partly_scored(drafts, weights):
        parts.append(
            f"Left out, because a judging model gave them no score: {count_of(len(left_out), 'picture')}."
        )
    if names := silent(drafts, weights):
        parts.append(f"Compared without {' and '.join(names)}, which gave no score.")
    return " ".join(parts)
