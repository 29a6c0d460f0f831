"""Runs on the ledger and on the disk: lock, recovery, budgets, outcome, listing, pruning."""

__all__ = [
    "budgets",
    "campaign",
    "listing",
    "lock",
    "outcome",
    "progress",
    "pruning",
    "reconciling",
    "recovery",
    "run",
]
