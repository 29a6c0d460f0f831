"""Files that people name: regular ones are read, everything else is refused at once."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.storage.regular_file import (
    UnusableFileError,
    open_regular,
    read_regular,
    read_regular_text,
    require_regular,
)


def test_a_regular_file_is_read_also_through_a_link(tmp_path: Path) -> None:
    """Up to its limit, the last byte included."""
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 5) == b"12345"
    with open_regular(str(tmp_path / "file"), 5) as opened:
        assert opened.read() == b"12345"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
@pytest.mark.parametrize(
    ("make", "kind"),
    [(_pipe, "a pipe"), (_socket, "a socket"), (_zero, "a device"), (Path.mkdir, "a folder")],
)
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], kind: str
) -> None:
    """A pipe without a writer does not make the reader wait, and a device is not read without end."""
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 bytes
    file = tmp_path / "it"
    make(file)
    for read in (read_regular, open_regular, require_regular):
        with pytest.raises(UnusableFileError, match=f"it is {kind}, not a regular file"):
            read(file, 1_000)


def test_a_file_above_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    """A terabyte of holes is refused without reading it."""
    with (tmp_path / "large").open("wb") as large:
        large.truncate(2**40)
    with pytest.raises(UnusableFileError, match=r"1,099,511,627,776 bytes or more; at most 1,000 are read"):
        read_regular(tmp_path / "large", 1_000)


def test_a_file_that_does_not_know_its_size_is_read_up_to_the_limit() -> None:
    """Files of the system claim to be empty."""
    if not Path("/proc/cpuinfo").exists():
        pytest.skip("no such files on this system")
    with pytest.raises(UnusableFileError, match="more; at most 10 are read"):
        read_regular("/proc/cpuinfo", 10)


def test_a_missing_file_stays_a_missing_file(tmp_path: Path) -> None:
    """Callers tell it from an unusable one."""
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 10)


def test_text_is_utf_8_or_the_line_that_is_not_is_named(tmp_path: Path) -> None:
    """A byte order mark is no part of the text."""
    (tmp_path / "good").write_bytes("\ufeffcafé\n".encode())
    assert read_regular_text(tmp_path / "good", 100) == "café\n"
    (tmp_path / "old").write_bytes("one\ncafé\n".encode("cp1252"))
    with pytest.raises(UnusableFileError, match="is not UTF-8 text in line 2; save it as UTF-8"):
        read_regular_text(tmp_path / "old", 100)
