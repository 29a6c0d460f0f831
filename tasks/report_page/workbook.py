"""The workbook ``report.xlsx``: the run for people who work in a spreadsheet.

Three sheets: the result, the finalists with their pictures, and every row with real numbers and dates and a
link to its picture. Text is written as text, so that no prompt is run as a formula. Needs the extra ``xlsx``:
XlsxWriter, which streams the rows, so that memory does not grow with them.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tasks.errors import SettingError
from tasks.extras import install_command
from tasks.report_page.columns import COLUMNS, Column, complete_columns, read_cell
from tasks.report_page.facts import RunFacts
from tasks.report_page.measures import measure_arm
from tasks.report_page.pictures import Finalist, Picture, build_finalists
from tasks.report_page.rows import Row, is_draft, is_final
from tasks.report_page.sources import Sources, find_inside, open_small
from tasks.report_page.verdict import state_verdict, summarize

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEETS = ("Result", "Finalists", "Rows")
MOST_TEXT = 32_767
MOST_LINKS = 65_000
MOST_SHOWN = 200
_PICTURE_PX, _LINE_POINTS = 150, 118
_USD, _SCORE, _SHARE, _WHOLE, _TEXT = "$#,##0.0000", "0.000", "0%", "#,##0", "@"
_SECONDS = "0.0"
_MOMENT = "yyyy-mm-dd hh:mm:ss"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_WIDTHS = {"prompt": 60, "error_message": 40, "selection_reason": 40, "score_reason": 40}
_FINALIST_TITLES = {
    "draft": 22, "final": 22, "rank": 7, "arm": 7, "name": 16, "score": 9, "draft, US dollars": 17,
    "final, US dollars": 17, "fidelity": 10, "accepted": 11, "chosen by": 12, "why": 44, "prompt": 60,
}  # fmt: skip
_ARM_KEYS = {
    "pictures": _WHOLE, "mean_score": _SCORE, "duplicate_rate": _SHARE, "refusal_rate": _SHARE,
    "failure_rate": _SHARE, "cost_per_unique_image_usd": _USD, "cost_per_acceptable_usd": _USD,
    "charged_per_unique_image_usd": _USD, "median_latency_s": _SECONDS, "p95_latency_s": _SECONDS,
}  # fmt: skip


class _Writer:
    """Writes values into one workbook, each by its type."""

    def __init__(self, book: "Workbook") -> None:
        self._book = book
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def style(self, **properties: object) -> "Format":
        """Return the format with these properties; it is made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def put(
        self, sheet: "Worksheet", line: int, column: int, value: object, style: "Format | None" = None
    ) -> None:
        """Write one cell; ``None`` leaves it empty.

        Args:
            sheet: The sheet.
            line: The line, from 0.
            column: The column, from 0.
            value: The value.
            style: The cell's format.

        Raises:
            TypeError: The value has a type that no column has.
        """
        match value:
            case None:
                return
            case bool():
                sheet.write_boolean(line, column, value, style)
            case int() | float() | Decimal():
                sheet.write_number(line, column, float(value), style)
            case datetime():
                sheet.write_datetime(line, column, value, style)
            case str():
                if value.startswith(_FORMULA_STARTS):  # so that it stays text when somebody edits it
                    style = self.style(num_format=_TEXT, quote_prefix=True)
                sheet.write_string(line, column, value[:MOST_TEXT], style)
            case _:
                raise TypeError(type(value).__name__)

    def add_table(self, name: str, titles: Mapping[str, int]) -> "Worksheet":
        """Add a sheet whose first line has the titles and stays visible."""
        sheet = self._book.add_worksheet(name)
        for column, (title, width) in enumerate(titles.items()):
            sheet.set_column(column, column, width)
            self.put(sheet, 0, column, title, self.style(bold=True, bottom=1))
        sheet.freeze_panes(1, 0)
        return sheet


def write_workbook(rows: Sequence[Row], facts: RunFacts, run_folder: Path) -> bytes:
    """Make the workbook.

    Args:
        rows: The report rows.
        facts: The facts of the run.
        run_folder: The run's folder: the rows' files are in it, the workbook will be, and links are relative
            to it.

    Raises:
        SettingError: XlsxWriter is not installed.
    """
    try:
        from xlsxwriter import Workbook
    except ImportError as error:
        raise SettingError(
            where="report --format xlsx", what="XlsxWriter is not installed",
            accepted="csv, which every spreadsheet opens without it",
            next_step=f"Install it: {install_command('xlsx')}",
        ) from error  # fmt: skip
    stream = io.BytesIO()
    with Workbook(stream, {"constant_memory": True, "remove_timezone": True}) as book:
        book.set_properties({"title": f"{facts.campaign} {facts.run_id}", "comments": "Made by Runoff."})
        writer = _Writer(book)
        _write_result(writer, book.add_worksheet(SHEETS[0]), rows, facts)
        _list_finalists(writer, rows, run_folder)
        _list_rows(writer, rows, run_folder)
    return stream.getvalue()


def _write_result(writer: _Writer, sheet: "Worksheet", rows: Sequence[Row], facts: RunFacts) -> None:
    sheet.set_column(0, 6, 19)
    sheet.hide_gridlines(2)
    writer.put(sheet, 0, 0, state_verdict(rows, facts), writer.style(bold=True, font_size=16))
    for line, text in enumerate((summarize(rows, facts), *facts.warnings), 1):
        writer.put(sheet, line, 0, text)
    line = 3 + len(facts.warnings)
    properties = {
        "campaign": facts.campaign, "run": facts.run_id, "provider": facts.provider,
        "began, UTC": facts.started_at, "ended, UTC": facts.finished_at,
    }  # fmt: skip
    for name, value in properties.items():
        writer.put(sheet, line, 0, name, writer.style(bold=True))
        writer.put(sheet, line, 1, value, writer.style(align="left", num_format=_MOMENT))
        line += 1
    _list_arms(writer, sheet, line + 1, rows, facts)


def _list_arms(writer: _Writer, sheet: "Worksheet", line: int, rows: Sequence[Row], facts: RunFacts) -> None:
    titles = (
        "arm",
        "pictures",
        "mean score",
        "duplicates",
        "refused",
        "failed",
        "US dollars per unique image",
        "per acceptable picture",
        "per unique image, with estimates",
        "seconds, median",
        "seconds, 95 %",
    )
    for column, title in enumerate(titles):
        style = writer.style(bold=True, bottom=1, align="right" if column else "left")
        writer.put(sheet, line, column, title, style)
    drafts = [row for row in rows if is_draft(row)]
    tested = (facts.ab_test or {}).get("arms") or {}
    for below, arm in enumerate(facts.arms or sorted({row["arm"] for row in drafts}), line + 1):
        measures = measure_arm([row for row in drafts if row["arm"] == arm], tested.get(arm) or {})
        writer.put(sheet, below, 0, arm)
        for column, (key, number) in enumerate(_ARM_KEYS.items(), 1):
            writer.put(sheet, below, column, measures[key], writer.style(num_format=number))


def _list_finalists(writer: _Writer, rows: Sequence[Row], run_folder: Path) -> None:
    sheet = writer.add_table(SHEETS[1], _FINALIST_TITLES)
    drafts = [row for row in rows if is_draft(row)]
    finals = [row for row in rows if is_final(row)]
    sources = Sources(run_folder, is_embedded=False)
    for line, finalist in enumerate(build_finalists(drafts, finals, sources, None, large_count=0), 1):
        if line <= MOST_SHOWN:
            sheet.set_row(line, _LINE_POINTS)
            pictures = [finalist.draft, *(final.picture for final in finalist.finals[:1])]
            for column, picture in enumerate(pictures):
                _show(sheet, line, column, picture, run_folder)
        for column, (value, number) in enumerate(_describe(finalist), 2):
            style = writer.style(text_wrap=number == _TEXT, num_format=number)
            writer.put(sheet, line, column, value, style)


def _describe(finalist: Finalist) -> list[tuple[object, str]]:
    draft = finalist.draft.row
    final = finalist.finals[0].picture.row if finalist.finals else {}
    return [
        (draft["rank"], _WHOLE),
        (draft["arm"], _TEXT),
        (finalist.draft.name, _TEXT),
        (draft["score"], _SCORE),
        (draft["cost_usd"], _USD),
        (final.get("cost_usd"), _USD),
        (final.get("fidelity"), _SCORE),
        (final.get("accepted"), "General"),
        (draft["chosen_by"], _TEXT),
        (draft["selection_reason"], _TEXT),
        (draft["prompt"], _TEXT),
    ]


def _show(sheet: "Worksheet", line: int, column: int, picture: Picture, run_folder: Path) -> None:
    small = open_small(run_folder, picture.row, _PICTURE_PX)
    if not small:
        return
    stream = io.BytesIO()
    small.save(stream, "PNG")
    looks = {
        "image_data": stream,
        "x_offset": 4,
        "y_offset": 4,
        "description": picture.alt,
        "object_position": 1,
    }
    sheet.insert_image(line, column, f"{picture.name}.png", looks)


def _list_rows(writer: _Writer, rows: Sequence[Row], run_folder: Path) -> None:
    columns = complete_columns(rows[0], rows) if rows else COLUMNS
    sheet = writer.add_table(SHEETS[2], {column.name: _choose_width(column) for column in columns})
    styles = [(column.name, writer.style(num_format=_choose_format(column))) for column in columns]
    for line, row in enumerate(rows, 1):
        for column, (name, style) in enumerate(styles):
            if name == "file" and line <= MOST_LINKS and find_inside(run_folder, row[name]):
                sheet.write_url(line, column, "external:" + quote(row[name]), string=row[name])
            else:
                writer.put(sheet, line, column, read_cell(name, row), style)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)


def _choose_width(column: Column) -> int:
    if column.dtype == "string":
        return _WIDTHS.get(column.name, 20)
    return max(19 if column.dtype.startswith("datetime64") else 9, len(column.name) + 3)


def _choose_format(column: Column) -> str:
    if column.name.endswith("_usd"):
        return _USD
    if column.dtype.startswith("datetime64"):
        return _MOMENT
    return {"Int64": "0", "Float64": _SCORE, "string": _TEXT, "boolean": "General"}[column.dtype]
