"""What is found out and decided about a run's pictures without buying anything; no Prefect."""

__all__ = [
    "drafts",
    "finals",
    "judge_answers",
    "rounds",
    "scores",
    "verdict",
]
