"""Runs on the ledger and on the disk: lock, recovery, budgets, outcome, listing, pruning."""
