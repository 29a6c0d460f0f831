"""Survivors that a judging model was to have an opinion of and has none: told, and kept out of comparisons.

A total is the mean over the scorers that answered. So a picture without a judge's score is not worse or
better than one with it: the two totals are made of different things, and the A/B test must not mix them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tasks.candidate import Candidate, Score
from tasks.judging.duels import QUESTIONS
from tasks.money import count_of
from tasks.orders.questions import BOUGHT

_TOOK_PART_IN_NONE = "duel: took part in none"
"""What ledgers say of a picture without a rival whose duels were scored before `QUESTIONS` was recorded."""


def unjudged(drafts: Iterable[Candidate], name: str) -> list[Candidate]:
    """List the survivors without a usable opinion of a judging model.

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
    """Tell whether a value should be there and is not; a picture without a rival has no strength to miss."""
    if score.value is not None:
        return False
    questions = score.measurements.get(QUESTIONS)
    return score.reason != _TOOK_PART_IN_NONE if questions is None else questions > 0


def unjudged_warnings(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> list[str]:
    """Say of each judging model how many pictures have no score of it, and why."""
    return [_warning(name, drafts, mute) for name in _weighed(weights) if (mute := unjudged(drafts, name))]


def _weighed(weights: Mapping[str, float]) -> list[str]:
    return [name for name in BOUGHT if name in weights]


def _warning(name: str, drafts: Sequence[Candidate], mute: Sequence[Candidate]) -> str:
    n_survivors = sum(draft.is_survivor for draft in drafts)
    reasons = Counter(_short(draft.scores[name].reason) for draft in mute)
    why = "; ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
    return (
        f"{name}: {len(mute)} of {count_of(n_survivors, 'survivor')} without a score of it ({why});"
        " their total is that of the other scorers."
    )


def _short(reason: str) -> str:
    """Leave out the scorer's name and the provider's own words, which differ from order to order."""
    return reason.partition(": ")[2].partition(": ")[0] or reason


def half_scored(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> set[str]:
    """Name the survivors whose total lacks an opinion that others' totals hold.

    Args:
        drafts: A run's drafts.
        weights: Scorer's name to weight.

    Returns:
        Candidate ids; none when a judging model answered for all, or for nobody.
    """
    survivors = [draft for draft in drafts if draft.is_survivor]
    found: set[str] = set()
    for name in _weighed(weights):
        given = {draft.candidate_id for draft in survivors if draft.value_of(name) is not None}
        if given and weights[name] > 0:
            found |= {draft.candidate_id for draft in survivors} - given
    return found


def silent(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> list[str]:
    """Name the judging models that weigh something and answered for no survivor."""
    return [
        name
        for name in _weighed(weights)
        if weights[name] > 0
        and unjudged(drafts, name)
        and all(draft.value_of(name) is None for draft in drafts)
    ]


def note_of_test(drafts: Sequence[Candidate], weights: Mapping[str, float]) -> str:
    """Say what the A/B test leaves out or does without; empty when all was judged."""
    parts = []
    if left_out := half_scored(drafts, weights):
        parts.append(
            f"Left out, because a judging model gave them no score: {count_of(len(left_out), 'picture')}."
        )
    if names := silent(drafts, weights):
        parts.append(f"Compared without {' and '.join(names)}, which gave no score.")
    return " ".join(parts)
