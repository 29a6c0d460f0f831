"""An emulator whose batches obey a clock that tests move, and what batches are made of."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx2
import openai
from openai.types import Batch
from PIL import Image

from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tests.support.emulator_client import BRIEF_S, PATIENT_S

START_S = 1_795_000_000.0
GENERATIONS: Any = "/v1/images/generations"
EDITS: Any = "/v1/images/edits"
BODY: dict[str, Any] = {"model": "gpt-image-2", "prompt": "a fox", "size": "1024x640", "quality": "low"}
LINE_NANOUSD = (8 * 5_000 + 107 * 30_000) // 2


@dataclass
class Clock:
    """A clock that moves when told to."""

    now_s: float = START_S

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


@dataclass
class Bench:
    """An emulator with one second for each line, a client, and the clock."""

    client: openai.OpenAI
    root: str
    clock: Clock

    def set(self, *rules: dict[str, Any]) -> None:
        """Put faults in force; only an answer that never comes is not waited for."""
        httpx2.post(f"{self.root}/_faults", json={"faults": list(rules)}).raise_for_status()
        hangs = any(rule["kind"] == "bill_then_hang" for rule in rules)
        self.client = self.client.with_options(timeout=BRIEF_S if hangs else PATIENT_S)

    def bill(self) -> list[dict[str, Any]]:
        """All entries."""
        entries: list[dict[str, Any]] = httpx2.get(f"{self.root}/_bill").json()["entries"]
        return entries

    def begin(self, *lines: Any, endpoint: Any = GENERATIONS, **fields: Any) -> Batch:
        """Upload lines and create their batch."""
        file = self.client.files.create(file=("in.jsonl", jsonl(*lines)), purpose="batch")
        return self.client.batches.create(
            input_file_id=file.id, endpoint=endpoint, completion_window="24h", **fields
        )

    def look(self, batch: Batch, after_s: float = 0) -> Batch:
        """Look at a batch a while later."""
        self.clock.now_s += after_s
        return self.client.batches.retrieve(batch.id)

    def lines(self, file_id: str | None) -> list[dict[str, Any]]:
        """A result file's lines; no file has none."""
        if file_id is None:
            return []
        return [json.loads(line) for line in self.client.files.content(file_id).iter_lines()]


def line(number: int, url: str = GENERATIONS, **body: Any) -> dict[str, Any]:
    """One request of a batch."""
    return {"custom_id": f"o-{number}", "method": "POST", "url": url, "body": BODY | body}


def lines(count: int) -> list[dict[str, Any]]:
    """Several of them."""
    return [line(number) for number in range(count)]


def jsonl(*lines: Any) -> bytes:
    """Lines as bytes; texts stay as they are."""
    return "".join((text if isinstance(text, str) else json.dumps(text)) + "\n" for text in lines).encode()


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    """A blank PNG."""
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG")
    return stream.getvalue()


def ids(lines: list[dict[str, Any]]) -> list[str]:
    """The names of lines, in order."""
    return [line["custom_id"] for line in lines]


@contextmanager
def open_bench() -> Iterator[Bench]:
    """Run an emulator that is small in its limits, and a client."""
    clock = Clock()
    settings = EmulatorSettings(
        paint="plain",
        today=lambda: date(2026, 11, 22),
        batch_pace_s=1,
        now_s=clock,
        most_batch_lines=12,
        batch_file_bytes=20_000,
    )
    with (
        emulator_server(settings) as url,
        openai.OpenAI(api_key="k", base_url=url, max_retries=0, timeout=PATIENT_S) as client,
    ):
        yield Bench(client, url.removesuffix("/v1"), clock)
