"""The stages of a run as Prefect tasks: ledger, step, ledger; here or at a worker."""

__all__ = [
    "buy",
    "closing",
    "evaluate",
    "rounds",
]
