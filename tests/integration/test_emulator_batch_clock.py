"""A batch is the same however often somebody looks at it: what the clock says, and nothing else."""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx2
import openai
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.emulator.app import create_app
from tasks.emulator.fault_kinds import (
    BATCH_FATES,
    BATCH_LINE_KINDS,
    DOWNLOAD_KINDS,
    IMAGE_KINDS,
    JUDGE_KINDS,
    STREAM_KINDS,
)
from tasks.emulator.faults import FAULT_KINDS, FaultRule
from tasks.emulator.settings import EmulatorSettings
from tests.support.batch_bench import BODY, LINE_NANOUSD, Clock, ids, jsonl, line

ORDER = [
    "validating",
    "in_progress",
    "finalizing",
    "cancelling",
    "completed",
    "expired",
    "cancelled",
    "failed",
]
LONG_S = 200.0


async def live(
    count: int, looks_s: list[float], cancel_s: float | None, rules: tuple[FaultRule, ...], window_s: float
) -> tuple[list[str], dict[str, Any], list[str], list[str], list[dict[str, Any]]]:
    """Live through a batch in process.

    Returns:
        The statuses seen, its end, the names in both files, and the bill's entries of its lines.
    """
    clock = Clock()
    app = create_app(
        EmulatorSettings(
            paint="plain",
            batch_pace_s=1,
            now_s=clock,
            faults=rules,
            batch_window_s=window_s,
            picture_by_client_request_id=True,
        )
    )
    start_s = clock.now_s
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http,
        openai.AsyncOpenAI(api_key="k", base_url="http://e/v1", max_retries=0, http_client=http) as client,
    ):
        text = jsonl(*(line(number) for number in range(count)))
        file = await client.files.create(file=("in.jsonl", text), purpose="batch")
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/images/generations", completion_window="24h"
        )
        statuses: list[str] = [batch.status]
        moments = [(at_s, False) for at_s in looks_s] + ([] if cancel_s is None else [(cancel_s, True)])
        for at_s, cancels in (*sorted(moments), (LONG_S, False)):
            clock.now_s = start_s + at_s
            if cancels and not (await client.batches.retrieve(batch.id)).completed_at:
                try:
                    batch = await client.batches.cancel(batch.id)
                except openai.ConflictError:
                    continue
            # Two callers at once see one batch.
            batch, twin = await asyncio.gather(*(client.batches.retrieve(batch.id) for _ in range(2)))
            assert batch == twin
            statuses.append(batch.status)
        names = []
        for id in (batch.output_file_id, batch.error_file_id):
            content = (await client.files.content(id)).text if id else ""
            names.append(ids([json.loads(text) for text in content.splitlines()]))
    entries = [entry.as_wire() for entry in app.state.emulator.bill.entries if entry.lane == "batch"]
    return statuses, batch.to_dict(), names[0], names[1], entries


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 6),
    looks_s=st.lists(st.floats(0, 12), max_size=5),
    cancel_s=st.none() | st.floats(0, 12),
    window_s=st.sampled_from([3.5, 86_400.0]),
    refused=st.sets(st.integers(1, 6), max_size=3),
)
def test_looking_does_not_change_a_batch(
    count: int, looks_s: list[float], cancel_s: float | None, window_s: float, refused: set[int]
) -> None:
    """Any looks give the same end; each line stands in at most one file, and finished good ones cost half."""
    rules = (FaultRule(kind="moderation", method="BATCH", nth=tuple(refused)),) if refused else ()
    often = asyncio.run(live(count, looks_s, cancel_s, rules, window_s))
    once = asyncio.run(live(count, [], cancel_s, rules, window_s))
    assert often[1:4] == once[1:4]
    statuses, end, good, bad, entries = often
    assert [ORDER.index(status) for status in statuses] == sorted(ORDER.index(status) for status in statuses)
    assert end["status"] in ("completed", "expired", "cancelled")
    assert max(Counter(good + bad).values(), default=0) <= 1
    if end["status"] != "cancelled":
        assert sorted(good + bad) == sorted(f"o-{number}" for number in range(count))
    assert (end["request_counts"]["completed"], end["request_counts"]["failed"]) == (len(good), len(bad))
    charged = {entry["custom_id"]: entry["charged_nanousd"] for entry in entries}
    assert {name: cost for name, cost in charged.items() if cost} == dict.fromkeys(good, LINE_NANOUSD)
    assert end["usage"]["output_tokens"] == 107 * len(good)


async def test_a_lines_own_name_can_decide_its_picture() -> None:
    """A line shows what a single request of that name shows, so the lane changes the price only."""
    app = create_app(EmulatorSettings(paint="plain", batch_pace_s=0, picture_by_client_request_id=True))
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http,
        openai.AsyncOpenAI(api_key="k", base_url="http://e/v1", max_retries=0, http_client=http) as client,
    ):
        file = await client.files.create(file=("in.jsonl", jsonl(line(0), line(1))), purpose="batch")
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/images/generations", completion_window="24h"
        )
        batch = await client.batches.retrieve(batch.id)
        text = (await client.files.content(batch.output_file_id or "")).text
        alone = await client.images.generate(**BODY, extra_headers={"X-Client-Request-Id": "o-1"})
    shown = {
        result["custom_id"]: result["response"]["body"]["data"][0]["b64_json"]
        for result in map(json.loads, text.splitlines())
    }
    assert shown["o-1"] == (alone.data or [])[0].b64_json != shown["o-0"]


def test_every_kind_of_fault_can_happen_somewhere() -> None:
    """No kind is left that no route looks at."""
    somewhere = (
        IMAGE_KINDS | STREAM_KINDS | DOWNLOAD_KINDS | BATCH_LINE_KINDS | JUDGE_KINDS | set(BATCH_FATES)
    )
    assert set(FAULT_KINDS) == somewhere | {"enqueued_limit", "batch_gone"}
