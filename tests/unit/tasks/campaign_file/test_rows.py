"""Rows from files: whole ones are read, and a hole in one is told with its line."""

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tasks.campaign_file.row_values import RowsFaultError
from tasks.campaign_file.rows import read_rows

WANTED = [{"file": "a.png", "price": 3, "light": True}, {"file": "b.png", "price": 4.5, "light": False}]
LINES = '{"file": "a.png", "price": 3, "light": true}\n\n{"file": "b.png", "price": 4.5, "light": false}\n'


def test_json_lines_keep_their_types(tmp_path: Path) -> None:
    """Numbers stay numbers, true stays true; empty lines and a byte-order mark are skipped."""
    (tmp_path / "rows.jsonl").write_text("\ufeff" + LINES, "utf-8")
    assert read_rows(tmp_path, "rows.jsonl").rows == WANTED


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    """Text, dictionaries of text, whole and broken numbers, booleans; days become text."""
    table = {
        "file": pd.Categorical(["a.png", "b.png"]), "n": [3, 4], "share": [0.5, 0.25], "light": [True, False],
        "day": pd.to_datetime(["2026-11-22", "2026-11-23"]).date,
    }  # fmt: skip
    pd.DataFrame(table).to_parquet(tmp_path / "rows.parquet")
    assert read_rows(tmp_path, "rows.parquet").rows == [
        {"file": "a.png", "n": 3, "share": 0.5, "light": True, "day": "2026-11-22"},
        {"file": "b.png", "n": 4, "share": 0.25, "light": False, "day": "2026-11-23"},
    ]


def test_all_kinds_of_file_give_the_same_rows(tmp_path: Path) -> None:
    """CSV, JSON lines and parquet of the same texts."""
    frame = pd.DataFrame({"file": ["a.png", "b, c.png"], "style": ['"quoted"', "two\nlines"]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "rows.PARQUET")
    read = [read_rows(tmp_path, name).rows for name in ("rows.csv", "rows.jsonl", "rows.PARQUET")]
    assert read[0] == read[1] == read[2] == frame.to_dict("records")


@pytest.mark.parametrize("name", ["products", "products/", "products/*.[pjw]*"])
def test_a_folder_of_pictures_makes_rows(tmp_path: Path, name: str) -> None:
    """Sorted, without what is no picture; the file can be sent and the name be written."""
    folder = tmp_path / "products"
    folder.mkdir()
    for file in ("mug.png", "lamp.jpg", "vase.webp"):
        Image.new("RGB", (8, 8)).save(folder / file)
    (folder / "words.txt").write_text("no picture")
    assert read_rows(tmp_path, name).rows == [
        {"file": "products/lamp.jpg", "name": "lamp"},
        {"file": "products/mug.png", "name": "mug"},
        {"file": "products/vase.webp", "name": "vase"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("r.csv", "file,light\na,b\nc\n", "3: has 1 value, but the first line has 2 names; light is missing"),
        ("r.csv", "file,light\na,b,c\n", "r.csv:2: has 3 values, but the first line has 2 names"),
        ("r.csv", "file,light,file\na,b,c\n", "r.csv:1: the column file occurs twice"),
        ("r.csv", "file,,light\na,b,c\n", "r.csv:1: column 2 has no name"),
        ("r.csv", 'file\n"a\n', "r.csv:2: a value that begins here with a quote has no closing quote"),
        ("r.csv", "file,light\n", "r.csv has no rows"),
        ("r.csv", "", "r.csv has no rows"),
        ("r.jsonl", '{"a": 1}\n{"a": null}\n', "r.jsonl:2: a is null, accepted: text, a number"),
        ("r.jsonl", '{"a": 1}\n{"a": NaN}\n', "r.jsonl:2: a is nan, accepted: text, a number, true or false"),
        ("r.jsonl", '{"a": 1, "a": 2}\n', "r.jsonl:1: the column a occurs twice"),
        ("r.jsonl", '{"a": 1}\n\n{"b": 1}\n', "r.jsonl:3: a is missing, but the first row has it"),
        ("r.jsonl", '{"a": 1}\n{"a": 1, "b": 1}\n', "r.jsonl:2: b is not in the first row"),
        ("r.jsonl", '{"a": [1]}\n', "r.jsonl:1: a is a list, accepted: text, a number, true or false"),
        ("r.jsonl", "[1]\n", "r.jsonl:1: is not a mapping, accepted: a mapping of variables"),
        ("r.jsonl", '{"a": 1}\n{"a"\n', "r.jsonl:2: is not JSON"),
        ("r.parquet", "no parquet", "r.parquet cannot be read"),
        ("r.jsonl", "[" * 100_000, "r.jsonl:1: is nested too deeply"),
        ("r.jsonl", '{"a":' * 100_000, "r.jsonl:1: is nested too deeply"),
        ("r.jsonl", '{"a": 1}\n{"a": ' + "1" * 5000 + "}", "r.jsonl:2: has a number of more than"),
        ("r.jsonl", '{"a": "\\ud83d"}', "r.jsonl:1: a holds half of a character (U+D83D) at position 1"),
        ("r.jsonl", '{"\\ud83d": 1}', r"r.jsonl:1: the column '\ud83d' is no name of a variable"),
        ("r.jsonl", '{"a": "b\\u0000"}', "r.jsonl:1: a holds a NUL character at position 2"),
        ("r.csv", "a,b\n1,2\n3,x\0\n", "r.csv:3: b holds a NUL character at position 2"),
        ("r.csv", "sep=;\na;b\n1;2;3\n", "r.csv:3: has 3 values, but the first line has 2 names"),
        ("r.csv", "my scene,b\n1,2\n", "'my scene' is no name of a variable (did you mean my_scene?)"),
        ("r.jsonl", '{"a": 1}\n' * 100_001, "r.jsonl:100001: is row 100,001, and a campaign may have"),
        ("https://pictures.example/r.csv", None, "is an address, and addresses are not fetched: download it"),
        ("no\0.csv", None, r"no\x00.csv cannot be read (embedded null byte)"),
        ("n" * 300 + ".csv", None, "cannot be read (File name too long)"),
        ("r.xlsx", "", "not a kind of file that rows can be read from"),
        ("none.csv", None, "none.csv, accepted: a .csv"),
        ("none/*.png", None, "none/*.png has no pictures, accepted: png, jpeg or webp"),
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
    "text",
    [
        "scene,light\nkelp,dawn\n,,,\n,\n",
        "scene,light,\nkelp,dawn,\n,,\n \u200b,\u00a0,\n",
        "scene,light\nkelp,dawn,,,\n,\n , \n",
        ",\nscene,light\nkelp,dawn\n,\n",
    ],
)
def test_what_a_spreadsheet_leaves_behind_is_dropped_and_counted(tmp_path: Path, text: str) -> None:
    """Separators at a line's end, and lines in which nothing can be seen."""
    (tmp_path / "r.csv").write_text(text, "utf-8")
    read = read_rows(tmp_path, "r.csv")
    assert (read.rows, read.n_blank) == ([{"scene": "kelp", "light": "dawn"}], 2)
    assert read.places == [f"r.csv:{3 if text.startswith(',') else 2}"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_spreadsheets_other_exports_are_read(tmp_path: Path, separator: str, encoding: str) -> None:
    """With semicolons where the comma is a decimal sign, with tabs, in the encoding that it names."""
    text = 'scene;price\n"a; ""b""";4,50\ncafé;3\n'.replace(";", separator)
    wanted = [{"scene": f'a{separator} "b"', "price": "4,50"}, {"scene": "café", "price": "3"}]
    for above in ("", f"sep={separator}\r\n"):
        (tmp_path / "r.csv").write_bytes((above + text).encode(encoding))
        assert read_rows(tmp_path, "r.csv").rows == wanted


def test_text_in_another_encoding_is_refused_with_its_line_and_what_to_export(tmp_path: Path) -> None:
    """It could be any of a dozen, and the wrong one puts wrong letters into a prompt."""
    (tmp_path / "r.csv").write_bytes("scene\nkelp\ncafé\n".encode("cp1252"))
    with pytest.raises(
        RowsFaultError,
        match=r":3: is not UTF-8 text \(byte 0xe9\), accepted: UTF-8: export it",
    ):
        read_rows(tmp_path, "r.csv")


@pytest.mark.parametrize(
    "name", ["pictures[2026]/", "pictures[2026]/*.png", "*/*.png", "**/*.png", "{}/*.png"]
)
def test_hidden_files_are_no_pictures_and_brackets_are_part_of_a_name(tmp_path: Path, name: str) -> None:
    """As macOS and camera cards leave them beside pictures."""
    folder = tmp_path / "pictures[2026]"
    (folder / ".thumbnails").mkdir(parents=True)
    for file in ("mug.png", "._mug.png", ".thumbnails/mug.png"):
        Image.new("RGB", (8, 8)).save(folder / file)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    found = read_rows(tmp_path, name.format(folder))
    assert found.rows == [{"file": "pictures[2026]/mug.png", "name": "mug"}]


def test_rows_are_found_from_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell finds them."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "r.csv").write_text("scene\nkelp\n")
    assert read_rows(Path("/elsewhere"), "~/r.csv").rows == [{"scene": "kelp"}]


def test_a_file_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """It could be in no prompt, no ledger and no report."""
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    with pytest.raises(RowsFaultError, match=r"the name of caf\\udce9.png is not UTF-8; rename the file"):
        read_rows(tmp_path, ".")


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
