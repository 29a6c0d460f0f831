"""Judging by a vision model: rubrics, duels, and the model's replies."""

__all__ = [
    "brief_questions",
    "conditions",
    "drawn_pictures",
    "duels",
    "forms",
    "judge_check",
    "panel",
    "people_answers",
    "replies",
    "reply_reading",
    "rubric",
    "statement_answers",
]
