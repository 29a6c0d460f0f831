"""What tests of the emulator share: an official client, its bill, pictures."""

import base64
import io
from datetime import date
from typing import Any

import httpx2
import openai
from openai.types import ImagesResponse
from PIL import Image

from tasks.emulator.settings import EmulatorSettings

NOVEMBER = date(2026, 11, 22)
PLAIN = EmulatorSettings(paint="plain", today=lambda: NOVEMBER)
PATIENT_S = 60.0
"""How long an answer that comes is waited for, seconds: a busy machine may take many of them."""
BRIEF_S = 1.5
"""How long one is waited for that never comes."""


_OPEN: list[openai.OpenAI] = []


def client_of(url: str) -> openai.OpenAI:
    """An official client that never sends twice; closed after the test."""
    client = openai.OpenAI(api_key="test-key", base_url=url, max_retries=0, timeout=PATIENT_S)
    _OPEN.append(client)
    return client


def close_clients() -> None:
    """Close the clients of a test: one that is collected as garbage warns in whatever test that happens."""
    while _OPEN:
        _OPEN.pop().close()


def root(url: str) -> str:
    """The emulator's address without ``/v1``."""
    return url.removesuffix("/v1")


def bill_of(url: str) -> dict[str, Any]:
    """The whole bill."""
    bill: dict[str, Any] = httpx2.get(f"{root(url)}/_bill").json()
    return bill


def pictures(answer: ImagesResponse) -> list[Image.Image]:
    """The pictures of an answer, decoded."""
    assert answer.data is not None
    return [Image.open(io.BytesIO(base64.b64decode(item.b64_json or ""))) for item in answer.data]


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    """A blank PNG."""
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG")
    return stream.getvalue()
