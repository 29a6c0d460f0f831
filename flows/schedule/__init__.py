"""Scheduled runs: at most one for each slot, and a runner that lets them end."""

__all__ = [
    "draining_runner",
    "draining_worker",
    "flow_run_process",
    "take_slot",
]
