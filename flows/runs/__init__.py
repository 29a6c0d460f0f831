"""Runs on the ledger and on the disk: lock, recovery, budgets, outcome, pruning."""

__all__ = [
    "budgets",
    "campaign",
    "lock",
    "outcome",
    "progress",
    "pruning",
    "reconciling",
    "recovery",
    "run",
]
