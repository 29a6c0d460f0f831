"""Evaluation of a run's pictures: inspection, scores, duplicates, choices; spends nothing."""

__all__ = [
    "drafts",
    "finals",
    "further_rounds",
    "grid",
    "judge_answers",
    "judge_check",
    "kept",
    "looks",
    "nights",
    "people",
    "power",
    "retirement",
    "rounds",
    "run_questions",
    "scores",
    "similar_pairs",
    "statements",
    "thumbnails",
    "verdict",
    "winners",
]
