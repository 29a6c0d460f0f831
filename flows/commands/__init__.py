"""The subcommands of ``runoff``; nothing slow is loaded before a command runs."""

__all__ = [
    "buy",
    "doctor",
    "emulator",
    "ledger",
    "models",
    "plan_tables",
    "read",
    "review",
    "runs",
    "serve",
]
