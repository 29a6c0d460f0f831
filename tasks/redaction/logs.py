"""Logs without secrets: every record is redacted when it is made, whatever logger and handler it has.

A filter would not do: those of a logger do not see the records of the loggers below it.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Any

from tasks.redaction.known_secrets import hide_secrets


def redact_logs() -> None:
    """Redact every log record of this process from now on; calling it again changes nothing."""
    make = logging.getLogRecordFactory()
    if not isinstance(make, _RedactingFactory):
        logging.setLogRecordFactory(_RedactingFactory(make))


class _RedactingFactory:
    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - those of a record
        record = self._make(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # wrong arguments; logging itself reports them
            return record
        error = record.exc_info[1] if record.exc_info else None
        told = "".join(traceback.format_exception(error)) if error else ""
        hidden, hidden_told = hide_secrets(message), hide_secrets(told)
        if hidden != message:
            record.msg, record.args = hidden, ()
        if hidden_told != told:  # as text, because formatters take the error itself to pieces
            record.msg, record.args = f"{hidden}\n{hidden_told.rstrip()}", ()
            record.exc_info = record.exc_text = None
        return record
