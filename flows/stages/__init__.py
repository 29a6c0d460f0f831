"""The stages of a run as Prefect tasks, in this process or at a worker."""

__all__ = [
    "asked_again",
    "brief_questions",
    "buy",
    "closing",
    "evaluate",
    "judging",
    "panel",
    "rounds",
]
