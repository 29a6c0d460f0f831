"""The step that writes a run's report: a table, a page, a contact sheet and a summary.

The ledger is the source of truth; the files are derived from it and can be written again at any time.
pandas is imported only here, and only when a report is written or read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import RunError
from tasks.report_page.columns import (
    COLUMNS,
    PEOPLE_COLUMNS,
    REMARK_COLUMNS,
    STATEMENT_COLUMNS,
    VARIABLE,
    VOTE_COLUMNS,
    Column,
    complete_columns,
    read_cell,
)
from tasks.report_page.facts import RunFacts
from tasks.report_page.grid import Grid
from tasks.report_page.grid_sheet import GridView, draw_grid, page_views, write_pdf, write_png
from tasks.report_page.page import load_templates, render_page
from tasks.report_page.sheet import draw_sheet, draw_sheet_pages
from tasks.report_page.summary import write_summary
from tasks.report_page.workbook import write_workbook
from tasks.storage.atomic import write_atomically
from tasks.storage.home import REPORT_PAGE, SUMMARY_FILE

if TYPE_CHECKING:
    import pandas as pd

STATEMENTS_FILE, PEOPLE_FILE = "statements.parquet", "people_answers.parquet"
REMARKS_FILE, VOTES_FILE = "remarks.parquet", "votes.parquet"
FORMATS = ("html", "csv", "parquet", "json", "xlsx", "pdf")

_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_CHANGED_TEXTS = "|".join(
    (
        r"0\d+|\d{12,}|\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?e[+-]?\d+",  # numbers, also in a hash of digits
        r"[$€£¥] ?\d[\d.,]*|\d[\d.,]* ?[%€]|\d+ \d+/\d+",
        r"\d{1,4}[-/.]\d{1,4}(?:[-/.]\d{1,4})?",  # 1-2, 2026-11-27, 1.10
        rf"\d{{1,2}}[-/. ]?(?:{_MONTH})(?:[-/. ]?\d{{1,4}})?",
        rf"(?:{_MONTH})[-/., ]{{0,2}}\d{{1,4}}(?:[-/., ]{{1,2}}\d{{1,4}})?",  # MAR1, Sept-2
        r"\d{1,4}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?(?: ?[ap]m?)?|\d{1,2} ?[ap]m?",  # 16:9
        "true|false",
    )
)
_MISREAD = re.compile(rf"[=+\-@\t\r\n\0＝＋－＠]|(?i:(?:{_CHANGED_TEXTS})$)")
"""Texts that a spreadsheet takes for a formula, or turns into a number, a date or a time."""


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report.

    Args:
        parquet: All rows, exact and typed.
        csv: The same for spreadsheets.
        html: The page for people; opens from disk.
        contact_sheet: The unique images and finals in one picture.
        summary: The result for programs.
    """

    parquet: Path
    csv: Path
    html: Path
    contact_sheet: Path
    summary: Path


def write_report(rows: Sequence[Mapping[str, object]], facts: RunFacts, run_folder: Path) -> ReportFiles:
    """Write all files of a run's report; each file is replaced completely or left as it was.

    Args:
        rows: One mapping for each order and picture, refused and failed orders included, with the columns of
            ``tasks.report_page.columns``. Columns ending in ``_usd`` are ``Decimal`` dollars; unknown is
            ``None``.
        facts: Facts about the run as a whole.
        run_folder: The run's folder; the rows' ``file`` and ``thumbnail`` are relative to it.

    Raises:
        ValueError: The rows' columns are not those of the table; nothing was written.
        SettingError: The folder cannot be written or the disk is full; files written before stay.
    """
    files = ReportFiles(
        parquet=run_folder / "report.parquet",
        csv=run_folder / "report.csv",
        html=run_folder / REPORT_PAGE,
        contact_sheet=run_folder / "contact_sheet.png",
        summary=run_folder / SUMMARY_FILE,
    )
    with ThreadPoolExecutor(1, thread_name_prefix="sheet") as pool:
        # Pillow releases the interpreter's lock, so that the sheet is drawn while the tables are written.
        sheet = pool.submit(draw_sheet, rows, facts, run_folder)
        frame = build_frame(rows)
        _write(files.parquet, frame.to_parquet(index=False))
        _write(files.csv, write_csv(frame))
        _write(files.html, render_page(rows, facts, run_folder).encode())
        _write(files.contact_sheet, sheet.result())
    _write(files.summary, write_summary(rows, facts))
    if facts.statement_answers:
        _write(
            run_folder / STATEMENTS_FILE, statements_frame(facts.statement_answers).to_parquet(index=False)
        )
    if facts.people_answers:
        _write(run_folder / PEOPLE_FILE, people_frame(facts.people_answers).to_parquet(index=False))
    said = ((REMARKS_FILE, REMARK_COLUMNS, facts.remarks), (VOTES_FILE, VOTE_COLUMNS, facts.votes))
    for name, columns, values in said:
        if values:
            _write(run_folder / name, _frame(columns, values).to_parquet(index=False))
    return files


def write_formats(
    rows: Sequence[Mapping[str, object]], facts: RunFacts, run_folder: Path, formats: Sequence[str]
) -> dict[str, Path]:
    """Write a run's report in some formats, each as ``report.<format>``.

    Args:
        rows: As for ``write_report``.
        facts: As for ``write_report``.
        run_folder: The run's folder.
        formats: Some of ``FORMATS``; ``xlsx`` needs the extra of that name.

    Returns:
        Each format's file.

    Raises:
        ValueError: The rows' columns are not those of the table; nothing was written.
        SettingError: A library is not installed, or the folder cannot be written; files written before stay.
    """
    frame = build_frame(rows)
    makers: dict[str, Callable[[], bytes]] = {
        "html": lambda: render_page(rows, facts, run_folder).encode(),
        "csv": lambda: write_csv(frame),
        "parquet": lambda: frame.to_parquet(index=False),
        "json": lambda: write_json(frame),
        "xlsx": lambda: write_workbook(rows, facts, run_folder),
        "pdf": lambda: draw_sheet_pages(rows, facts, run_folder),
    }
    files = {name: run_folder / f"report.{name}" for name in formats}
    for name, path in files.items():
        _write(path, makers[name]())
    return files


def write_grid(
    grid: Grid, view: GridView, facts: RunFacts, run_folder: Path, name: str = "grid"
) -> dict[str, Path]:
    """Write the grid of a run's drafts as a picture and as a PDF, beside its report.

    Args:
        grid: The grid.
        view: What is along its edges.
        facts: The run's facts, for the title.
        run_folder: The run's folder; the files are written into it.
        name: The files' name without its extension.

    Returns:
        The files ``png`` and ``pdf``.

    Raises:
        SettingError: The folder cannot be written or the disk is full.
    """
    pages = [draw_grid(grid, each, facts, run_folder) for each in page_views(grid, view)]
    files = {"png": run_folder / f"{name}.png", "pdf": run_folder / f"{name}.pdf"}
    _write(files["png"], write_png(pages[0]))
    _write(files["pdf"], write_pdf(pages))
    return files


def load_libraries(n_arms: int, *, needs_tests: bool) -> None:
    """Load what a report needs, most of a second of work, before the report is written.

    Args:
        n_arms: How many arms are compared.
        needs_tests: They are compared within one row, or in segments: that needs tests which take two thirds
            of a second more to load.
    """
    comparison = ["scipy.stats" if needs_tests else "scipy.special"] * (n_arms > 1)
    for name in ("pandas", "pyarrow.parquet", *comparison):
        import_module(name)
    build_frame([]).to_parquet(index=False)  # these load more when they are first called
    load_templates()


def _write(path: Path, data: bytes) -> None:
    write_atomically(path, data)


def build_frame(rows: Sequence[Mapping[str, object]]) -> "pd.DataFrame":
    """Build the typed table: the columns in order, null where nothing was measured.

    Raises:
        ValueError: A row's columns are not those of the table.
    """
    import pandas as pd

    names = set(rows[0]) if rows else set()
    strangers = [index for index, row in enumerate(rows) if set(row) != names]
    if strangers:
        message = f"report row {strangers[0]} has other columns than the first one"
        raise ValueError(message)
    columns = complete_columns(rows[0], rows) if rows else COLUMNS
    return pd.DataFrame({column.name: _make_series(column, rows) for column in columns})


def statements_frame(answers: Sequence[Mapping[str, object]]) -> "pd.DataFrame":
    """Build the typed table of a judge's answers: one row for each picture and statement.

    Args:
        answers: Mappings with the keys of ``STATEMENT_COLUMNS``; the row counts from 0.
    """
    return _frame(STATEMENT_COLUMNS, answers)


def people_frame(answers: Sequence[Mapping[str, object]]) -> "pd.DataFrame":
    """Build the typed table of people's answers to statements: one row for each person and answer.

    Args:
        answers: Mappings with the keys of ``PEOPLE_COLUMNS``; the row counts from 0.
    """
    return _frame(PEOPLE_COLUMNS, answers)


def _frame(columns: Sequence[Column], values: Sequence[Mapping[str, object]]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({column.name: _make_series(column, values) for column in columns})


def _make_series(column: Column, rows: Sequence[Mapping[str, object]]) -> "pd.Series[Any]":
    import pandas as pd

    values = [read_cell(column.name, row) for row in rows]
    if column.dtype == "string" and column.name.startswith(VARIABLE):
        values = [_as_written(value) for value in values]
    if column.dtype.startswith("datetime64"):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype(column.dtype)
    if column.name.endswith("_usd"):
        values = [None if value is None else float(str(value)) for value in values]
    return pd.Series(values, dtype=column.dtype)


def _as_written(value: object) -> str | None:
    """Write a variable as a prompt has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def write_csv(frame: "pd.DataFrame") -> bytes:
    """Render the table for spreadsheets: UTF-8 with a byte order mark, zones in times, formulas escaped.

    Excel reads a file without the mark in the system's code page; other readers skip the mark. A text cell
    that a spreadsheet would take for a formula, or change into a number or a date, gets an apostrophe.
    Source: https://owasp.org/www-community/attacks/CSV_Injection, checked 2026-11-22; the null character from
    OWASP's ASVS 5.0, requirement 1.2.10, checked the same day.
    """
    safe = frame.copy(deep=False)
    for name in frame.columns[frame.dtypes == "string"]:
        column = frame[name]
        risky = [text for text in column.dropna().unique() if _MISREAD.match(text)]
        if risky:
            safe[name] = column.mask(column.isin(risky), "'" + column)
    return safe.to_csv(index=False, date_format="%Y-%m-%d %H:%M:%S+00:00", lineterminator="\r\n").encode(
        "utf-8-sig"
    )


def write_json(frame: "pd.DataFrame") -> bytes:
    """Render the table for programs: a list of objects, times in ISO 8601, ``null`` for unknown values."""
    text: str = frame.to_json(
        orient="records", date_format="iso", double_precision=15, indent=1, force_ascii=False
    )
    return (text + "\n").encode()


def load_frame(run_folder: Path) -> "pd.DataFrame":
    """Read a run's report as a data frame with the types of ``tasks.report_page.columns``.

    Args:
        run_folder: ``<home>/<campaign>/<run_id>``.

    Raises:
        RunError: The folder has no report.
    """
    import pandas as pd

    path = run_folder / "report.parquet"
    if not path.is_file():
        raise RunError(
            where=str(run_folder),
            what="there is no report.parquet in this folder",
            accepted="the folder of a run whose report was written",
            next_step=f"Write it from the ledger: runoff report {run_folder.name}",
        )
    frame = pd.read_parquet(path)
    if "row_index" not in frame:  # written before people counted rows from 1
        counted = {"row": frame["row"] + 1, "replicate": frame["replicate"] + 1}
        frame = frame.assign(row_index=frame["row"], replicate_index=frame["replicate"], **counted)
    columns = complete_columns(frame.columns)
    types = {column.name: column.dtype for column in columns if not column.name.startswith(VARIABLE)}
    return frame[[column.name for column in columns]].astype(types)
