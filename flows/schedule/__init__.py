"""Scheduled slots: at most one run for each."""

__all__ = [
    "take_slot",
]
