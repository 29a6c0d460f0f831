"""The report as people see it: one page that opens from disk, a contact sheet, and a summary for programs.

``facts`` says what a run tells beside its rows; ``pictures``, ``measures`` and ``verdict`` turn rows into
what the page shows; ``page``, ``sheet`` and ``summary`` render it. Nothing here writes a file or spends.
"""

__all__ = [
    "columns",
    "estimate_errors",
    "facts",
    "lineage",
    "measures",
    "page",
    "rows",
    "sheet",
    "summary",
    "verdict",
    "workbook",
]
