"""A run that this process works on: prepared, opened, composed, closed."""

__all__ = [
    "begun_orders",
    "built_campaign",
    "cancelling",
    "prepare",
    "session",
]
