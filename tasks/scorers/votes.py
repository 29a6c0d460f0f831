"""The scorer ``votes``: a picture's strength from people's votes on pairs."""

from collections.abc import Sequence
from pathlib import Path

from tasks.candidate import Candidate, Score
from tasks.pairwise.bradley_terry import Meeting, strengths
from tasks.scorers import Assignment

VERSION = "2"


class VotesScorer:
    """Scores by people's votes on pairs, with an interval; opens no file."""

    name = "votes"
    version = VERSION

    def __init__(self, meetings: Sequence[Meeting]) -> None:
        """Fit the strengths of all pictures with votes."""
        self._strengths = strengths(meetings)

    @classmethod
    def for_run(cls, assignment: Assignment) -> "VotesScorer":
        """Take the run's votes."""
        return cls(assignment.meetings)

    def score(self, candidate: Candidate, run_folder: Path) -> Score:  # noqa: ARG002 - votes suffice
        """Return the probability that people prefer it to an average one of those it met.

        The value is ``None`` if no vote compares it: nobody voted on it, or only to call both bad.
        """
        found = self._strengths.get(candidate.candidate_id)
        if found is None:
            return Score(None, "no vote compares it with another picture", version=VERSION)
        duels = "1 duel" if found.meetings == 1 else f"{found.meetings} duels"
        return Score(
            found.value,
            f"people preferred it to an average picture {found.value:.0%} of the time"
            f" ({found.low:.0%}-{found.high:.0%}, {duels})",
            {"votes_low": found.low, "votes_high": found.high, "votes_duels": found.meetings},
            VERSION,
        )
