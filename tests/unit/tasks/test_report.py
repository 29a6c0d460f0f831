"""The report's table and its files: types, exactness, and what a spreadsheet or a program makes of them."""

import csv
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tasks.errors import RunError
from tasks.report import FORMATS, ReportFiles, build_frame, load_frame, write_formats, write_report
from tasks.report_page.columns import COLUMNS, complete_columns, replace_table
from tests.support.every_day import some_every_day
from tests.support.report_rows import make_draft, make_facts, make_row, make_run, paint_files

ROOT = Path(__file__).parents[3]
DTYPES = {column.name: column.dtype for column in COLUMNS}


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV as a spreadsheet does."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReportFiles]:
    """Write one whole report."""
    folder = tmp_path_factory.mktemp("run")
    rows = make_run()
    paint_files(rows, folder)
    return folder, write_report(rows, make_facts(), folder)


def test_every_row_comes_back_with_its_type(written: tuple[Path, ReportFiles]) -> None:
    """The parquet holds all rows, refused and failed ones included, with the documented types."""
    frame = load_frame(written[0])
    assert len(frame) == len(make_run())
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert frame["state"].value_counts().to_dict() == {
        "received": 54,
        "refused": 1,
        "failed": 1,
        "unknown": 1,
    }


def test_what_was_not_measured_is_null_and_never_0() -> None:
    """A row of unknowns has no number in it at all."""
    frame = build_frame([make_row(state="planned")])
    numbers = [name for name, dtype in DTYPES.items() if dtype in ("Int64", "Float64", "boolean")]
    assert frame[numbers].isna().all(axis=None)
    assert frame.loc[0, "score"] is pd.NA


def test_frame_adds_up_to_the_exact_dollars(written: tuple[Path, ReportFiles]) -> None:
    """Floats appear in the table only, and still add up to the nano-dollar."""
    exact = sum((row["cost_usd"] for row in make_run() if row["cost_usd"]), Decimal(0))
    assert round(load_frame(written[0])["cost_usd"].sum(), 9) == float(exact)


def test_run_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    """An empty report is a table with all columns and types."""
    write_report([], make_facts(ab_test=None), tmp_path)
    frame = load_frame(tmp_path)
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES


@pytest.mark.parametrize(
    "start",
    some_every_day(
        ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x", "＝1"], lambda start: start in "=1+1＝1"
    ),
)
def test_spreadsheet_runs_no_formula(tmp_path: Path, start: str) -> None:
    """A prompt that looks like a formula is text in the CSV, and untouched in the parquet."""
    files = write_report([make_draft("A", 0, 0, prompt=start, latency_s=-1.5)], make_facts(), tmp_path)
    cell = read_csv(files.csv)[0]
    assert cell["prompt"] == "'" + start
    assert cell["latency_s"] == "-1.5"
    assert load_frame(tmp_path)["prompt"].tolist() == [start]


@pytest.mark.parametrize("digits", ["1234567890123456", "12e4567890123456", "00123456789"])
def test_spreadsheet_makes_no_number_of_a_hash(tmp_path: Path, digits: str) -> None:
    """A hash of digits would lose its end in a spreadsheet."""
    files = write_report([make_draft("A", 0, 0, phash=digits)], make_facts(), tmp_path)
    assert read_csv(files.csv)[0]["phash"] == "'" + digits


CHANGED = ("1-2", "MAR1", "Sept-2", "1/2", "2026-11-27", "16:9", "6:30 pm", "1E5", "01", "1.10", "5%", "TRUE")
KEPT = ("A", "1-a", "marble1", "May", "1024x1024", "gpt-image-1.5", "otter at 16:9", "v1.10", "5", "c-5d4f")


def test_a_spreadsheet_leaves_text_as_it_is(tmp_path: Path) -> None:
    """An arm called 1-2 would become the 2nd of January, MAR1 the 1st of March; names and sizes stay."""
    rows = [make_draft("A", row, 0, prompt=text) for row, text in enumerate(CHANGED + KEPT)]
    files = write_report(rows, make_facts(), tmp_path)
    assert [row["prompt"] for row in read_csv(files.csv)] == [*(f"'{text}" for text in CHANGED), *KEPT]
    assert load_frame(tmp_path)["prompt"].tolist() == [*CHANGED, *KEPT]


def test_csv_keeps_commas_quotes_lines_and_any_script(tmp_path: Path) -> None:
    """The CSV is UTF-8 with a mark, and every text survives."""
    text = 'Ein Otter, "süß"\nラッコ'
    files = write_report([make_draft("A", 0, 0, prompt=text)], make_facts(), tmp_path)
    assert files.csv.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_csv(files.csv)[0]["prompt"] == text


def test_numbers_stay_numbers_in_the_csv(tmp_path: Path) -> None:
    """Dollars, scores below zero and counts have no apostrophe and no thousands mark."""
    row = make_draft("A", 1200, 0, cost_usd=Decimal("0.0052"), fidelity_ssim=-0.25, bytes=1_234_567)
    cell = read_csv(write_report([row], make_facts(), tmp_path).csv)[0]
    assert (cell["cost_usd"], cell["fidelity_ssim"], cell["bytes"]) == ("0.0052", "-0.25", "1234567")
    assert cell["sent_at"] == "2026-11-22 09:15:00+00:00"
    assert (cell["c2pa"], cell["accepted"]) == ("True", "")


def test_one_format_is_written_alone(tmp_path: Path) -> None:
    """Each format that is asked for makes one file, and every reader finds all rows in it."""
    rows = make_run()
    for name in FORMATS:
        folder = tmp_path / name
        folder.mkdir()
        assert write_formats(rows, make_facts(), folder, [name]) == {name: folder / f"report.{name}"}
        assert [path.name for path in folder.iterdir()] == [f"report.{name}"]
    written = json.loads((tmp_path / "json" / "report.json").read_text(encoding="utf-8"))
    assert (
        len(written)
        == len(load_frame(tmp_path / "parquet"))
        == len(read_csv(tmp_path / "csv" / "report.csv"))
    )
    assert written[0]["cost_usd"] == 0.0052
    assert written[0]["sent_at"] == "2026-11-22T09:15:00.000Z"
    assert written[0]["fidelity"] is None


def test_own_scorer_gets_a_column(tmp_path: Path) -> None:
    """A score of one's own stands after the others."""
    write_report([make_draft("A", 0, 0) | {"score_brand": 0.25}], make_facts(), tmp_path)
    frame = load_frame(tmp_path)
    assert list(frame.columns)[list(frame.columns).index("score_votes") + 1] == "score_brand"
    assert frame["score_brand"].tolist() == [0.25]


def test_rows_with_other_columns_are_refused(tmp_path: Path) -> None:
    """A missing or strange column is a fault of the caller, and nothing is written."""
    short = make_draft("A", 0, 0)
    del short["sha256"]
    with pytest.raises(ValueError, match="sha256"):
        write_report([short], make_facts(), tmp_path)
    with pytest.raises(ValueError, match="colour"):
        write_report([make_draft("A", 0, 0) | {"colour": "red"}], make_facts(), tmp_path)
    with pytest.raises(ValueError, match="row 1"):
        write_report([make_draft("A", 0, 0), short], make_facts(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_report_that_is_not_there_says_how_to_write_it(tmp_path: Path) -> None:
    """Reading a run without a report names the command."""
    with pytest.raises(RunError, match=f"runoff report {tmp_path.name}"):
        load_frame(tmp_path)


def test_writing_again_leaves_five_files(written: tuple[Path, ReportFiles]) -> None:
    """A second report replaces the first and leaves nothing half-written."""
    folder, files = written
    assert write_report(make_run(), make_facts(), folder) == files
    assert {path.name for path in folder.iterdir() if path.is_file()} == {
        "report.parquet", "report.csv", "report.html", "contact_sheet.png", "summary.json",
    }  # fmt: skip


def test_summary_tells_counts_money_verdict_and_finalists(written: tuple[Path, ReportFiles]) -> None:
    """A program gets the result without reading the rows."""
    summary = json.loads(written[1].summary.read_text(encoding="utf-8"))
    assert summary["counts"] == {
        "orders_by_state": {"planned": 0, "sent": 0, "received": 54, "refused": 1, "failed": 1, "unknown": 1},
        "drafts": 48, "duplicates": 6, "copies": 6, "unique_images": 42, "survivors": 42,
        "finalists": 4, "finals": 6, "finals_accepted": 3,
    }  # fmt: skip
    assert summary["money"]["spent_usd"] == 1.2588  # with the estimate of the order without an answer
    assert summary["money"]["unknown_usd"] == 0.006
    assert summary["verdict"].startswith("Arm B wins")
    assert [finalist["rank"] for finalist in summary["finalists"]] == [1, 2, 3, 4]
    assert [finalist["accepted"] for finalist in summary["finalists"]] == [True, True, True, False]


def test_unknown_money_is_null_in_the_summary(tmp_path: Path) -> None:
    """Nobody asked what all-high would cost: null."""
    files = write_report([], make_facts(all_high_usd=None, ab_test=None), tmp_path)
    assert json.loads(files.summary.read_text(encoding="utf-8"))["money"]["all_high_usd"] is None


def test_column_names_are_unique_and_told() -> None:
    """Each column has one name and a sentence."""
    assert len(DTYPES) == len(COLUMNS)
    assert all(column.meaning.endswith(".") for column in COLUMNS)
    assert complete_columns(DTYPES) == COLUMNS


def test_columns_on_the_page_are_current() -> None:
    """The table in docs/report.md is the one in the code."""
    page = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    assert replace_table(page) == page


def test_step_is_imported_without_pandas() -> None:
    """Pandas takes a second to load; a command that writes no report does not wait for it."""
    code = "import sys, tasks.report; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
