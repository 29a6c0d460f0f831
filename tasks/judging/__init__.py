"""Judging by a vision model: rubrics, duels, and the model's replies."""

__all__ = [
    "brief_questions",
    "conditions",
    "duels",
    "forms",
    "replies",
    "reply_reading",
    "rubric",
    "statement_answers",
]
