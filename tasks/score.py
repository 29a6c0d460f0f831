"""The step that asks every scorer for its opinion of every picture and sums the opinions up.

Scores go by candidate id from the first line to the last: a list's order says nothing here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.candidate import Candidate, Score
from tasks.errors import PictureError, RunoffError, SettingError
from tasks.scorers import Assignment, Scorer, load_scorer


@dataclass(frozen=True, slots=True)
class CandidateScores:
    """What was thought of one candidate.

    Args:
        scores: Each scorer's opinion, by its name.
        total: Weighted mean of those that answered, in [0, 1]; ``None`` when none did.
    """

    scores: Mapping[str, Score]
    total: float | None


def score_candidates(
    candidates: Sequence[Candidate],
    weights: Mapping[str, float],
    run_folder: Path,
    assignment: Assignment | None = None,
) -> dict[str, CandidateScores]:
    """Score every candidate with every scorer that has a weight.

    Args:
        candidates: In any order; their scores do not depend on one another.
        weights: Scorer's name to weight, 0 or more; a weight of 0 records without counting.
        run_folder: The folder that the candidates' files are relative to.
        assignment: What scorers may have to know of the run beside its pictures.

    Returns:
        One entry for each candidate id. A scorer that fails on a picture leaves ``None`` and the reason.

    Raises:
        SettingError: A scorer does not exist, cannot be loaded or breaks its promise of [0, 1].
    """
    told = assignment or Assignment()
    scorers = [load_scorer(name, told) for name in sorted(weights)]
    return {
        candidate.candidate_id: _opinions(candidate, scorers, weights, run_folder) for candidate in candidates
    }


def weighted_total(scores: Mapping[str, Score], weights: Mapping[str, float]) -> float | None:
    """Average the scorers that answered, by weight.

    Args:
        scores: Scorer's name to opinion; those without a value are left out, weight and all.
        weights: Scorer's name to weight, 0 or more; a scorer without one weighs nothing.

    Returns:
        A value in [0, 1], or ``None`` when no scorer that weighs anything answered.

    Example:
        >>> weighted_total({"a": Score(1.0, ""), "b": Score(0.5, ""), "c": Score(None, "")}, {"a": 1, "b": 3})
        0.625
    """
    answered = [
        (weights.get(name, 0), opinion.value)
        for name, opinion in sorted(scores.items())
        if opinion.value is not None
    ]
    whole = math.fsum(weight for weight, _ in answered)
    if whole <= 0:
        return None
    return min(1.0, math.fsum(weight / whole * value for weight, value in answered))


def _opinions(
    candidate: Candidate, scorers: Sequence[Scorer], weights: Mapping[str, float], run_folder: Path
) -> CandidateScores:
    scores = {scorer.name: _opinion(scorer, candidate, run_folder) for scorer in scorers}
    return CandidateScores(scores, weighted_total(scores, weights))


def _opinion(scorer: Scorer, candidate: Candidate, run_folder: Path) -> Score:
    try:
        opinion = scorer.score(candidate, run_folder)
    except RunoffError as error:
        if not isinstance(error, PictureError):
            raise
        return Score(None, f"could not score: {error.what}", version=scorer.version)
    except Exception as error:  # a plug-in's fault on one picture must not lose a paid run
        return Score(None, f"could not score: {type(error).__name__}: {error}", version=scorer.version)
    if opinion.value is not None and not 0 <= opinion.value <= 1:
        raise SettingError(
            where=f"scorer {scorer.name}",
            what=f"gave {opinion.value} to {candidate.candidate_id}",
            accepted="a value from 0 to 1, or None",
            money="What was bought stays.",
            next_step=f"Mend the scorer or take {scorer.name} out of score.weights, then: runoff rescore",
        )
    return opinion
