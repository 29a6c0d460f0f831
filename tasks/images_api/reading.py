"""Reads an answer with status 200, whole or cut off.

One without a picture that may have been paid for is kept for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import RunError
from tasks.images_api.answers import Answer, read_answer
from tasks.images_api.failures import Failure, unreadable
from tasks.images_api.fragments import readable_part
from tasks.images_api.picture_files import body_file, store_body
from tasks.images_api.questions import read_reply
from tasks.images_api.receiving import Received
from tasks.images_api.stop_messages import stop_for_unreadable
from tasks.limits import MESSAGE_CHARS
from tasks.order import Order

Reading = tuple[Answer | Failure, RunError | None]
"""An answer, or why there is none; and why the run must stop, if reading itself broke."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the answers to one order.

    Args:
        order: What was requested.
        folder: The run's folder.
        expected_tokens: The fewest output tokens of the requested tier; ``None`` where not published.
    """

    order: Order
    folder: Path
    expected_tokens: int | None

    def read(self, body: object, headers: Mapping[str, str]) -> Reading:
        """Read an answer, whatever it holds.

        Args:
            body: Its JSON, or its text when it is not JSON.
            headers: The answer's headers.
        """
        if isinstance(body, str):
            body = self._part(body) or body
        if isinstance(body, list) and len(body) == 1:  # some gateways put a list around it
            body = body[0]
        trouble = None
        try:
            if self.order.endpoint == "chat":
                answer = read_reply(body, headers)
            else:
                answer = read_answer(body, headers, self.order, self.expected_tokens)
        except Exception as error:  # whatever it holds was paid
            answer, trouble = unreadable(error), stop_for_unreadable(self.order, error)
        if isinstance(answer, Failure) and answer.kind.state == "unknown":
            store_body(self.folder, self.order, body)
        return answer, trouble

    def read_cut_off(self, received: Received, fault: Failure) -> Reading:
        """Read what came of an answer before it was cut off; what cannot be read is kept.

        Args:
            received: What came of it.
            fault: Why it was cut off, for when nothing can be read.
        """
        text = received.content.decode(errors="replace")
        if fault.kind.state != "unknown" or not text:
            return fault, None
        is_stream = "event-stream" in received.headers.get("content-type", "")  # its pictures are partial
        part = None if is_stream else self._part(text)
        if part is not None:
            return self.read(part, received.headers)
        kept = f" What came of it is kept as {body_file(self.order)}."
        store_body(self.folder, self.order, text)
        return replace(fault, message=fault.message[: MESSAGE_CHARS - len(kept)] + kept), None

    def _part(self, text: str) -> dict[str, object] | None:
        return readable_part(text, has_pictures=self.order.endpoint != "chat")
