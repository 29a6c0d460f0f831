"""Whatever a provider sends is read or named: no exception, and within a time and a memory limit."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tasks.images_api.answers import Answer, read_answer
from tasks.images_api.batch_lane.lines import ResultLine, read_line, split_lines
from tasks.images_api.error_body import find_request_id
from tasks.images_api.failures import Failure, FailureKind, failure_of_answer
from tasks.images_api.fragments import readable_part
from tasks.images_api.questions import read_reply
from tasks.images_api.waits import retry_after_s
from tasks.judging.duels import RESULTS, read_duel_answer
from tasks.judging.rubric import read_rubric_answer
from tests.support.emulator_client import png
from tests.support.fuzzing import bounded, fuzz
from tests.support.shop import order_of

PICTURE = png((8, 8))
ENCODED = base64.b64encode(PICTURE).decode()
KEYS = st.sampled_from(
    [
        "data",
        "b64_json",
        "url",
        "usage",
        "error",
        "errors",
        "message",
        "code",
        "type",
        "detail",
        "innererror",
        "content_filter_result",
        "filtered",
        "categories",
        "moderation_details",
        "choices",
        "content",
        "text",
        "refusal",
        "finish_reason",
        "statement_1",
        "statement_2",
        "overall",
        "grade",
        "answer",
        "better",
        "custom_id",
        "response",
        "status_code",
        "body",
        "request_id",
        "input_tokens_details",
        "output_tokens",
    ]
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    [
        ENCODED,
        "yes",
        "No.",
        "first",
        "good",
        "invalid_api_key",
        "contentFilter",
        "429",
        "\ud83d",
        "\x1b[2J",
        "{" * 3000,
        "[" * 100_000,
        '{"error": ' * 5000,
        "<" * 50_000,
        "Limit 9, Requested " + "9" * 5000,
        "try again in " + "9" * 400,
        "safety_violations=[" + "a," * 5000,
        "sk-" * 20_000,
        "request id " * 5000,
        "用户额度不足",
        "1h2m" * 5000,
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=12,
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "location", "content-type", "x-request-id"]),
    TEXTS,
)
STATUSES = st.sampled_from([200, 301, 400, 401, 403, 404, 429, 500, 503, 524]) | st.integers(100, 599)


@fuzz(examples=25)
@given(status=STATUSES, body=JSON, headers=HEADERS, text=TEXTS)
def test_any_failure_has_a_kind_a_code_and_a_message(
    status: int, body: object, headers: dict[str, str], text: str
) -> None:
    """Whatever its body and its headers say."""
    with bounded():
        found = failure_of_answer(status, body, headers, text)
        wait_s = retry_after_s(headers, text)
        find_request_id(headers, text)
    assert isinstance(found.kind, FailureKind)
    assert 0 < len(found.code) <= 64
    assert len(found.message) <= 500
    assert wait_s is None or 0 <= wait_s < float("inf")


@fuzz(examples=25)
@given(body=JSON, headers=HEADERS)
def test_any_answer_is_pictures_or_a_failure(body: object, headers: dict[str, str]) -> None:
    """And of a question: words or a failure."""
    with bounded():
        answers = [read_answer(body, headers, order_of(n=2), 196), read_reply(body, headers)]
    assert all(isinstance(answer, Answer | Failure) for answer in answers)


@fuzz(examples=25)
@given(
    before=TEXTS,
    after=TEXTS | st.binary(max_size=40).map(lambda data: data.decode("latin-1")),
    cut=st.integers(0, 90),
)
def test_a_picture_that_is_whole_in_a_broken_text_is_found(before: str, after: str, cut: int) -> None:
    """Whatever stands before and behind it, and wherever the rest is cut."""
    item = json.dumps({"b64_json": ENCODED})
    text = json.dumps(before)[:cut].replace("b64_json", "") + f'{{"data": [{item}, {after}'
    with bounded():
        part = readable_part(text, has_pictures=True)
    assert part is not None
    data: Any = part["data"]
    assert {"b64_json": ENCODED} in data


@fuzz(examples=25)
@given(text=TEXTS | JSON.map(json.dumps), has_pictures=st.booleans())
def test_any_text_is_searched(text: str, has_pictures: bool) -> None:
    """Without an exception."""
    with bounded():
        assert isinstance(readable_part(text, has_pictures=has_pictures), dict | None)


@fuzz(examples=25)
@given(content=TEXTS | JSON.map(json.dumps) | st.tuples(TEXTS, JSON.map(json.dumps), TEXTS).map("".join))
@example(content='{"better": "first"}')
def test_any_reply_of_a_judge_is_a_verdict_or_none(content: str) -> None:
    """A model may write what it likes."""
    with bounded():
        rubric, duel = read_rubric_answer(content, 2), read_duel_answer(content)
    assert rubric is None or rubric.value is None or 0 <= rubric.value <= 1
    assert duel is None or duel in RESULTS.values()


async def _pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@fuzz(examples=25)
@given(
    lines=st.lists(
        st.binary(max_size=60)
        | st.fixed_dictionaries({"custom_id": TEXTS, "response": JSON, "error": JSON})
        .map(json.dumps)
        .map(str.encode),
        max_size=4,
    ),
    size=st.integers(1, 1000),
)
def test_any_file_of_results_is_read_line_by_line(lines: list[bytes], size: int) -> None:
    """No line is longer than there may be, and each is a result or nobody's."""

    async def read() -> list[bytes]:
        return [line async for line in split_lines(_pieces(b"\n".join(lines), size), 50_000)]

    with bounded():
        found = asyncio.run(read())
        results = [read_line(line) for line in found]
    assert all(len(line) <= 50_000 for line in found)
    assert all(isinstance(result, ResultLine | None) for result in results)
