"""The report's files: a page that opens from disk, a contact sheet, a workbook, and a summary for programs.

``facts`` has the facts of a run that are not in its rows; ``pictures``, ``measures`` and ``verdict`` turn
rows into what the page shows; ``page``, ``sheet``, ``workbook`` and ``summary`` render it. Only ``lineage``
writes files, and nothing here spends.
"""

__all__ = [
    "columns",
    "estimate_errors",
    "facts",
    "grid",
    "grid_sheet",
    "lineage",
    "measures",
    "page",
    "rows",
    "sheet",
    "summary",
    "table",
    "verdict",
    "workbook",
]
