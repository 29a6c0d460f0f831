"""Reading rows from a file: CSV, JSON lines, parquet, or the pictures of a folder.

Values are text, numbers, true or false. A null, a column that is missing or occurs twice, and anything nested
is a fault with its line, because the prompt would be incomplete and would still be paid for.
"""

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.attachments.near_files import near_file
from tasks.attachments.paths import find_address
from tasks.campaign_file.csv_rows import read_csv
from tasks.campaign_file.json_rows import read_json_lines
from tasks.campaign_file.parquet_rows import read_parquet
from tasks.campaign_file.row_values import Row, Rows, RowsFaultError, fault_at
from tasks.limits import ROWS_BYTES
from tasks.storage.given_path import expand_home
from tasks.storage.regular_file import read_regular, require_regular
from tasks.text import escape_unprintable, find_no_text

ACCEPTED = (
    "a .csv with the variables in its first line, a .jsonl with one mapping per line, a .parquet, "
    "or a folder of pictures"
)
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_WILD = "*?["
_READERS = {".csv": read_csv, ".jsonl": read_json_lines, ".ndjson": read_json_lines}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_rows(folder: Path, name: str) -> Rows:
    """Read the rows that a campaign's ``rows`` names.

    Args:
        folder: Where the campaign file is.
        name: A file, a folder of pictures or a pattern such as ``products/*.png``, relative to it; ``~`` is
            the user's home. Pictures become rows of ``file``, the path relative to the campaign, and
            ``name``, the file's name without its ending; they are sorted by path, and hidden files are
            left out.

    Raises:
        RowsFaultError: It cannot be read, has no rows, or a row is incomplete.
    """
    if address := find_address(name):
        raise RowsFaultError(address)
    path = folder / expand_home(name)
    try:
        if path.is_dir():
            return _pictures(folder, path, path.iterdir(), path)
        if any(letter in name for letter in _WILD) and not path.exists():
            return _pictures(folder, path, *_matches(path))
        found = _read_file(path)
    except (OSError, ValueError) as error:
        if isinstance(error, RowsFaultError):
            raise
        shown = escape_unprintable(str(path))
        if isinstance(error, FileNotFoundError):
            message = f"there is no file {shown}{near_file(path)}"
            raise RowsFaultError(message, ACCEPTED) from error
        message = f"{shown} cannot be read ({escape_unprintable(_reason(error))})"
        raise RowsFaultError(message) from error
    if not found.rows:
        message = f"{escape_unprintable(str(path))} has no rows"
        raise RowsFaultError(message, "a line of values or more, below the variables' names")
    return found


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _read_file(path: Path) -> Rows:
    ending = path.suffix.lower()
    if ending == ".parquet":
        require_regular(path, ROWS_BYTES)
        return read_parquet(path)
    reader = _READERS.get(ending)
    if reader is None:
        message = f"{escape_unprintable(str(path))} is not a kind of file that rows can be read from"
        raise RowsFaultError(message, ACCEPTED)
    return reader(path, decode_text(path, read_regular(path, ROWS_BYTES)))


def decode_text(file: Path, data: bytes) -> str:
    """Decode a file's text: UTF-8, or another encoding that its first bytes name."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise fault_at(file, line, what, "UTF-8: export it as “CSV UTF-8”, or save it in UTF-8") from error


def _matches(pattern: Path) -> tuple[Iterator[Path], Path]:
    """Find the files that a pattern names, and the folder below which it is one.

    A folder that exists is taken by its name, though it has brackets: ``pictures[2026]/*.png``.
    """
    below, parts = Path(pattern.anchor), list(pattern.parts[1:])
    while len(parts) > 1 and (below / parts[0]).is_dir():
        below /= parts.pop(0)
    return below.glob("/".join(parts)), below


def _pictures(folder: Path, path: Path, files: Iterable[Path], below: Path) -> Rows:
    found = sorted(
        file
        for file in files
        if file.suffix.lower() in PICTURE_ENDINGS
        and not _is_hidden(file.relative_to(below))
        and file.is_file()
    )
    if not found:
        message = f"{escape_unprintable(str(path))} has no pictures"
        raise RowsFaultError(message, "png, jpeg or webp files in it")
    shown = [str(file.relative_to(folder) if file.is_relative_to(folder) else file) for file in found]
    if odd := next(filter(find_no_text, shown), None):
        message = f"the name of {escape_unprintable(odd)} is not UTF-8; rename the file"
        raise RowsFaultError(message)
    rows: list[Row] = [{"file": name, "name": file.stem} for name, file in zip(shown, found, strict=True)]
    return Rows(rows, shown)


def _is_hidden(path: Path) -> bool:
    """Return whether a file or a folder above it is hidden, as those are that macOS puts beside pictures."""
    return any(part.startswith(".") for part in path.parts)
