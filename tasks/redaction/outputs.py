"""What a process prints: without secrets, and in whatever encoding its standard output and error have.

Neither depends on who writes. What an encoding cannot express is written with ASCII signs, or as ``?``.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tasks.redaction.known_secrets import hide_secrets

_IN_ASCII = str.maketrans(
    {"·": "-", "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-", "×": "x", "±": "+-", "✓": "+", "✗": "x"}
)


@contextmanager
def redacted_outputs() -> Iterator[None]:
    """Redact all that is written to standard output and error inside, tracebacks of threads included."""
    before = sys.stdout, sys.stderr
    out, err = (_RedactedStream(stream) if stream is not None else None for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        if sys.stdout is out:
            sys.stdout = before[0]
        if sys.stderr is err:
            sys.stderr = before[1]


class _RedactedStream:
    """A text stream in front of another one. It has no ``buffer``, which would be a way round it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str | bytes) -> int:
        """Write a text without secrets; returns the length of what was given. Bytes are UTF-8, as click's."""
        hidden = hide_secrets(text if isinstance(text, str) else text.decode(errors="replace"))
        try:
            self._stream.write(hidden)
        except UnicodeEncodeError:  # raised before anything of it is written
            self._stream.write(_in_encoding(hidden, self._stream.encoding))
        return len(text)

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
