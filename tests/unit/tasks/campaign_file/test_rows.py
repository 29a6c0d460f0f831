"""Rows from files: whole ones are read, and a hole in one is told with its line."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tasks.campaign_file.rows import RowsFaultError, read_rows

WANTED = [{"file": "a.png", "price": 3, "light": True}, {"file": "b.png", "price": 4.5, "light": False}]
LINES = '{"file": "a.png", "price": 3, "light": true}\n\n{"file": "b.png", "price": 4.5, "light": false}\n'


def test_json_lines_keep_their_types(tmp_path: Path) -> None:
    """Numbers stay numbers, true stays true; empty lines and a byte-order mark are skipped."""
    (tmp_path / "rows.jsonl").write_text("\ufeff" + LINES, "utf-8")
    assert read_rows(tmp_path, "rows.jsonl") == WANTED


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    """Text, dictionaries of text, whole and broken numbers, booleans; days become text."""
    table = {
        "file": pd.Categorical(["a.png", "b.png"]), "n": [3, 4], "share": [0.5, 0.25], "light": [True, False],
        "day": pd.to_datetime(["2026-11-22", "2026-11-23"]).date,
    }  # fmt: skip
    pd.DataFrame(table).to_parquet(tmp_path / "rows.parquet")
    assert read_rows(tmp_path, "rows.parquet") == [
        {"file": "a.png", "n": 3, "share": 0.5, "light": True, "day": "2026-11-22"},
        {"file": "b.png", "n": 4, "share": 0.25, "light": False, "day": "2026-11-23"},
    ]


def test_all_kinds_of_file_give_the_same_rows(tmp_path: Path) -> None:
    """CSV, JSON lines and parquet of the same texts."""
    frame = pd.DataFrame({"file": ["a.png", "b, c.png"], "style": ['"quoted"', "two\nlines"]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "rows.PARQUET")
    read = [read_rows(tmp_path, name) for name in ("rows.csv", "rows.jsonl", "rows.PARQUET")]
    assert read[0] == read[1] == read[2] == frame.to_dict("records")


@pytest.mark.parametrize("name", ["products", "products/", "products/*.[pjw]*"])
def test_a_folder_of_pictures_makes_rows(tmp_path: Path, name: str) -> None:
    """Sorted, without what is no picture; the file can be sent and the name be written."""
    folder = tmp_path / "products"
    folder.mkdir()
    for file in ("mug.png", "lamp.jpg", "vase.webp"):
        Image.new("RGB", (8, 8)).save(folder / file)
    (folder / "words.txt").write_text("no picture")
    assert read_rows(tmp_path, name) == [
        {"file": "products/lamp.jpg", "name": "lamp"},
        {"file": "products/mug.png", "name": "mug"},
        {"file": "products/vase.webp", "name": "vase"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("r.csv", "file,light\na,b\nc\n", "r.csv:3: 1 fields, but the first line has 2; light is missing"),
        ("r.csv", "file,light\na,b,c\n", "r.csv:2: 3 fields, but the first line has 2"),
        ("r.csv", "file,light,file\na,b,c\n", "r.csv:1: the column file occurs twice"),
        ("r.csv", "file,,light\na,b,c\n", "r.csv:1: column 2 has no name"),
        ("r.csv", 'file\n"a\n', "r.csv:2: unexpected end of data"),
        ("r.csv", "file,light\n", "r.csv has no rows"),
        ("r.csv", "", "r.csv has no rows"),
        ("r.jsonl", '{"a": 1}\n{"a": null}\n', "r.jsonl:2: a is null, but a prompt needs a value"),
        ("r.jsonl", '{"a": 1}\n{"a": NaN}\n', "r.jsonl:2: a is nan, but a prompt needs a value"),
        ("r.jsonl", '{"a": 1, "a": 2}\n', "r.jsonl:1: the column a occurs twice"),
        ("r.jsonl", '{"a": 1}\n\n{"b": 1}\n', "r.jsonl:3: a is missing, but the first row has it"),
        ("r.jsonl", '{"a": 1}\n{"a": 1, "b": 1}\n', "r.jsonl:2: b is not in the first row"),
        ("r.jsonl", '{"a": [1]}\n', "r.jsonl:1: a is a list; accepted: text, a number, true or false"),
        ("r.jsonl", "[1]\n", "r.jsonl:1: is not a mapping of variables"),
        ("r.jsonl", '{"a": 1}\n{"a"\n', "r.jsonl:2: is not JSON"),
        ("r.parquet", "no parquet", "r.parquet cannot be read"),
        ("r.xlsx", "", "not a kind of file that rows can be read from"),
        ("none.csv", None, "none.csv cannot be read"),
        ("none/*.png", None, "none/*.png has no png, jpeg or webp pictures"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str | None, expected: str
) -> None:
    """The file, the line, and what is wrong there."""
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(RowsFaultError) as caught:
        read_rows(tmp_path, name)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (lambda: pa.table({"a": [1, 2, None]}), "r.parquet:3: a is null"),
        (lambda: pa.table({"a": [1.0, float("nan")]}), "r.parquet:2: a is nan"),
        (lambda: pa.table([[1], [2]], names=["a", "a"]), "r.parquet:1: the column a occurs twice"),
        (lambda: pa.table({"a": [[1]]}), "r.parquet:1: a is a list"),
        (lambda: pa.table({"a": [b"x"]}), "r.parquet:1: a is a bytes"),
        (lambda: pa.table({"a": pa.array([], pa.string())}), "has no rows"),
    ],
)
def test_a_parquet_file_with_a_hole_is_refused(
    tmp_path: Path, table: Callable[[], pa.Table], expected: str
) -> None:
    """Rows are counted from 1."""
    pq.write_table(table(), tmp_path / "r.parquet")
    with pytest.raises(RowsFaultError, match=expected):
        read_rows(tmp_path, "r.parquet")
