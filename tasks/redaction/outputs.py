"""What a process prints: without secrets, in whatever encoding its outputs have, and at no risk to its work.

None of it depends on who writes. What an encoding cannot express is written with ASCII signs, or as ``?``. An
output that cannot be written any more, a full disk or a pipe that nobody reads, leads nowhere from then on.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from tasks.redaction.known_secrets import hide_secrets

_NAMES = ("stdin", "stdout", "stderr")
_IN_ASCII = str.maketrans(
    {"·": "-", "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-", "×": "x", "±": "+-", "✓": "+", "✗": "x"}
)


@contextmanager
def redacted_outputs() -> Iterator[list[OSError]]:
    """Redact all that is written to standard output and error inside, tracebacks of threads included.

    Writing to them raises no ``OSError``. Where the process was started without them, they lead nowhere.

    Yields:
        Why outputs could not be written, as soon as that happens.
    """
    lost: list[OSError] = []
    with ExitStack() as opened:
        _occupy_closed_descriptors()
        before = sys.stdin, sys.stdout, sys.stderr
        stdin, *outputs = (one or opened.enter_context(_nowhere()) for one in before)
        out, err = (_RedactedStream(one, lost) for one in outputs)
        sys.stdin, sys.stdout, sys.stderr = stdin, out, err
        try:
            yield lost
        finally:
            for name, own, other in zip(_NAMES, (stdin, out, err), before, strict=True):
                if getattr(sys, name) is own:
                    setattr(sys, name, other)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("r+", encoding="utf-8")


def _occupy_closed_descriptors() -> None:
    """Keep a file that is opened later from becoming the standard output of libraries and child processes."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one


class _RedactedStream:
    """A text stream in front of another one. It has no ``buffer``, which would be a way round it."""

    def __init__(self, stream: TextIO, lost: list[OSError]) -> None:
        self._stream = stream
        self._lost = lost

    def write(self, text: str | bytes) -> int:
        """Write a text without secrets; returns the length of what was given. Bytes are UTF-8, as click's."""
        hidden = hide_secrets(text if isinstance(text, str) else text.decode(errors="replace"))
        try:
            try:
                self._stream.write(hidden)
            except UnicodeEncodeError:  # raised before anything of it is written
                self._stream.write(_in_encoding(hidden, self._stream.encoding))
        except OSError as fault:
            self._lose(fault)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        try:
            self._stream.flush()
        except OSError as fault:
            self._lose(fault)

    def _lose(self, fault: OSError) -> None:
        """Lead what is written from now on nowhere, and what is still to be flushed."""
        self._lost.append(fault)
        with suppress(OSError), _nowhere() as nowhere:  # a stream without a descriptor goes on failing
            os.dup2(nowhere.fileno(), self._stream.fileno())

    def writelines(self, lines: Any) -> None:  # noqa: ANN401 - as a stream's
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __iter__(self) -> Any:  # noqa: ANN401 - whatever the stream yields
        return iter(self._stream)


def _in_encoding(text: str, encoding: str) -> str:
    return text.translate(_IN_ASCII).encode(encoding, errors="replace").decode(encoding)
