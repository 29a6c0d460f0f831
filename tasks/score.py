"""The step that scores every picture with every scorer and computes the weighted total.

Scores are keyed by candidate id; the order of lists never matters.
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
    """The scores of one candidate.

    Args:
        scores: Each scorer's score, by scorer name.
        total: Weighted mean of the scores with a value, in [0, 1]; ``None`` when there are none.
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
        candidates: In any order; their scores are independent of each other.
        weights: Scorer's name to weight, 0 or more; a weight of 0 records without counting.
        run_folder: The folder that the candidates' files are relative to.
        assignment: What scorers may need to know about the run besides its pictures.

    Returns:
        One entry per candidate id. A scorer that fails on a picture yields ``None`` and the reason.

    Raises:
        SettingError: A scorer does not exist, cannot be loaded or returns a value outside [0, 1].
    """
    assignment = assignment or Assignment()
    scorers = [load_scorer(name, assignment) for name in sorted(weights)]
    return {
        candidate.candidate_id: _opinions(candidate, scorers, weights, run_folder) for candidate in candidates
    }


def weighted_total(scores: Mapping[str, Score], weights: Mapping[str, float]) -> float | None:
    """Average the scores that have a value, by weight.

    Args:
        scores: Scorer's name to score; those without a value are left out together with their weight.
        weights: Scorer's name to weight, 0 or more; a scorer without one has weight 0.

    Returns:
        A value in [0, 1], or ``None`` when no scorer with a weight above 0 gave a value.

    Example:
        >>> weighted_total({"a": Score(1.0, ""), "b": Score(0.5, ""), "c": Score(None, "")}, {"a": 1, "b": 3})
        0.625
    """
    return weighted_mean({name: opinion.value for name, opinion in scores.items()}, weights)


def weighted_mean(values: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """Average values by weight; those that are ``None`` are left out. See ``weighted_total``.

    Args:
        values: Scorer's name to value.
        weights: Scorer's name to weight, 0 or more; a scorer without one has weight 0.
    """
    answered = [(weights.get(name, 0), value) for name, value in sorted(values.items()) if value is not None]
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
    except Exception as error:  # a scorer's failure on one picture must not stop a paid run
        return Score(None, f"could not score: {type(error).__name__}: {error}", version=scorer.version)
    if opinion.value is not None and not 0 <= opinion.value <= 1:
        raise SettingError(
            where=f"scorer {scorer.name}",
            what=f"gave {opinion.value} to {candidate.candidate_id}",
            accepted="a value from 0 to 1, or None",
            money="What was bought is kept.",
            next_step=f"Fix the scorer or remove {scorer.name} from score.weights, then: runoff rescore",
        )
    return opinion
