"""The lines of a batch's files, whatever comes in them and however the download is cut into pieces."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.images_api.batch_lane.lines import ResultLine, read_line, request_line, split_lines
from tests.support.batch_shop import batch_order

A_LINE = st.binary(max_size=30).filter(lambda line: b"\n" not in line)


async def _pieces(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    for start, end in zip([0, *ends], [*ends, len(data)], strict=True):
        yield data[start:end]


@given(lines=st.lists(A_LINE), cuts=st.lists(st.integers(0, 10_000)), has_end=st.booleans())
def test_lines_are_the_same_however_the_download_is_cut(
    lines: list[bytes], cuts: list[int], has_end: bool
) -> None:
    """Only line feeds end a line, and the last one may lack its own."""
    data = b"\n".join(lines) + (b"\n" if has_end and lines else b"")

    async def read() -> list[bytes]:
        return [line async for line in split_lines(_pieces(data, cuts), 10**6)]

    expected = data.split(b"\n")
    assert asyncio.run(read()) == (expected if expected[-1] else expected[:-1])


def test_only_the_beginning_of_an_endless_line_is_kept() -> None:
    """The next line is whole again."""

    async def read() -> list[bytes]:
        pieces = _pieces(b'{"custom_id": "o-1", ' + b"x" * 1000 + b"\n{}\n", [7, 300])
        return [line async for line in split_lines(pieces, 30)]

    first, second = asyncio.run(read())
    assert (first, second) == (b'{"custom_id": "o-1", xxxxxxxxx', b"{}")
    assert read_line(first) == ResultLine("o-1", 200, first.decode(), is_broken=True)


def test_a_line_names_its_order_and_its_pictures_by_the_providers_ids() -> None:
    """The JSON body of a generation is what is sent one by one."""
    order = batch_order()
    line = json.loads(request_line(order, {}))
    assert line["custom_id"] == order.order_id
    assert (line["method"], line["url"]) == ("POST", "/v1/images/generations")
    assert line["body"] == {"prompt": order.prompt, **order.parameters}
    assert request_line(order, {}).count(b"\n") == 1


@pytest.mark.parametrize("line", [b"", b"{", b"[" * 100_000, b"[]", b"{}", b'{"custom_id": 1}', b"\xff"])
def test_a_line_that_names_nobody_is_none(line: bytes) -> None:
    """What cannot be read settles nothing."""
    assert read_line(line) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"response": {"status_code": 200, "request_id": "req", "body": {"data": []}}},
            ResultLine("o", 200, {"data": []}, "req"),
        ),
        ({"response": {"status_code": 400, "request_id": 7}}, ResultLine("o", 400)),
        (
            {"response": {"status_code": "200"}, "error": {"code": "lost", "message": "Gone."}},
            ResultLine("o", None, error_code="lost", error_message="Gone."),
        ),
        (
            {"response": None, "error": None},
            ResultLine("o", None, error_code="no_answer", error_message="There was no answer."),
        ),
    ],
)
def test_a_line_is_read_for_what_it_says(facts: dict[str, object], expected: ResultLine) -> None:
    """An answer with its status, or why there is none; odd shapes count as no answer."""
    assert read_line(json.dumps({"custom_id": "o", **facts}).encode()) == expected
