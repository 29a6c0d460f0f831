"""The flows: the order of the steps, the command, the schedules and the review page."""

__all__ = [
    "command_line",
    "commands",
    "engine",
    "evaluation",
    "promote",
    "prototype",
    "rescore",
    "run_report",
    "runs",
    "session",
    "workers",
]
