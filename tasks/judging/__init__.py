"""Judging by a vision model: rubrics, duels, and the model's replies."""

__all__ = ["conditions", "duels", "forms", "replies", "reply_reading", "rubric", "statement_answers"]
