"""Hostile rows: whatever is in a file or a folder, it is read whole or refused in one sentence."""

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign.campaign import VARIABLE_PATTERN
from tasks.campaign_file.row_values import Rows, RowsFaultError
from tasks.campaign_file.rows import read_rows
from tasks.text import find_no_text, is_blank
from tests.support.fuzzing import bounded, fuzz

PIECES = st.sampled_from(
    [
        b",", b";", b"\t", b"|", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf",
        b"\xed\xa0\xbd", b"sep=;\n", b"scene", b"light", b"{", b"}", b'{"scene": ', b'"\\ud83d"', b"[" * 2000,
        b"null", b"NaN", b"1e999", b"9" * 5000, b"\xc2\xa0", b"\xe2\x80\x8b", b"true", b"\\", b":", b"\x1a",
        b"x" * 140_000, b"PAR1",
    ]
)  # fmt: skip
CONTENT = st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join)
ENDINGS = st.sampled_from([".csv", ".jsonl", ".ndjson", ".CSV", ".parquet", ".txt", ""])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SEEN = TEXT.filter(lambda text: not is_blank(text))


def read(folder: Path, name: str) -> Rows | None:
    """Read rows; ``None`` if they are refused, in one sentence that can be printed."""
    refused = ""
    with bounded():
        try:
            found = read_rows(folder, name)
        except RowsFaultError as error:
            refused = str(error)
    if refused:
        assert refused.isprintable()
        return None
    assert found.rows
    assert len(found.places) == len(found.rows)
    return found


@fuzz(examples=20)
@given(content=CONTENT, ending=ENDINGS)
def test_any_file_is_read_whole_or_refused(tmp_path_factory: Any, content: bytes, ending: str) -> None:
    """Every row has the same variables, and every value can be sent, stored and written into YAML."""
    folder = tmp_path_factory.getbasetemp()
    (folder / f"fuzzed{ending}").write_bytes(content)
    found = read(folder, f"fuzzed{ending}")
    for row in found.rows if found else ():
        assert row.keys() == found.rows[0].keys() if found else False
        assert all(re.fullmatch(VARIABLE_PATTERN, name) for name in row)
        assert all(find_no_text(str(value)) is None for value in row.values())


@fuzz(examples=20)
@given(
    rows=st.lists(st.tuples(SEEN, TEXT), min_size=1, max_size=5),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    n_more=st.integers(0, 2),
)
def test_what_a_csv_writer_writes_is_read_as_it_was(
    tmp_path_factory: Any, rows: list[tuple[str, str]], separator: str, end: str, encoding: str, n_more: int
) -> None:
    """Whatever is in the cells: separators, quotes, line ends, any letters."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    more = [""] * n_more
    writer.writerows([["scene", "light", *more], *[[*row, *more] for row in rows], ["", "", *more]])
    file = tmp_path_factory.getbasetemp() / "written.csv"
    file.write_bytes(stream.getvalue().encode(encoding))
    assert read_rows(file.parent, file.name) == Rows(
        [{"scene": scene, "light": light} for scene, light in rows],
        read_rows(file.parent, file.name).places,
        n_blank=1,
    )


@fuzz(examples=20)
@given(
    rows=st.lists(
        st.tuples(TEXT, st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)),
        min_size=1,
        max_size=5,
    )
)
def test_what_a_json_writer_writes_is_read_as_it_was(
    tmp_path_factory: Any, rows: list[tuple[str, Any]]
) -> None:
    """With its types."""
    wanted = [{"scene": scene, "price": price} for scene, price in rows]
    file = tmp_path_factory.getbasetemp() / "written.jsonl"
    file.write_text(
        "".join(f"{json.dumps(row, ensure_ascii=bool(index % 2))}\n" for index, row in enumerate(wanted)),
        "utf-8",
    )
    assert read_rows(file.parent, file.name).rows == wanted


@fuzz(examples=15)
@given(
    names=st.lists(st.binary(min_size=1, max_size=12).filter(lambda name: not {0, 47} & {*name}), max_size=4),
    ending=st.sampled_from([b".png", b".JPG", b".webp", b"", b".png "]),
    pattern=st.sampled_from(
        ["", ".", "*", "*.png", "**/*", "**", "[", "*[a", "***", "?*", "./*", "../*/*", "~", "~\0", "{"]
    )
    | st.text("*?[].~{%#a!-/\0", max_size=8),
)
def test_any_folder_and_pattern_are_read_or_refused(
    tmp_path_factory: Any, names: list[bytes], ending: bytes, pattern: str
) -> None:
    """File names are bytes, and patterns have a language of their own."""
    folder = tmp_path_factory.mktemp("folder")
    for name in names:
        if name not in (b".", b".."):
            Path(os.fsdecode(os.fsencode(folder) + b"/" + name + ending)).write_bytes(b"")
    if not pattern.startswith("/"):
        read(folder, pattern)
