"""Runs in the ledger and on disk: lock, recovery, budgets, outcome, pruning."""

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
