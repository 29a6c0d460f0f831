"""Runs in the ledger and on disk: lock, recovery, budgets, outcome, pruning."""

__all__ = [
    "budgets",
    "campaign",
    "checking",
    "deadline",
    "lacking",
    "ledger_backups",
    "lock",
    "log_lines",
    "named_finals",
    "outcome",
    "progress",
    "pruning",
    "reconciling",
    "recovery",
    "repeats",
    "rereading",
    "run",
    "stop_signals",
    "team_ledger",
]
