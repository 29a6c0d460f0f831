"""The campaign file: reading it, and checking all of it before anything is spent."""

__all__ = [
    "checks",
    "csv_rows",
    "fault",
    "load",
    "overrides",
    "questions_file",
    "row_values",
    "rows",
    "rules",
]
