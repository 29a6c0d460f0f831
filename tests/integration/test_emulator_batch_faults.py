"""What can go wrong with files and batches: each fault does what it says, and the bill says what it cost."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from tests.support.batch_bench import (
    GENERATIONS,
    LINE_NANOUSD,
    Bench,
    ids,
    jsonl,
    line,
    lines,
    open_bench,
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    """One emulator for the whole file."""
    with open_bench() as bench:
        yield bench


@pytest.fixture
def bench(shared: Bench) -> Bench:
    """The emulator without faults."""
    shared.set()
    return shared


def upload(bench: Bench, count: int = 1) -> str:
    """Upload lines and name their file."""
    return bench.client.files.create(file=("in.jsonl", jsonl(*lines(count))), purpose="batch").id


def create(bench: Bench, file_id: str) -> str:
    """Create a batch of an uploaded file."""
    return bench.client.batches.create(
        input_file_id=file_id, endpoint=GENERATIONS, completion_window="24h"
    ).id


def done(bench: Bench, *rules: dict[str, Any], count: int = 6) -> Any:
    """A batch that met faults, at its end."""
    bench.set(*rules)
    return bench.look(bench.begin(*lines(count)), 60)


@pytest.mark.parametrize("kind", ["bill_then_hang", "bill_then_drop"])
def test_a_batch_whose_creation_was_never_answered_exists(bench: Bench, kind: str) -> None:
    """The client sees a broken connection; the list has the batch, with its file; it runs and is billed."""
    file_id = upload(bench)
    bench.set({"kind": kind, "path": "/v1/batches", "method": "POST", "times": 1})
    with pytest.raises(openai.APIConnectionError):
        create(bench, file_id)
    (found,) = [batch for batch in bench.client.batches.list() if batch.input_file_id == file_id]
    assert bench.look(found, 9).status == "completed"
    own = [entry for entry in bench.bill() if entry["batch_id"] == found.id and entry["lane"] == "batch"]
    assert [entry["charged_nanousd"] for entry in own] == [LINE_NANOUSD]


@pytest.mark.parametrize("rule", [{"kind": "drop"}, {"kind": "bill_then_hang", "billed": False}])
def test_a_batch_whose_creation_was_lost_does_not_exist(bench: Bench, rule: dict[str, Any]) -> None:
    """The same broken connection, but nothing is on the list."""
    file_id = upload(bench)
    bench.set(rule | {"path": "/v1/batches", "method": "POST"})
    with pytest.raises(openai.APIConnectionError):
        create(bench, file_id)
    assert file_id not in [batch.input_file_id for batch in bench.client.batches.list()]


@pytest.mark.parametrize(("billed", "is_kept"), [(None, True), (False, False)])
def test_an_upload_that_times_out_may_or_may_not_be_there(
    bench: Bench, billed: bool | None, is_kept: bool
) -> None:
    """The rule says whether the file was kept."""
    bench.set({"kind": "bill_then_hang", "path": "/v1/files", "method": "POST", "billed": billed})
    before = len(bench.client.files.list().data)
    with pytest.raises(openai.APITimeoutError):
        upload(bench)
    assert len(bench.client.files.list().data) - before == int(is_kept)


def test_a_full_queue_refuses_a_batch(bench: Bench) -> None:
    """Status 429 with the vendor's code; or the batch is taken and then fails with it."""
    file_id = upload(bench)
    bench.set(
        {"kind": "enqueued_limit", "times": 1}, {"kind": "batch_invalid", "code": "token_limit_exceeded"}
    )
    with pytest.raises(openai.RateLimitError, match="Enqueued token limit") as caught:
        create(bench, file_id)
    assert caught.value.code == "token_limit_exceeded"
    batch = bench.look(bench.client.batches.retrieve(create(bench, file_id)), 1)
    assert batch.errors is not None
    error = (batch.errors.data or [])[0]
    assert (batch.status, error.code, error.line) == ("failed", "token_limit_exceeded", None)
    assert "Enqueued token limit" in (error.message or "")


def test_a_batch_can_fail_its_check_on_demand(bench: Bench) -> None:
    """A line and a code, no results and no charge."""
    batch = done(bench, {"kind": "batch_invalid"})
    assert (batch.status, batch.errors.data[0].code, batch.errors.data[0].line) == (
        "failed", "invalid_json_line", 1,
    )  # fmt: skip
    assert (batch.output_file_id, batch.error_file_id) == (None, None)


def test_a_batch_whose_lines_all_fail_has_an_error_file_only(bench: Bench) -> None:
    """Completed, and yet there is no output file."""
    batch = done(bench, {"kind": "batch_all_failed"}, count=3)
    assert (batch.status, batch.output_file_id) == ("completed", None)
    assert (batch.request_counts.completed, batch.request_counts.failed) == (0, 3)
    assert {result["response"]["status_code"] for result in bench.lines(batch.error_file_id)} == {500}
    own = [entry for entry in bench.bill() if entry["batch_id"] == batch.id and entry["lane"] == "batch"]
    assert {entry["charged_nanousd"] for entry in own} == {0}


def test_results_come_in_another_order(bench: Bench) -> None:
    """Reversed for certain on demand."""
    batch = done(bench, {"kind": "batch_reversed"}, count=3)
    assert ids(bench.lines(batch.output_file_id)) == ["o-2", "o-1", "o-0"]


def test_a_line_comes_twice_or_not_at_all_and_is_charged_once(bench: Bench) -> None:
    """Doubled: one name stands twice, with the same picture. Missing: in neither file."""
    batch = done(bench, {"kind": "batch_line_doubled"}, count=4)
    names = ids(results := bench.lines(batch.output_file_id))
    assert (len(names), len(set(names))) == (5, 4)
    (twice,) = {name for name in names if names.count(name) == 2}
    pictures = [result["response"] for result in results if result["custom_id"] == twice]
    assert pictures[0] == pictures[1]
    missing = done(bench, {"kind": "batch_line_missing"}, count=4)
    assert len(bench.lines(missing.output_file_id)) == 3
    assert (missing.error_file_id, missing.request_counts.completed) == (None, 4)
    for one in (batch, missing):
        own = [entry for entry in bench.bill() if entry["batch_id"] == one.id and entry["lane"] == "batch"]
        assert [entry["charged_nanousd"] for entry in own] == [LINE_NANOUSD] * 4


def test_a_truncated_line_leaves_the_others_whole(bench: Bench) -> None:
    """One line is no JSON."""
    batch = done(bench, {"kind": "batch_line_truncated"}, count=3)
    whole = 0
    for text in bench.client.files.content(batch.output_file_id).iter_lines():
        try:
            whole += bool(json.loads(text))
        except ValueError:
            assert text.startswith('{"id": "batch_req_')
    assert whole == 2


def test_a_download_breaks_in_the_middle_and_can_be_repeated(bench: Bench) -> None:
    """Half of the lines arrive, then the connection breaks; the second time all do."""
    batch = done(bench, {"kind": "download_cut", "times": 1})
    got: list[str] = []
    url = f"{bench.root}/v1/files/{batch.output_file_id}/content"
    with (
        httpx2.stream("GET", url, headers={"Authorization": "Bearer k"}) as answer,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        got.extend(answer.iter_lines())
    assert len(got) == 3
    answered = [e["is_answered"] for e in bench.bill() if e["batch_id"] == batch.id and e["lane"] == "batch"]
    assert sum(answered) == 3
    assert len(bench.lines(batch.output_file_id)) == 6
    bench.set({"kind": "download_cut", "times": 1})
    with pytest.raises(openai.APIConnectionError):
        bench.client.files.content(batch.output_file_id)


def test_a_batch_and_a_file_can_disappear(bench: Bench) -> None:
    """Status 404, for as long as the rule holds."""
    batch = done(bench)
    bench.set({"kind": "batch_gone", "times": 1}, {"kind": "file_gone", "times": 1})
    with pytest.raises(openai.NotFoundError, match="No batch found"):
        bench.look(batch)
    with pytest.raises(openai.NotFoundError, match="No such File"):
        bench.lines(batch.output_file_id)
    assert len(bench.lines(bench.look(batch).output_file_id)) == 6


def test_several_fates_meet_in_one_batch(bench: Bench) -> None:
    """Half-way expired, with one of the finished lines doubled."""
    batch = done(bench, {"kind": "batch_expires"}, {"kind": "batch_line_doubled"})
    assert batch.status == "expired"
    assert (len(bench.lines(batch.output_file_id)), len(bench.lines(batch.error_file_id))) == (4, 3)


def test_faults_of_single_lines(bench: Bench) -> None:
    """A server error, a lost line, an empty answer and a spoiled one, by the prompt; billed as each says."""
    bench.set(
        {"kind": "server_error", "method": "BATCH", "prompt": "^a$"},
        {"kind": "bill_then_drop", "method": "BATCH", "prompt": "^b$"},
        {"kind": "empty_data", "method": "BATCH", "prompt": "^c$", "billed": True},
        {"kind": "missing_usage", "method": "BATCH", "prompt": "^d$"},
        {"kind": "empty_data", "method": "BATCH", "prompt": "^e$"},
    )
    batch = bench.begin(*(line(number, prompt=prompt) for number, prompt in enumerate("abcde")))
    batch = bench.look(batch, 60)
    good = {result["custom_id"]: result["response"]["body"] for result in bench.lines(batch.output_file_id)}
    bad = {result["custom_id"]: result for result in bench.lines(batch.error_file_id)}
    assert (sorted(good), sorted(bad)) == (["o-2", "o-3", "o-4"], ["o-0", "o-1"])
    assert [good[name]["data"] for name in ("o-2", "o-4")] == [[], []]
    assert ["usage" in good[name] for name in ("o-2", "o-4")] == [True, False]
    assert "usage" not in good["o-3"]
    assert bad["o-0"]["response"]["status_code"] == 500
    assert (bad["o-1"]["response"], bad["o-1"]["error"]["code"]) == (None, "server_error")
    own = [entry for entry in bench.bill() if entry["batch_id"] == batch.id and entry["lane"] == "batch"]
    assert [entry["charged_nanousd"] > 0 for entry in own] == [False, True, True, True, False]
    assert [entry["fault"] for entry in own] == [
        "server_error", "bill_then_drop", "empty_data", "missing_usage", "empty_data",
    ]  # fmt: skip


def test_faults_of_batches_leave_the_images_endpoints_alone(bench: Bench) -> None:
    """A rule of a kind that cannot happen to a request is not even counted there."""
    bench.set({"kind": "batch_expires"}, {"kind": "download_cut"}, {"kind": "stream_drop"})
    assert bench.client.images.generate(model="gpt-image-2", prompt="a", size="1024x640", quality="low").data
    assert httpx2.get(f"{bench.root}/_faults").json()["fired"] == [0, 0, 0]
