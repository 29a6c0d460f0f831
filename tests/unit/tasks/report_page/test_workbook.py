"""The workbook: what another library, and its bare XML, find in what was written."""

import io
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from tasks.errors import SettingError
from tasks.report_page.columns import COLUMNS
from tasks.report_page.workbook import MOST_TEXT, SHEETS, write_workbook
from tests.support.report_rows import make_draft, make_facts, make_final, make_run, paint_files

NOWHERE = Path("/nowhere")
# What XML cannot hold is written as _xHHHH_, which the reader takes for text: left out here.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=80)


def read(data: bytes) -> Any:
    """Open a workbook as a reader that did not write it."""
    return load_workbook(io.BytesIO(data))


def find(book: Any, name: str, line: int = 2) -> Any:
    """Give a cell of the sheet of rows by its column's name."""
    sheet = book[SHEETS[2]]
    return sheet.cell(line, [cell.value for cell in sheet[1]].index(name) + 1)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Write a whole run's workbook."""
    folder = tmp_path_factory.mktemp("run")
    rows = make_run()
    paint_files(rows, folder)
    return read(write_workbook(rows, make_facts(), folder))


def test_every_row_is_there_below_a_title_that_stays(book: Any) -> None:
    """One line for each row, every column, a title line that is frozen and can filter."""
    assert tuple(book.sheetnames) == SHEETS
    sheet = book[SHEETS[2]]
    assert [cell.value for cell in sheet[1]] == [column.name for column in COLUMNS]
    assert sheet.max_row == len(make_run()) + 1
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")


def test_numbers_dates_and_truths_are_real(book: Any) -> None:
    """A spreadsheet can add, sort and compare what it got; what is unknown is an empty cell."""
    row = make_run()[0]
    assert find(book, "cost_usd").value == float(row["cost_usd"])
    assert find(book, "cost_usd").number_format.startswith("$")
    assert find(book, "score").value == pytest.approx(row["score"])
    assert find(book, "sent_at").value == datetime(2026, 11, 22, 9, 15)
    assert find(book, "sent_at").is_date
    assert find(book, "c2pa").value is True
    assert find(book, "fidelity").value is None


def test_columns_are_wide_enough_for_their_titles(book: Any) -> None:
    """No number column is too narrow for its own name."""
    sheet = book[SHEETS[2]]
    for column, cell in zip(COLUMNS, sheet[1], strict=True):
        if column.dtype != "string":
            assert sheet.column_dimensions[cell.column_letter].width >= len(column.name)


def test_pictures_are_linked_where_they_are(book: Any) -> None:
    """A row links to its file beside the workbook; without the file there is the name only."""
    assert find(book, "file").hyperlink.target.replace("\\", "/") == find(book, "file").value
    bare = read(write_workbook([make_draft("A", 0, 0)], make_facts(), NOWHERE))
    assert find(bare, "file").hyperlink is None
    assert find(bare, "file").value == "drafts/A-000-000.png"


def test_finalists_show_their_pictures(book: Any) -> None:
    """Draft and final of each finalist stand in its line, with what they cost."""
    sheet = book[SHEETS[1]]
    assert sheet.max_row == 5
    assert len(sheet._images) == 8
    lines = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [line[2] for line in lines] == [1, 2, 3, 4]
    assert all(line[6:8] == (0.0052, 0.1672) for line in lines)
    assert [line[9] for line in lines] == [True, True, True, False]


def test_result_comes_first(book: Any) -> None:
    """The first sheet begins with the verdict and the money, and tells each arm's figures as numbers."""
    lines = list(book[SHEETS[0]].iter_rows(values_only=True))
    assert lines[0][0].startswith("Arm B wins")
    assert "$1.26 of play money was spent" in lines[1][0]
    arm = next(line for line in lines if line[0] == "A")
    assert arm[1] == 24
    assert isinstance(arm[2], float)


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "#N/A", "{=1}", "http://x"])
def test_no_text_becomes_a_formula_a_number_or_a_link(start: str) -> None:
    """A prompt, an arm and a reason that look like more are text in every sheet; the XML has no formula."""
    draft = make_draft(start, 0, 0, prompt=start, selection_reason=start, finalist=True, file=start)
    facts = make_facts(
        ab_test={"headline": start}, warnings=[start], campaign=start, arms={}, finalists=start
    )
    data = write_workbook([draft, make_final(draft, 0, 0.9)], facts, NOWHERE)
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if "worksheets/sheet" in name]
    assert len(sheets) == 3
    assert not any("<f>" in sheet or "<f " in sheet or "<hyperlink" in sheet for sheet in sheets)
    cell = find(read(data), "prompt")
    assert (cell.value, cell.data_type) == (start, "s")
    assert cell.quotePrefix == (start[0] in "=+-@\t")


@settings(deadline=None, max_examples=30)
@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    """Any prompt in any script is read as it was written."""
    book = read(write_workbook([make_draft("A", 0, 0, prompt=text)], make_facts(), NOWHERE))
    assert find(book, "prompt").value == text


def test_what_no_cell_can_hold_is_cut_and_never_lost() -> None:
    """A text longer than a cell is cut; control characters do not break the file."""
    row = make_draft("A", 0, 0, prompt="x" * (MOST_TEXT + 1), score_reason="bell\x07")
    book = read(write_workbook([row], make_facts(), NOWHERE))
    assert find(book, "prompt").value == "x" * MOST_TEXT
    assert find(book, "score_reason").value.startswith("bell")


def test_run_without_rows_is_still_a_workbook() -> None:
    """Nothing was ordered: titles only."""
    book = read(write_workbook([], make_facts(ab_test=None, arms={}), NOWHERE))
    assert book[SHEETS[2]].max_row == 1


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the message says how to get it."""
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(SettingError, match=r"pip install 'xlsxwriter>=3.2'"):
        write_workbook([], make_facts(), NOWHERE)
