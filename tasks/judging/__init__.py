"""Judging by a vision model: rubrics, duels, and the model's replies."""

__all__ = ["conditions", "duels", "replies", "rubric", "statement_answers"]
