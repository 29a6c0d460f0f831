"""Reads an answer, whole or cut off, whatever its status says.

What may have been paid is kept before it is judged: an answer with the addresses of pictures before the first
is fetched, and one in which no picture was found.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import RunError
from tasks.images_api.answer_bounds import most_bytes
from tasks.images_api.answers import Answer, Fetch, read_answer, read_pictures
from tasks.images_api.failures import Failure, FailureKind, failure_of, json_of, unreadable
from tasks.images_api.fetching import PictureFetcher
from tasks.images_api.found_pictures import find_in_failure
from tasks.images_api.fragments import begins_picture, readable_part
from tasks.images_api.picture_files import body_file, fetched_file, keep_fetched, store_body
from tasks.images_api.predictions import Predictions, prediction_of
from tasks.images_api.questions import read_reply
from tasks.images_api.receiving import Received
from tasks.images_api.stop_messages import stop_for_unreadable
from tasks.images_api.terms import Terms
from tasks.limits import FETCH_S, MESSAGE_CHARS
from tasks.order import Order

if TYPE_CHECKING:
    import openai

Reading = tuple[Answer | Failure, RunError | None]
"""An answer, or why there is none; and why the run must stop, if reading itself broke."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the answers to one order.

    Args:
        order: What was requested.
        folder: The run's folder.
        expected_tokens: The fewest output tokens of the requested tier; ``None`` where not published.
        fetcher: Fetches pictures of which the answer has the address.
        takes_part: Whether pictures that are there count though others of the order could not be fetched.
        predictions: Where an answer names something to be asked for later.
        is_kept: Whether the answer is on disk already, as it came.
    """

    order: Order
    folder: Path
    expected_tokens: int | None
    fetcher: PictureFetcher
    takes_part: bool = False
    predictions: Predictions | None = None
    is_kept: bool = False
    _fetched: dict[str, bytes] = field(default_factory=dict)

    def read(self, body: object, headers: Mapping[str, str]) -> Reading:
        """Read an answer, whatever it holds; this fetches pictures that are elsewhere, and may take minutes.

        Args:
            body: Its JSON, or its text when it is not JSON.
            headers: The answer's headers.
        """
        raw = body
        if isinstance(body, str):
            body = self._part(body) or body
        if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):
            body = body[0]  # some gateways put a list around it
        trouble = None
        try:
            if self.predictions is not None and prediction_of(body) is not None:
                self._keep(raw)  # the id, before it is asked for
                body = self.predictions.finished(body)
            answer = self._read(raw, body, headers)
        except Exception as error:  # whatever it holds was paid
            answer, trouble = unreadable(error), stop_for_unreadable(self.order, error)
        if isinstance(answer, Failure) and answer.kind.state == "unknown":
            self._keep(raw)
        return answer, trouble

    def _read(self, raw: object, body: object, headers: Mapping[str, str]) -> Answer | Failure:
        if self.order.endpoint == "chat":
            return read_reply(body, headers)
        return read_answer(
            body, headers, self.order, self.expected_tokens, self._fetch_of(raw), takes_part=self.takes_part
        )

    def read_error(self, error: "openai.APIError", received: Received) -> Reading:
        """Read what came where the SDK raised an error: with a status that failed, or cut off.

        Args:
            error: What the SDK raised.
            received: What came of the answer.
        """
        import openai

        fault = failure_of(error)
        if isinstance(error, openai.APIStatusError):
            text, headers = error.response.text, error.response.headers
            answer, trouble = self.read_failure(json_of(text), text, headers, fault)
            if answer is not fault:
                return answer, trouble
            return self._with_text_kept(received, fault), None
        return self.read_cut_off(received, fault)

    def read_failure(self, body: object, text: str, headers: Mapping[str, str], fault: Failure) -> Reading:
        """Read an answer whose status says that it failed: a picture in it was made, and is not bought again.

        Args:
            body: Its JSON, if it has any.
            text: Its text, for when a picture was cut off.
            headers: The answer's headers.
            fault: What its status says.
        """
        if self.order.endpoint == "chat":
            return fault, None
        raw, body = text or body, body or self._part(text)
        if found := find_in_failure(body):
            answer = read_pictures(
                found, body, headers, self.order, self.expected_tokens, self._fetch_of(raw),
                takes_part=self.takes_part,
            )  # fmt: skip
            if isinstance(answer, Failure):
                self._keep(raw)
            return answer, None
        if begins_picture(text):
            store_body(self.folder, self.order, text)
            message = f"{fault.message} It holds a part of a picture, kept as {body_file(self.order)}."
            return replace(fault, kind=FailureKind.unknown, message=message), None
        return fault, None

    def read_cut_off(self, received: Received, fault: Failure) -> Reading:
        """Read what came of an answer before it was cut off; what cannot be read is kept.

        Args:
            received: What came of it.
            fault: Why it was cut off, for when nothing can be read.
        """
        text = _text_of(received)
        if fault.kind.state != "unknown" or not text:
            return fault, None
        is_stream = "event-stream" in received.headers.get("content-type", "")  # its pictures are partial
        part = None if is_stream else self._part(text)
        if part is not None:
            return self.read(part, received.headers)
        return self._with_text_kept(received, fault), None

    def _with_text_kept(self, received: Received, fault: Failure) -> Failure:
        """Keep what came where it may have been billed, and say so."""
        text = _text_of(received)
        if fault.kind.state != "unknown" or not text:
            return fault
        kept = f" What came of it is kept as {body_file(self.order)}."
        store_body(self.folder, self.order, text)
        return replace(fault, message=fault.message[: MESSAGE_CHARS - len(kept)] + kept)

    def read_kept(self, text: str, headers: Mapping[str, str]) -> Answer | Failure:
        """Read an answer that was kept, once more, whatever its status was.

        Args:
            text: What was kept.
            headers: The headers of the answer, as far as they are known.
        """
        answer, _ = replace(self, is_kept=True).read(json_of(text) or text, headers)
        return answer

    def _fetch_of(self, raw: object) -> Fetch:
        """Fetch the pictures of one answer, which is kept before the first is asked for.

        One that was fetched while others were not is taken from the disk. All together have the time
        of as many as were ordered: an answer may name more, and where nothing comes the run waits for them.
        """
        until_s = time.monotonic() + FETCH_S * self.order.n

        def fetch(address: str) -> bytes:
            file = fetched_file(self.folder, self.order, address)
            if address not in self._fetched and not file.is_file():
                self._keep(raw)
                self._fetched[address] = self.fetcher.fetch(
                    address, most_bytes(self.order), min(FETCH_S, until_s - time.monotonic())
                )
            return self._fetched.get(address) or file.read_bytes()

        return fetch

    def _keep(self, body: object) -> None:
        """Keep an answer as it came, and with it the pictures that were fetched for it already."""
        if not self.is_kept:
            store_body(self.folder, self.order, body)
        keep_fetched(self.folder, self.order, self._fetched)

    def _part(self, text: str) -> dict[str, object] | None:
        return readable_part(text, has_pictures=self.order.endpoint != "chat")


def _text_of(received: Received) -> str:
    return received.content.decode(errors="replace")


def reader_of(order: Order, folder: Path, terms: Terms, *, takes_part: bool = False) -> Reader:
    """Make the reader of the answers to an order.

    Args:
        order: What was requested.
        folder: The run's folder.
        terms: The terms of its provider.
        takes_part: Whether pictures that are there count though others of the order could not be fetched.
    """
    own = terms.at(order.provider)
    fetcher = PictureFetcher(own.base_url, own.environ)
    predictions = None
    if own.provider.kind == "predictions" and order.endpoint != "chat":
        predictions = Predictions(own, own.read_timeout_s(order))
    return Reader(order, folder, own.expected_tokens(order), fetcher, takes_part, predictions)
