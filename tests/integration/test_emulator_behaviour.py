"""How the emulator behaves over time: limits, copies, pace, callers that leave."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.child_process import wait_until
from tests.support.emulator_client import PATIENT_S, bill_of, client_of, pictures


def test_images_per_minute_really_count() -> None:
    """The bucket empties, refuses with the time to wait, refills; a request above the limit never fits."""
    settings = EmulatorSettings(paint="plain", images_per_minute=2, minute_s=0.8)
    request: dict[str, Any] = {"model": "gpt-image-2", "prompt": "a", "size": "1024x640", "quality": "low"}
    with emulator_server(settings) as url, client_of(url) as client:
        client.images.generate(**request, n=2)
        with pytest.raises(openai.RateLimitError, match="Limit 2, Used 2, Requested 1") as caught:
            client.images.generate(**request)
        assert caught.value.code == "rate_limit_exceeded"
        wait_s = int(caught.value.response.headers["retry-after"])
        with pytest.raises(openai.RateLimitError) as never:
            client.images.generate(**request, n=3)
        assert "retry-after" not in never.value.response.headers
        asyncio.run(asyncio.sleep(wait_s))
        client.images.generate(**request)


@pytest.mark.parametrize("paint", ["plain"])
def test_the_same_seed_gives_the_same_pictures_and_another_seed_others(paint: Any) -> None:
    """Two emulators of one seed agree over a row of requests, copies included; another seed does not."""
    rows = []
    for seed in (1, 1, 2):
        with emulator_server(EmulatorSettings(paint=paint, seed=seed)) as url, client_of(url) as client:
            answer = client.images.generate(model="gpt-image-2", prompt="a fox", size="1024x640", n=10)
            rows.append([item.b64_json for item in answer.data or []])
    assert rows[0] == rows[1] != rows[2]


def test_copies_come_at_the_rates_set() -> None:
    """With rates of 0 no two pictures are equal; with an exact rate of 1 all are."""
    for rate, distinct in ((0.0, 10), (1.0, 1)):
        settings = EmulatorSettings(paint="plain", near_copy_rate=0, exact_copy_rate=rate)
        with emulator_server(settings) as url, client_of(url) as client:
            answer = client.images.generate(model="gpt-image-2", prompt="a fox", size="1024x640", n=10)
        assert len({item.b64_json for item in answer.data or []}) == distinct


def test_a_callers_own_id_can_decide_the_picture() -> None:
    """A request repeated with its id shows the same picture, whatever came between."""
    settings = EmulatorSettings(paint="plain", picture_by_client_request_id=True)
    seen = []
    with emulator_server(settings) as url, client_of(url) as client:
        for name in ("o-1", "o-2", "o-1"):
            answer = client.images.generate(
                model="gpt-image-2",
                prompt="a fox",
                size="1024x640",
                extra_headers={"X-Client-Request-Id": name},
            )
            seen.append((answer.data or [])[0].b64_json)
        assert bill_of(url)["entries"][1]["client_request_id"] == "o-2"
    assert seen[0] == seen[2] != seen[1]


def test_a_caller_that_leaves_early_is_billed_and_not_answered() -> None:
    """The client's own time-out does not stop the vendor: the charge stands, the answer went nowhere."""
    settings = EmulatorSettings(paint="plain", pace=1, latency_s={"low": 0.6})
    leaves = httpx2.Timeout(PATIENT_S, read=0.2)
    with emulator_server(settings) as url:
        with (
            openai.OpenAI(api_key="k", base_url=url, max_retries=0, timeout=leaves) as client,
            pytest.raises(openai.APITimeoutError),
        ):
            client.images.generate(model="gpt-image-2", prompt="a", size="1024x640", quality="low")
        wait_until(lambda: bool(bill_of(url)["entries"]))
        time.sleep(0.8)  # an answer, if there were one, is out by now
        (entry,) = bill_of(url)["entries"]
    assert entry["charged_nanousd"] > 0
    assert entry["is_answered"] is False


@pytest.mark.slow
def test_the_loop_stays_free_while_painting() -> None:
    """The bill answers at once though a large picture is being painted."""
    with emulator_server(EmulatorSettings()) as url, client_of(url) as client:
        with ThreadPoolExecutor(1) as pool:
            painting = pool.submit(
                client.images.generate,
                model="gpt-image-2.5-flare",
                prompt="a fox",
                quality="max",
                size="1536x1024",
            )
            while not bill_of(url)["entries"]:
                pass
            answered_while_painting = 0
            while not painting.done():
                bill_of(url)
                answered_while_painting += 1
        assert pictures(painting.result())[0].size == (1536, 1024)
    assert answered_while_painting >= 3


def test_pace_slows_answers_down() -> None:
    """The latency of the tier, times the pace."""
    settings = EmulatorSettings(paint="plain", pace=0.5, latency_s={"low": 0.4})
    with emulator_server(settings) as url, client_of(url) as client:
        answer = client.images.with_raw_response.generate(
            model="gpt-image-2", prompt="a", size="1024x640", quality="low"
        )
    assert int(answer.headers["openai-processing-ms"]) >= 200
