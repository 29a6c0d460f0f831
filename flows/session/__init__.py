"""The session of a run: preparing it and opening it for work in this process."""

__all__ = [
    "asking",
    "begun_orders",
    "built_campaign",
    "cancelling",
    "composition",
    "head_start",
    "one_picture",
    "pace",
    "prepare",
    "rebuilding",
    "session",
    "smoke",
    "taken_up",
    "traced_run",
]
