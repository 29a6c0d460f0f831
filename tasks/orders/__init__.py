"""Builds a campaign's orders: drafts, finals and questions, and estimates their cost."""

__all__ = [
    "drafts",
    "durations",
    "finals",
    "finals_costs",
    "judging_plan",
    "likely_mistakes",
    "missing_scores",
    "questions",
    "round_costs",
]
