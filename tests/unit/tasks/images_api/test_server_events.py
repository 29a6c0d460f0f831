"""The events of a stream, however their bytes are cut into pieces."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from tasks.images_api.server_events import EventReader

LINES = st.sampled_from(
    ["data: {1}", "data:ö", "data", "data:", "event: x", ": more", "id", "", "", "data:  a:b"]
)
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])


def read(*pieces: bytes) -> list[str]:
    """Read a stream that comes in these pieces."""
    reader = EventReader()
    return [data for piece in pieces for data in reader.read(piece)] + reader.end()


@given(lines=st.lists(LINES), ending=ENDINGS, cuts=st.lists(st.integers(0, 10_000)))
def test_events_are_the_same_however_a_stream_is_cut(lines: list[str], ending: str, cuts: list[int]) -> None:
    """Also inside a character and between the two halves of a line's end; and as the SDK reads them."""
    stream = "".join(line + ending for line in [*lines, "", ""]).encode()
    ends = sorted(cut % (len(stream) + 1) for cut in cuts)
    pieces = [stream[start:end] for start, end in zip([0, *ends], [*ends, len(stream)], strict=True)]
    theirs: list[Any] = list(SSEDecoder().iter_bytes(iter([stream])))
    assert read(*pieces) == [event.data for event in theirs if event.data]


def test_the_end_of_a_stream_ends_its_last_event() -> None:
    """What was paid may be in it; bytes that are no text do not break the reading."""
    assert read(b"\xef\xbb\xbfdata: a\n\nevent: x\n\ndata: b\ndata: \xff") == ["a", "b\n\ufffd"]
