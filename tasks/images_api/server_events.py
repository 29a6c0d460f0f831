"""Reads the events of an answer of the type ``text/event-stream`` as its bytes arrive.

Read here and not by the SDK, whose readers of a stream leave one another to the garbage collector where an
answer is not read to its end, each with a hold on the connection. Source: the HTML standard, server-sent
events.
"""

import codecs
import io


class EventReader:
    """Splits a stream into the data of its events; names, ids and comments are passed over."""

    def __init__(self) -> None:
        text = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(text, translate=True)
        self._rest: list[str] = []
        self._data: list[str] = []

    def read(self, piece: bytes) -> list[str]:
        """Return the data of the events that end in the next piece."""
        return self._read(self._decoder.decode(piece))

    def end(self) -> list[str]:
        """Return the data of an event that the stream's end ended, in place of an empty line."""
        return self._read(self._decoder.decode(b"", final=True) + "\n\n")

    def _read(self, text: str) -> list[str]:
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = "".join([*self._rest, lines[0]])
            self._rest.clear()
        self._rest.append(rest)  # a picture comes in thousands of pieces, which are joined once
        ended = []
        for line in lines:
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            elif not line:
                ended.append("\n".join(self._data))
                self._data.clear()
        return [data for data in ended if data]
