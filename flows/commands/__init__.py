"""The subcommands of ``runoff``; nothing slow is loaded before a command runs."""

__all__ = [
    "begin",
    "buy",
    "completion",
    "doctor",
    "duplicates",
    "emulator",
    "grid",
    "judge",
    "ledger",
    "models",
    "more",
    "plan_tables",
    "questions",
    "read",
    "review",
    "runs",
    "sections",
    "serve",
    "share",
    "verdict",
]
