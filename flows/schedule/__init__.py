"""A schedule's turns: one run for each slot."""

__all__ = ["slots"]
