"""In which order the steps run, and the doors: the command, the schedules, the review page."""

__all__ = [
    "command_line",
    "commands",
    "engine",
    "promote",
    "prototype",
    "rescore",
    "run_report",
    "runs",
    "session",
    "workers",
]
