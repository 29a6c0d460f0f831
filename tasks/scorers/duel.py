"""The scorer ``duel``: a picture's strength within its row, from duels judged by a model.

Like ``judge`` it sends no requests: the duels are bought beforehand. Unlike other scorers' values, its value
is relative to the row: the probability of beating an average picture of that row. All arms of a row duel in
one pool, so values can be compared between arms, but not between runs.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tasks.candidate import Candidate, Score
from tasks.judging import duels as question
from tasks.judging.replies import DuelReply
from tasks.pairwise.bradley_terry import Strength, strengths
from tasks.scorers import Assignment
from tasks.scorers.judge import version_of


class DuelScorer:
    """Scores by the results of duels.

    Args:
        model: The judging model's id.
        rubric: Statements that are true of a good picture; may be empty.
        duels: The judge's replies.
    """

    name = "duel"

    def __init__(self, model: str = "", rubric: Sequence[str] = (), duels: Sequence[DuelReply] = ()) -> None:
        self.version = version_of(question.VERSION, model, *rubric)
        meetings = question.meetings_of(duels)
        self._strengths = strengths(meetings)
        self._wins = dict.fromkeys(self._strengths, 0.0)
        for first, second, result in meetings:
            self._wins[first] += result
            self._wins[second] += 1 - result
        self._asked = Counter(name for duel in duels for name in (duel.first_id, duel.second_id))
        self._n_pool = _pool_sizes(duels)

    @classmethod
    def for_run(cls, assignment: Assignment) -> "DuelScorer":
        """Take the campaign's question and the answers that were bought for it."""
        settings = assignment.wishes.duel
        if settings is None:
            return cls()
        model = f"{settings.model} at {settings.provider}" if settings.provider else settings.model
        return cls(model, settings.rubric, assignment.duels)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002
        """Return the probability of beating an average picture of the row; ``None`` without usable duels."""
        name = candidate.candidate_id
        strength = self._strengths.get(name)
        if name not in self._asked:
            return self._none(name, "duel: was in no pair")
        if strength is None:
            return self._none(name, "duel: none of its pairs was answered in both orders")
        if 2 * (strength.rivals + 1) <= self._n_pool[name]:
            return self._none(name, "duel: too few duels to compare it with most of its row")
        return Score(strength.value, self._reason(name, strength), _measurements(strength), self.version)

    def _none(self, name: str, reason: str) -> Score:
        return Score(None, reason, {question.QUESTIONS: self._asked[name]}, self.version)

    def _reason(self, name: str, strength: Strength) -> str:
        return (
            f"duel: won {self._wins[name]:g} of {strength.meetings} comparisons,"
            f" strength {strength.value:.2f} (95 % interval {strength.low:.2f} to {strength.high:.2f})"
        )


def _measurements(strength: Strength) -> dict[str, float]:
    return {
        "duel_low": strength.low,
        "duel_high": strength.high,
        "duel_log_odds": strength.log_odds,
        "duel_comparisons": strength.meetings,
    }


def _pool_sizes(duels: Sequence[DuelReply]) -> dict[str, int]:
    """Count, for each picture, the pictures of its row that were in any duel."""
    rows: dict[int, set[str]] = {}
    for duel in duels:
        rows.setdefault(duel.row, set()).update((duel.first_id, duel.second_id))
    return {name: len(pool) for pool in rows.values() for name in pool}
