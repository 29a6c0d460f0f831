"""Asks a provider once, before anything is started, for its models: ``GET /v1/models``, free of charge.

The list is a hint. A shutdown date earlier than the catalogue's is used; a model missing from the list may
still work (the vendor's list once left out a working family), so absence means nothing. Without a list the
answer says whether the provider is there at all: see ``tasks.images_api.provider_check``.
"""

import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx2

from tasks.errors import SettingError
from tasks.images_api.connection import sync_http_client
from tasks.images_api.error_body import plain
from tasks.images_api.error_meanings import Meaning, error_meanings
from tasks.images_api.failures import failure_of_answer, is_page, json_of
from tasks.images_api.reachability import (
    api_address,
    connection_fault,
    has_connected,
    has_image_endpoint,
)
from tasks.images_api.terms import Terms
from tasks.network import proxy_variable
from tasks.redaction import one_line, redact

WAIT_S = 3.0
"""How long a run waits for all that is asked here, seconds."""
READ_SHARE = 0.6
"""The share of it for the list itself; the rest is for asking whether there is an image endpoint."""

AnswerKind = Literal[
    "ok",
    "no_list",
    "trouble",
    "bad_key",
    "no_access",
    "firewall",
    "wrong_address",
    "untrusted",
    "proxy_refuses",
    "no_network",
    "no_answer",
]


@dataclass(frozen=True, slots=True)
class ModelsAnswer:
    """The result of requesting the list.

    Args:
        kind: ``ok``, or why there is no list.
        what: The same for people, without any key; empty when ``kind`` is ``ok``.
        shutdown_dates: Every listed model, with its announced shutdown date if there is one.
        clock_ahead_s: How far this machine's clock is ahead of the provider's, seconds, to the second;
            ``None`` when the provider sent no time.
        better_url: An address nearby where the API answers; empty where none was found.
    """

    kind: AnswerKind
    what: str = ""
    shutdown_dates: Mapping[str, date | None] = field(default_factory=dict)
    clock_ahead_s: float | None = None
    better_url: str = ""

    @property
    def announced(self) -> dict[str, date]:
        """Only the models with an announced shutdown date."""
        return {name: day for name, day in self.shutdown_dates.items() if day is not None}


def read_models(terms: Terms, within_s: float = WAIT_S) -> ModelsAnswer:
    """Request a provider's list of models with a GET; costs nothing.

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
    timeout = httpx2.Timeout(READ_SHARE * within_s, connect=0.8 * within_s)
    client = sync_http_client(terms, timeout=timeout)
    answers: queue.SimpleQueue[ModelsAnswer] = queue.SimpleQueue()
    # Name resolution cannot be cancelled, so it is left to a daemon thread.
    asking = threading.Thread(target=lambda: answers.put(_ask(client, terms, url, within_s)), daemon=True)
    asking.start()
    try:
        return answers.get(timeout=within_s)
    except queue.Empty:
        return _silent(url, within_s)


def _ask(client: httpx2.Client, terms: Terms, url: str, within_s: float) -> ModelsAnswer:
    with client:
        try:
            response = client.get(f"{url}/models")
        except (httpx2.HTTPError, ValueError) as error:
            return _without_answer(error, client, terms, url, within_s)
        answer = _read(url, response) if response.is_success else _refusal(terms, url, response)
        return _confirmed(answer, client, url, response, within_s)


def _without_answer(
    error: Exception, client: httpx2.Client, terms: Terms, url: str, within_s: float
) -> ModelsAnswer:
    if has_connected(error) and has_image_endpoint(client, url, within_s):
        waited_s = READ_SHARE * within_s
        return ModelsAnswer("trouble", f"{url}/models gave no whole answer within {waited_s:g} s")
    if isinstance(error, httpx2.TimeoutException):
        return _silent(url, within_s)
    kind, what, better_url = connection_fault(error, terms, url)
    return ModelsAnswer(kind, what, better_url=better_url)


def _silent(url: str, within_s: float) -> ModelsAnswer:
    return ModelsAnswer("no_answer", f"{url} gave no answer within {within_s:g} s")


def _confirmed(
    answer: ModelsAnswer, client: httpx2.Client, url: str, response: httpx2.Response, within_s: float
) -> ModelsAnswer:
    """Call an address wrong only if the API is elsewhere, or if no image endpoint is there."""
    is_elsewhere = response.is_redirect or is_page(response.headers, response.text)
    if answer.kind == "no_list" and (better_url := api_address(client, url, within_s)):
        what = f"{answer.what}; the API answers at {better_url}"
        return replace(answer, kind="wrong_address", what=what, better_url=better_url)
    if answer.kind not in ("no_list", "no_access") or not is_elsewhere:
        return answer
    if has_image_endpoint(client, url, within_s):
        return replace(answer, kind="no_list")
    return replace(answer, kind="wrong_address" if answer.kind == "no_list" else "firewall")


def _refusal(terms: Terms, url: str, response: httpx2.Response) -> ModelsAnswer:
    status, headers = response.status_code, response.headers
    fault = failure_of_answer(status, json_of(response.text), headers, response.text)
    meaning = error_meanings().at_models_endpoint(fault.code, fault.message)
    kind, what = _kind_of(status, meaning), f"{url}/models answers {fault.message}"
    if kind == "bad_key":
        what = f"{url} rejects the key: {fault.message}"
    elif kind == "proxy_refuses":
        proxy = proxy_variable(terms.environ, url)
        named = f"the proxy in {proxy}" if proxy else "a proxy or a network's sign-in page"
        what = f"{named} lets nothing through to {url}: {fault.message}"
    elif str(status) not in fault.message:  # the address may have it in its port
        what = f"{what} (HTTP {status})"
    return ModelsAnswer(kind, what, clock_ahead_s=_clock_ahead_s(response))


def _kind_of(status: int, meaning: Meaning | None) -> AnswerKind:
    if meaning is not None and meaning.kind == "no_list":
        return "no_list"
    if status in (407, 511):
        return "proxy_refuses"
    if status == 401 or (meaning is not None and meaning.remedy == "key"):
        return "bad_key"
    if status in (402, 403) or (meaning is not None and meaning.kind == "stop_run"):
        return "no_access"
    return "trouble" if status in (408, 429) or (status >= 500 and status != 501) else "no_list"


def _read(url: str, response: httpx2.Response) -> ModelsAnswer:
    ahead_s = _clock_ahead_s(response)
    try:
        entries = json.loads(response.content)["data"]
        dates = {str(entry["id"]): _day(entry) for entry in entries}
    except (ValueError, KeyError, TypeError, RecursionError):
        words = one_line(redact(response.text))[:60]
        if is_page(response.headers, response.text):
            what = f"{url}/models answers with a web page: {plain(redact(response.text))[:60]!r}"
        else:
            what = f"{url}/models does not answer with a list of models: {words!r}"
        return ModelsAnswer("no_list", what, clock_ahead_s=ahead_s)
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
