"""Judging by a model: rubrics, duels, and its replies."""

__all__ = ["duels", "replies", "rubric"]
