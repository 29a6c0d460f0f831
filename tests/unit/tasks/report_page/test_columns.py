"""The columns of a campaign's variables, and rows that people count from 1."""

from typing import Any

import pytest

from tasks.report import build_frame, load_frame
from tasks.report_page.columns import read_cell
from tasks.report_page.table import columns_of, write_table
from tests.support.report_rows import make_draft


def with_variable(*values: Any) -> list[dict[str, Any]]:
    """Make a draft of each row, with a variable ``x``."""
    return [make_draft("A", row, 0) | {"var_x": value} for row, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (("007", "b"), "string"),
        ((1, 2), "Int64"),
        ((1, 2.5), "Float64"),
        ((True, False), "boolean"),
        ((True, 1), "string"),
        ((1, "b"), "string"),
        ((None, 2), "Int64"),
        ((None, None), "string"),
    ],
)
def test_a_variable_is_a_column_of_its_type(values: tuple[Any, ...], dtype: str) -> None:
    """Text as soon as one value is text; what a row lacks is null."""
    frame = build_frame(with_variable(*values))
    assert str(frame["var_x"].dtype) == dtype
    assert frame["var_x"].isna().tolist() == [value is None for value in values]
    assert list(frame.columns).index("var_x") == list(frame.columns).index("row_index") + 1


def test_a_number_of_a_shop_stays_as_it_is_in_a_spreadsheet() -> None:
    """007 does not become 7."""
    assert b"'007" in write_table(columns_of(with_variable("007")), with_variable("007")).csv


def test_rows_and_replicates_count_from_one_and_have_their_index_beside() -> None:
    """As in the terminal and on the pages; the index is the one in file names."""
    frame = build_frame([make_draft("A", 4, 2)])
    (row,) = frame.to_dict("records")
    assert (row["row"], row["row_index"], row["replicate"], row["replicate_index"]) == (5, 4, 3, 2)
    assert read_cell("arm", make_draft("A", 4, 2)) == "A"


def test_an_older_report_is_read_with_todays_columns(tmp_path: Any) -> None:
    """It counted from 0."""
    older = build_frame([make_draft("A", 4, 2)])
    older = older.assign(row=older["row_index"], replicate=older["replicate_index"])
    older.drop(columns=["row_index", "replicate_index"]).to_parquet(tmp_path / "report.parquet")
    (row,) = load_frame(tmp_path).to_dict("records")
    assert (row["row"], row["row_index"], row["replicate"], row["replicate_index"]) == (5, 4, 3, 2)
