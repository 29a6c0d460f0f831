"""The step that writes a run's report: a table, a page, a contact sheet and a summary.

The ledger is the source of truth; the files are derived from it and can be written again at any time.
pandas is imported only here and in `tasks.report_page.table`, and only when a report is written or read.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import RunError
from tasks.own_process import load_scipy
from tasks.report_page.columns import (
    COLUMNS,
    PEOPLE_COLUMNS,
    REMARK_COLUMNS,
    STATEMENT_COLUMNS,
    VARIABLE,
    VOTE_COLUMNS,
    complete_columns,
)
from tasks.report_page.facts import RunFacts
from tasks.report_page.grid import Grid
from tasks.report_page.grid_sheet import GridView, draw_grid, page_views, write_pdf, write_png
from tasks.report_page.page import load_templates, write_page
from tasks.report_page.sheet import draw_sheet, draw_sheet_pages
from tasks.report_page.summary import write_summary
from tasks.report_page.table import columns_of, frame_of, write_csv, write_parquet, write_table
from tasks.report_page.workbook import write_workbook
from tasks.storage.atomic import write_atomically
from tasks.storage.home import REPORT_PAGE, SUMMARY_FILE

if TYPE_CHECKING:
    import pandas as pd

STATEMENTS_FILE, PEOPLE_FILE = "statements.parquet", "people_answers.parquet"
REMARKS_FILE, VOTES_FILE = "remarks.parquet", "votes.parquet"
FORMATS = ("html", "csv", "parquet", "json", "xlsx", "pdf")


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
        table = write_table(columns_of(rows), rows)
        _write(files.parquet, table.parquet)
        _write(files.csv, table.csv)
        _write(files.html, write_page(rows, facts, run_folder))
        _write(files.contact_sheet, sheet.result())
    _write(files.summary, write_summary(rows, facts))
    more = (
        (STATEMENTS_FILE, STATEMENT_COLUMNS, facts.statement_answers),
        (PEOPLE_FILE, PEOPLE_COLUMNS, facts.people_answers),
        (REMARKS_FILE, REMARK_COLUMNS, facts.remarks),
        (VOTES_FILE, VOTE_COLUMNS, facts.votes),
    )
    for name, columns, values in more:
        if values:
            _write(run_folder / name, write_parquet(columns, values))
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
    columns = columns_of(rows)
    makers: dict[str, Callable[[], bytes]] = {
        "html": lambda: write_page(rows, facts, run_folder),
        "csv": lambda: write_csv(columns, rows),
        "parquet": lambda: write_parquet(columns, rows),
        "json": lambda: write_json(frame_of(columns, rows)),
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
    load_scipy()
    comparison = ["scipy.stats" if needs_tests else "scipy.special"] * (n_arms > 1)
    for name in ("pandas", "pyarrow.parquet", *comparison):
        import_module(name)
    write_table(COLUMNS, [])  # this and the next load more when they are first called
    load_templates()


def _write(path: Path, data: bytes) -> None:
    write_atomically(path, data)


def build_frame(rows: Sequence[Mapping[str, object]]) -> "pd.DataFrame":
    """Build the typed table: the columns in order, null where nothing was measured.

    Raises:
        ValueError: A row's columns are not those of the table.
    """
    return frame_of(columns_of(rows), rows)


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
