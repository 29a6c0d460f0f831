"""Waits for a prediction that a request created. Asking for it is not buying: its id is kept, and asked by.

The id is on the disk before it is asked for, so that a process that is killed meanwhile loses nothing: the
resumed run, and ``runoff ledger reread``, ask again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from tasks.images_api.connection import sync_http_client
from tasks.images_api.failures import json_of
from tasks.images_api.terms import Terms

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 5.0
"""Between two questions: doubled from the first to the longest, seconds."""
ASK_S = 30.0
"""How long one question may take, seconds."""
_OVER = ("succeeded", "success", "completed", "failed", "failure", "error", "canceled", "cancelled")


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction as an answer describes it: its id, and its status in lower case."""

    id: str
    status: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in _OVER


def prediction_of(body: object) -> Prediction | None:
    """Find the prediction in an answer, also inside an outer ``data``; ``None`` without one."""
    for part in (body, body.get("data") if isinstance(body, dict) else None):
        if isinstance(part, dict):
            name = part.get("id") or part.get("task_id")
            if isinstance(name, str) and name and isinstance(part.get("status"), str):
                return Prediction(name, part["status"].lower())
    return None


class Predictions:
    """Asks one provider for its predictions, with its own key, at its own address only.

    Args:
        terms: The provider's terms.
        within_s: How long a prediction is waited for, seconds.
        sleep: Waits that many seconds.
    """

    def __init__(self, terms: Terms, within_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._terms = terms
        self._within_s = within_s
        self._sleep = sleep

    def finished(self, body: object) -> object:
        """Wait for a prediction, and return the last answer about it. Blocks: call it in a thread.

        Args:
            body: The answer that created it; one that is over, or is no prediction, is returned as it is.
        """
        prediction, until_s, wait_s = prediction_of(body), time.monotonic() + self._within_s, FIRST_WAIT_S
        if prediction is None or prediction.is_over:
            return body
        with sync_http_client(self._terms, timeout=ASK_S) as client:
            while prediction is not None and not prediction.is_over:
                answered = self._asked(client, prediction.id)
                if prediction_of(answered) is not None:
                    body, prediction = answered, prediction_of(answered)
                if prediction is None or prediction.is_over or time.monotonic() >= until_s:
                    break
                self._sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        return body

    def _asked(self, client: httpx2.Client, name: str) -> Mapping[str, Any] | None:
        """Ask once; ``None`` where there is no usable answer, which may pass."""
        try:
            response = client.get(f"{self._terms.base_url}/predictions/{quote(name, safe='')}")
        except httpx2.HTTPError:
            return None
        answered = json_of(response.text) if response.is_success else None
        return answered if isinstance(answered, dict) else None
