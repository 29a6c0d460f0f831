"""Scheduled runs: at most one for each slot, and a runner that lets them end."""

__all__ = [
    "draining_runner",
    "draining_worker",
    "take_slot",
]
