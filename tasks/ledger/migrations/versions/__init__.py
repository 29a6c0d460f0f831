"""One file for each step. A ledger never goes back: no step has a way down."""

__all__: list[str] = []
