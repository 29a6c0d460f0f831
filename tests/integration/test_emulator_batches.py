"""Files and batches of the emulator, by the official client: life, bill and refusals."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Batch as OpenAIBatch
from openai.types import FileDeleted, FileObject, ImagesResponse
from PIL import Image

from tasks.emulator.app import create_app
from tasks.emulator.settings import EmulatorSettings
from tests.support.batch_bench import (
    EDITS,
    GENERATIONS,
    LINE_NANOUSD,
    Bench,
    Clock,
    ids,
    jsonl,
    line,
    lines,
    open_bench,
    png,
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


def test_a_batch_goes_through_its_life_as_the_clock_says(bench: Bench) -> None:
    """Validating, in progress, finalizing, completed; counts and times as it goes, and no file too early."""
    batch = bench.begin(*lines(3), metadata={"run": "r-1"})
    assert isinstance(batch, OpenAIBatch)
    seen: list[tuple[str, int | None]] = [(batch.status, None)]
    for _ in range(5):
        batch = bench.look(batch, 1)
        assert batch.request_counts is not None
        seen.append((batch.status, batch.request_counts.completed))
        if batch.status != "completed":
            assert batch.output_file_id is None
    assert seen == [
        ("validating", None), ("in_progress", 0), ("in_progress", 1), ("in_progress", 2), ("finalizing", 3),
        ("completed", 3),
    ]  # fmt: skip
    assert (batch.metadata, batch.model, batch.error_file_id, batch.errors) == (
        {"run": "r-1"}, "gpt-image-2", None, None,
    )  # fmt: skip
    assert batch.created_at < (batch.in_progress_at or 0) < (batch.finalizing_at or 0)
    assert (batch.finalizing_at or 0) < (batch.completed_at or 0) < (batch.expires_at or 0)
    assert batch.usage is not None
    assert (batch.usage.input_tokens, batch.usage.output_tokens) == (3 * 8, 3 * 107)


def test_a_batchs_lines_cost_half_and_stand_on_the_bill(bench: Bench) -> None:
    """Each line has its own entry with its names; it is answered once its file has been downloaded."""
    batch = bench.look(bench.begin(*lines(4)), 20)
    own = [entry for entry in bench.bill() if entry["batch_id"] == batch.id and entry["lane"] == "batch"]
    assert [entry["custom_id"] for entry in own] == ["o-0", "o-1", "o-2", "o-3"]
    assert {entry["charged_nanousd"] for entry in own} == {LINE_NANOUSD}
    assert not any(entry["is_answered"] for entry in own)
    bench.client.images.generate(model="gpt-image-2", prompt="a fox", size="1024x640", quality="low")
    whole = bench.bill()[-1]
    assert (whole["lane"], whole["charged_nanousd"]) == ("interactive", 2 * LINE_NANOUSD)
    results = bench.lines(batch.output_file_id)
    assert sorted(ids(results)) == ["o-0", "o-1", "o-2", "o-3"] != ids(results)
    own = [entry for entry in bench.bill() if entry["batch_id"] == batch.id and entry["lane"] == "batch"]
    assert all(entry["is_answered"] for entry in own)
    assert {line["response"]["request_id"] for line in results} == {entry["request_id"] for entry in own}
    for result in results:
        assert (result["error"], result["response"]["status_code"]) == (None, 200)
        answer = ImagesResponse.model_validate(result["response"]["body"])
        picture = base64.b64decode((answer.data or [])[0].b64_json or "")
        assert Image.open(io.BytesIO(picture)).size == (1024, 640)
    assert bench.lines(batch.output_file_id) == results
    file = bench.client.files.retrieve(batch.output_file_id or "")
    assert file.bytes == len(bench.client.files.content(file.id).content)
    assert file.purpose == "batch_output"


def test_edits_run_in_a_batch_with_files_and_data_urls(bench: Bench) -> None:
    """References and masks by either link; a file deleted after the batch began is still read."""
    picture, mask = png((1024, 1024)), png((1024, 1024), "RGBA")
    files = [
        bench.client.files.create(file=(f"{name}.png", data, "image/png"), purpose="vision")
        for name, data in (("a", picture), ("m", mask))
    ]
    link = "data:image/png;base64," + base64.b64encode(picture).decode()
    batch = bench.begin(
        line(0, EDITS, images=[{"file_id": files[0].id}], mask={"file_id": files[1].id}),
        line(1, EDITS, images=[{"image_url": link}, {"file_id": files[0].id}]),
        line(2, EDITS, images=[{"file_id": "file-gone"}]),
        line(3, EDITS),
        endpoint=EDITS,
    )
    bench.look(batch, 20)
    assert bench.client.files.delete(files[0].id).deleted
    batch = bench.look(batch)
    tokens = {
        result["custom_id"]: result["response"]["body"]["usage"]["input_tokens_details"]["image_tokens"]
        for result in bench.lines(batch.output_file_id)
    }
    assert tokens == {"o-0": 1024, "o-1": 2048}
    errors = {result["custom_id"]: result["response"] for result in bench.lines(batch.error_file_id)}
    assert {name: answer["status_code"] for name, answer in errors.items()} == {"o-2": 404, "o-3": 400}
    assert errors["o-3"]["body"]["error"]["code"] == "missing_required_parameter"


def test_what_is_refused_comes_in_the_error_file(bench: Bench) -> None:
    """Moderation, a wrong size, a stream: a status, the vendor's error, no charge."""
    bench.set({"kind": "moderation", "method": "BATCH", "prompt": "wolf"})
    batch = bench.begin(line(0), line(1, prompt="a wolf"), line(2, size="12x12"), line(3, stream=True))
    batch = bench.look(batch, 20)
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 3)
    errors = {result["custom_id"]: result["response"] for result in bench.lines(batch.error_file_id)}
    assert {name: answer["body"]["error"]["code"] for name, answer in errors.items()} == {
        "o-1": "moderation_blocked", "o-2": "invalid_value", "o-3": "unsupported_value",
    }  # fmt: skip
    assert {answer["status_code"] for answer in errors.values()} == {400}
    charged = [entry["charged_nanousd"] for entry in bench.bill() if entry["lane"] == "batch"][-4:]
    assert charged == [LINE_NANOUSD, 0, 0, 0]


INVALID = [
    (["{"], "invalid_json_line", 1),
    ([line(0), "[1]"], "invalid_json_line", 2),
    ([], "empty_file", None),
    ([line(0), line(0)], "duplicate_custom_id", 2),
    ([line(0), line(1, EDITS)], "url_mismatch", 2),
    ([line(0) | {"method": "GET"}], "invalid_method", 1),
    ([{"custom_id": "a", "method": "POST", "url": GENERATIONS}], "missing_required_parameter", 1),
    ([line(0, model=None)], "missing_required_parameter", 1),
    ([line(0), line(1, model="gpt-image-1.5")], "model_mismatch", 2),
    ([line(0, model="gpt-image-9")], "model_not_found", 1),
    ([line(0, model="gpt-image-1")], "model_not_found", 1),
    ([line(0, model="gpt-image-2.6-flare")], "invalid_model", 1),
    ([line(0, model="gpt-image-2.6-sunburst")], "invalid_model", 1),
    (lines(13), "too_many_tasks", None),
]


@pytest.mark.parametrize(("content", "code", "number"), INVALID)
def test_a_wrong_input_file_fails_the_batch_free_of_charge(
    bench: Bench, content: list[Any], code: str, number: int | None
) -> None:
    """The batch is created, then fails with the code and the line; nothing runs."""
    batch = bench.look(bench.begin(*content), 1)
    assert batch.status == "failed"
    assert batch.errors is not None
    error = (batch.errors.data or [])[0]
    assert (error.code, error.line) == (code, number)
    assert error.message
    assert (batch.output_file_id, batch.error_file_id, batch.in_progress_at) == (None, None, None)
    assert not any(e["lane"] for e in bench.bill() if e["batch_id"] == batch.id)


@pytest.mark.parametrize(
    ("model", "words"), [("gpt-image-1", "has been deprecated"), ("gpt-image-9", "does not exist")]
)
def test_a_model_that_is_gone_is_called_so_in_a_batch_too(bench: Bench, model: str, words: str) -> None:
    """Shut down is not the same as never there; both routes tell them apart in the same words."""
    batch = bench.look(bench.begin(line(0, model=model)), 1)
    assert batch.errors is not None
    (error,) = batch.errors.data or []
    with pytest.raises(openai.NotFoundError) as refused:
        bench.client.images.generate(model=model, prompt="An otter")
    assert words in str(error.message)
    assert error.message == refused.value.body["message"]  # type: ignore[index]


def test_a_batch_of_the_most_lines_and_a_blank_one_at_the_end_is_taken(bench: Bench) -> None:
    """The limit itself is allowed."""
    assert bench.look(bench.begin(*lines(12), ""), 1).status == "in_progress"


def test_a_batch_that_runs_out_of_time_keeps_what_is_done(bench: Bench) -> None:
    """Finished lines are delivered and billed, the others stand in the error file as expired."""
    bench.set({"kind": "batch_expires", "share": 0.5})
    batch = bench.look(bench.begin(*lines(4)), 50)
    assert (batch.status, batch.completed_at) == ("expired", None)
    assert sorted(ids(bench.lines(batch.output_file_id))) == ["o-0", "o-1"]
    late = bench.lines(batch.error_file_id)
    assert sorted(ids(late)) == ["o-2", "o-3"]
    assert {(result["response"], result["error"]["code"]) for result in late} == {(None, "batch_expired")}
    own = [entry for entry in bench.bill() if entry["batch_id"] == batch.id and entry["lane"] == "batch"]
    assert [entry["charged_nanousd"] for entry in own] == [LINE_NANOUSD] * 2


async def test_a_day_is_enough_to_expire_without_any_fault() -> None:
    """At a pace slower than the window the batch ends by itself; asynchronously and without a port."""
    clock = Clock()
    app = create_app(EmulatorSettings(paint="plain", now_s=clock, batch_pace_s=40_000))
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http,
        openai.AsyncOpenAI(api_key="k", base_url="http://e/v1", max_retries=0, http_client=http) as client,
    ):
        file = await client.files.create(file=("in.jsonl", jsonl(*lines(3))), purpose="batch")
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/images/generations", completion_window="24h"
        )
        clock.now_s += 90_000
        batch = await client.batches.retrieve(batch.id)
        assert (batch.status, batch.expired_at) == ("expired", batch.expires_at)
        output = await client.files.content(batch.output_file_id or "")
        assert len([text async for text in await output.aiter_lines()]) == 1
        assert [seen.id async for seen in client.batches.list()] == [batch.id]
        with pytest.raises(openai.ConflictError):
            await client.batches.cancel(batch.id)
        assert {seen.purpose async for seen in client.files.list()} == {"batch", "batch_output"}
        assert (await client.files.delete(file.id)).deleted


def test_a_cancelled_batch_keeps_what_is_done(bench: Bench) -> None:
    """Cancelling, then cancelled; what ran is delivered and billed, the rest is in neither file."""
    batch = bench.begin(*lines(4))
    bench.look(batch, 3)
    batch = bench.client.batches.cancel(batch.id)
    assert (batch.status, batch.output_file_id) == ("cancelling", None)
    assert bench.client.batches.cancel(batch.id).status == "cancelling"
    batch = bench.look(batch, 1)
    assert batch.status == "cancelled"
    assert sorted(ids(bench.lines(batch.output_file_id))) == ["o-0", "o-1"]
    assert batch.error_file_id is None
    with pytest.raises(openai.ConflictError, match="status 'cancelled'"):
        bench.client.batches.cancel(batch.id)
    early = bench.client.batches.cancel(bench.begin(*lines(2)).id)
    assert (bench.look(early, 1).status, bench.look(early).output_file_id) == ("cancelled", None)


def test_batches_are_listed_in_pages_newest_first(bench: Bench) -> None:
    """The client's own paging walks through all; a wrong limit or cursor is refused."""
    made = [bench.begin(line(0)).id for _ in range(3)]
    page = bench.client.batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == (made[:0:-1], True)
    assert made[0] in [batch.id for batch in bench.client.batches.list(limit=1, after=made[1]).data]
    assert [batch.id for batch in bench.client.batches.list(limit=2)][:3] == made[::-1]
    for wrong in ({"limit": 0}, {"limit": 101}, {"after": "batch_none"}):
        with pytest.raises(openai.BadRequestError):
            bench.client.batches.list(**wrong)


REFUSED_BATCHES: list[tuple[dict[str, Any], str]] = [
    ({"endpoint": "/v1/responses"}, "endpoint"),
    ({"completion_window": "48h"}, "completion_window"),
    ({"input_file_id": ""}, "input_file_id"),
    ({"metadata": {str(number): "x" for number in range(17)}}, "metadata"),
    ({"metadata": {"a": "x" * 513}}, "metadata"),
    ({"output_expires_after": {"anchor": "created_at", "seconds": 3_599}}, "output_expires_after.seconds"),
    (
        {"output_expires_after": {"anchor": "created_at", "seconds": 2_592_001}},
        "output_expires_after.seconds",
    ),
    ({"output_expires_after": {"anchor": "now", "seconds": 3_600}}, "output_expires_after.anchor"),
    ({"extra_body": {"priority": 1}}, "priority"),
]


@pytest.mark.parametrize(("fields", "param"), REFUSED_BATCHES)
def test_a_wrong_batch_is_refused_at_once(bench: Bench, fields: dict[str, Any], param: str) -> None:
    """Status 400 and the parameter's name."""
    file = bench.client.files.create(file=("in.jsonl", jsonl(line(0))), purpose="batch")
    request: dict[str, Any] = {"input_file_id": file.id, "endpoint": GENERATIONS, "completion_window": "24h"}
    with pytest.raises(openai.BadRequestError) as caught:
        bench.client.batches.create(**(request | fields))
    assert caught.value.param == param


def test_a_batch_reads_only_files_made_for_it(bench: Bench) -> None:
    """A picture is no input file, and an unknown file is none at all."""
    picture = bench.client.files.create(file=("a.jsonl", b"{}"), purpose="user_data")
    for id, error in ((picture.id, openai.BadRequestError), ("file-none", openai.NotFoundError)):
        with pytest.raises(error):
            bench.client.batches.create(input_file_id=id, endpoint=GENERATIONS, completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        bench.client.batches.retrieve("batch_none")


def test_results_expire_when_asked_to(bench: Bench) -> None:
    """After the time set the output file is gone."""
    batch = bench.begin(line(0), output_expires_after={"anchor": "created_at", "seconds": 3_600})
    batch = bench.look(batch, 10)
    assert bench.lines(batch.output_file_id)
    bench.clock.now_s += 3_600
    with pytest.raises(openai.NotFoundError, match="No such File"):
        bench.lines(batch.output_file_id)


def test_files_are_kept_listed_read_and_deleted(bench: Bench) -> None:
    """The client's own types; the bytes come back; batch files expire after thirty days."""
    data = jsonl(line(0))
    file = bench.client.files.create(file=("in.jsonl", data), purpose="batch")
    assert isinstance(file, FileObject)
    assert (file.bytes, file.filename, file.purpose, file.status) == (
        len(data), "in.jsonl", "batch", "processed",
    )  # fmt: skip
    assert file.expires_at == file.created_at + 30 * 24 * 3600
    large = png((700, 700)) * 40
    kept = bench.client.files.create(
        file=("a.png", large),
        purpose="vision",
        expires_after={"anchor": "created_at", "seconds": 3_600},
    )
    assert kept.expires_at == kept.created_at + 3_600
    assert bench.client.files.content(kept.id).read() == large
    assert bench.client.files.retrieve(kept.id) == kept
    assert [seen.id for seen in bench.client.files.list(limit=2)][:2] == [kept.id, file.id]
    assert {seen.purpose for seen in bench.client.files.list(purpose="vision", order="asc")} == {"vision"}
    assert isinstance(bench.client.files.delete(kept.id), FileDeleted)
    for gone in (bench.client.files.retrieve, bench.client.files.content, bench.client.files.delete):
        with pytest.raises(openai.NotFoundError, match="No such File"):
            gone(kept.id)


def test_uploads_of_the_wrong_kind_are_refused(bench: Bench) -> None:
    """No JSONL, too large, an unknown purpose, no file, no purpose; the limit itself is taken."""
    upload = bench.client.files.create
    with pytest.raises(openai.BadRequestError, match=r"Must be \.jsonl"):
        upload(file=("in.json", b"{}"), purpose="batch")
    with pytest.raises(openai.BadRequestError, match="too large"):
        upload(file=("in.jsonl", bytes(20_001)), purpose="batch")
    assert upload(file=("in.jsonl", bytes(20_000)), purpose="batch").bytes == 20_000
    with pytest.raises(openai.BadRequestError, match="'fine-tune'"):
        upload(file=("in.jsonl", b"{}"), purpose="fine-tune")
    for form in ({"data": {"purpose": "batch"}}, {"files": {"file": b"{}"}}):
        answer = httpx2.post(f"{bench.root}/v1/files", headers={"Authorization": "Bearer k"}, **form)
        assert answer.status_code == 400


async def test_an_upload_of_the_vendors_limit_is_allowed_by_default() -> None:
    """Fifty thousand lines, 200 MB, 24 hours: the published limits."""
    settings = EmulatorSettings()
    assert (settings.most_batch_lines, settings.batch_file_bytes, settings.batch_window_s) == (
        50_000, 200_000_000, 86_400,
    )  # fmt: skip
