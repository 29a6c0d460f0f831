"""Opening files that people name: only regular ones, and only up to a size.

A pipe would make the reader wait for ever, and a device such as ``/dev/zero`` never ends. Every file that a
person names, in a command, a campaign or the environment, is opened here.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_PIECE_BYTES = 1_000_000
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # what was replaced by a pipe since it was looked at must not block either
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class UnusableFileError(OSError):
    """A file is not a regular file, or is larger than accepted; the message says which."""


def require_regular(file: Path | str, limit_bytes: int) -> None:
    """Check a file that a library opens by its path.

    Args:
        file: The file; a link to one is accepted.
        limit_bytes: The largest accepted size, bytes.

    Raises:
        UnusableFileError: It is a folder, a pipe, a socket or a device, or is larger.
        OSError: It is missing or cannot be read.
    """
    _check(file, os.stat(file), limit_bytes)  # noqa: PTH116 - a path or its text


def open_regular(file: Path | str, limit_bytes: int) -> BinaryIO:
    """Open a file for reading bytes; the caller closes it.

    Args:
        file: The file; a link to one is accepted.
        limit_bytes: The largest accepted size, bytes.

    Raises:
        UnusableFileError: It is a folder, a pipe, a socket or a device, or is larger.
        OSError: It is missing or cannot be read.
    """
    require_regular(file, limit_bytes)  # before it is opened: to open a device may already do something
    descriptor = os.open(file, _FLAGS)
    try:
        _check(file, os.fstat(descriptor), limit_bytes)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_regular(file: Path | str, limit_bytes: int) -> bytes:
    """Read all bytes of a file.

    Args:
        file: The file; a link to one is accepted.
        limit_bytes: The largest accepted size, bytes.

    Raises:
        UnusableFileError: It is a folder, a pipe, a socket or a device, or is larger, also when it grows
            while it is read.
        OSError: It is missing or cannot be read.
    """
    with open_regular(file, limit_bytes) as opened:
        # Not up to the limit at once: that many bytes of memory would be taken for any file.
        content = opened.read(os.fstat(opened.fileno()).st_size + 1)
        while len(content) <= limit_bytes and (more := opened.read(_PIECE_BYTES)):
            content += more
    if len(content) > limit_bytes:
        raise _too_large(file, len(content), limit_bytes)
    return content


def read_regular_text(file: Path | str, limit_bytes: int) -> str:
    """Read a text file, which is UTF-8 with or without a byte order mark; see ``read_regular``.

    Raises:
        UnusableFileError: As above, or it is not UTF-8; the message names the line.
        OSError: It is missing or cannot be read.
    """
    content = read_regular(file, limit_bytes)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{file} is not UTF-8 text in line {line}; save it as UTF-8"
        raise UnusableFileError(message) from error


def _check(file: Path | str, facts: os.stat_result, limit_bytes: int) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(facts.st_mode)), "something else")
        message = f"{file} is {kind}, not a regular file"
        raise UnusableFileError(message)
    if facts.st_size > limit_bytes:
        raise _too_large(file, facts.st_size, limit_bytes)


def _too_large(file: Path | str, n_bytes: int, limit_bytes: int) -> UnusableFileError:
    return UnusableFileError(f"{file} has {n_bytes:,} bytes or more; at most {limit_bytes:,} are read")
