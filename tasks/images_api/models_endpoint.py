"""Reads a provider's list of models, ``GET /v1/models``, within a few seconds and free of charge.

The list is a hint. A shutdown date earlier than the catalogue's is used; a model missing from the list may
still work (the vendor's list once left out a working family), so absence means nothing.
"""

import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx2
import openai

from tasks.errors import SettingError
from tasks.images_api.connection import client_options, sync_http_client
from tasks.images_api.failures import failure_of
from tasks.images_api.terms import Terms
from tasks.redaction import redact

WAIT_S = 4.0
"""How long a run waits for the list before it continues without it, seconds."""

AnswerKind = Literal["ok", "bad_key", "wrong_address", "no_network", "no_answer", "trouble"]


@dataclass(frozen=True, slots=True)
class ModelsAnswer:
    """The result of requesting the list.

    Args:
        kind: ``ok``, or why there is no list.
        what: The same for people, without any key; empty when ``kind`` is ``ok``.
        shutdown_dates: Every listed model, with its announced shutdown date if there is one.
        clock_ahead_s: How far this machine's clock is ahead of the provider's, seconds, to the second;
            ``None`` when the provider sent no time.
    """

    kind: AnswerKind
    what: str = ""
    shutdown_dates: Mapping[str, date | None] = field(default_factory=dict)
    clock_ahead_s: float | None = None

    @property
    def announced(self) -> dict[str, date]:
        """Only the models with an announced shutdown date."""
        return {name: day for name, day in self.shutdown_dates.items() if day is not None}


def read_models(terms: Terms, within_s: float = WAIT_S) -> ModelsAnswer:
    """Request a provider's list of models with one GET; costs nothing.

    Args:
        terms: The provider's address and key; a provider inside the process has no address to ask.
        within_s: How long to wait in total, seconds, including name resolution and a slow body.

    Returns:
        The list, or why there is none. Failures of the provider or the network do not raise.

    Raises:
        SettingError: The key or another variable is missing or unusable, or the provider has no address.
    """
    url = terms.base_url
    if url is None:
        raise SettingError(where=f"provider {terms.provider.name}", what="is inside the process")
    client = openai.OpenAI(
        base_url=url, http_client=sync_http_client(terms, timeout=within_s), **client_options(terms)
    )
    answers: queue.SimpleQueue[ModelsAnswer] = queue.SimpleQueue()
    # Name resolution cannot be cancelled, so it is left to a daemon thread.
    asking = threading.Thread(target=lambda: answers.put(_ask(client, url, within_s)), daemon=True)
    asking.start()
    try:
        return answers.get(timeout=within_s)
    except queue.Empty:
        return ModelsAnswer("no_answer", f"{url} gave no answer within {within_s:g} s")


def _ask(client: openai.OpenAI, url: str, within_s: float) -> ModelsAnswer:
    try:
        with client:
            # Less than the whole wait, so that a silent provider times out and its connection is closed.
            raw = client.models.with_raw_response.list(timeout=0.8 * within_s)
            return _read(url, raw.http_response)
    except openai.APITimeoutError:
        return ModelsAnswer("no_answer", f"{url} gave no answer within {within_s:g} s")
    except openai.APIStatusError as error:
        return _refusal(url, error)
    except (openai.APIError, httpx2.HTTPError, ValueError) as error:
        cause = redact(str(error.__cause__ or error))
        return ModelsAnswer("no_network", f"{url} cannot be reached ({cause})")


def _refusal(url: str, error: openai.APIStatusError) -> ModelsAnswer:
    fault, status = failure_of(error), error.status_code
    ahead_s = _clock_ahead_s(error.response)
    if status == 401:
        return ModelsAnswer("bad_key", f"{url} rejects the key: {fault.message}", clock_ahead_s=ahead_s)
    if 300 <= status < 400 or status in (404, 405):
        return ModelsAnswer("wrong_address", f"{url}/models answers {fault.message}", clock_ahead_s=ahead_s)
    what = f"{url}/models answers {fault.message}"
    return ModelsAnswer(
        "trouble", what if str(status) in what else f"{what} (HTTP {status})", clock_ahead_s=ahead_s
    )


def _read(url: str, response: httpx2.Response) -> ModelsAnswer:
    ahead_s = _clock_ahead_s(response)
    try:
        entries = json.loads(response.content)["data"]
        dates = {str(entry["id"]): _day(entry) for entry in entries}
    except (ValueError, KeyError, TypeError):
        words = redact(" ".join(response.text.split()))[:60]
        what = f"{url}/models does not answer with a list of models: {words!r}"
        return ModelsAnswer("wrong_address", what, clock_ahead_s=ahead_s)
    return ModelsAnswer("ok", shutdown_dates=dates, clock_ahead_s=ahead_s)


def _day(entry: Mapping[str, Any]) -> date | None:
    """Read the announced date; anything that is not a date counts as none."""
    try:
        return date.fromisoformat(entry["shutdown_date"])
    except (KeyError, TypeError, ValueError):
        return None


def _clock_ahead_s(response: httpx2.Response) -> float | None:
    try:
        there = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return round((datetime.now(UTC) - there.astimezone(UTC)).total_seconds())
