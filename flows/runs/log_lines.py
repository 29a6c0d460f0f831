"""Lines of a log: of text with a time, or of JSON with time, level, campaign and run.

``serve`` and ``worker`` write them, and so do the flow runs that they start, which find the format in their
environment.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from rich.console import Console

from flows.runs.progress import PlainDisplay
from tasks.redaction import hide_secrets

LOG_FORMAT_VARIABLE = "RUNOFF_LOG_FORMAT"
LogFormat = Literal["text", "json"]
PREFECT_IN_JSON = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER": "json",
    "PREFECT_LOGGING_FORMATTERS_JSON_CLASS": f"{__name__}.JsonLines",
}


def log_format_of(environ: Mapping[str, str]) -> LogFormat:
    """Read the format from an environment; text if it says nothing else."""
    return "json" if environ.get(LOG_FORMAT_VARIABLE) == "json" else "text"


def log_environment(log_format: LogFormat) -> dict[str, str]:
    """Return what has flow runs, and what Prefect logs in them, use a format too: environment variables.

    Args:
        log_format: As text or as JSON.
    """
    return {LOG_FORMAT_VARIABLE: log_format} | (PREFECT_IN_JSON if log_format == "json" else {})


def line_of(
    message: str, log_format: LogFormat, *, level: str = "info", campaign: str = "", run_id: str = ""
) -> str:
    """Make a line of a log.

    Args:
        message: What is said.
        log_format: As text or as JSON.
        level: ``info``, ``warning`` or ``error``.
        campaign: The campaign that it is about; empty for none.
        run_id: The run that it is about; empty for none.
    """
    now, message = datetime.now(UTC), hide_secrets(message)
    if log_format == "text":
        about = " ".join(filter(None, (campaign, run_id)))
        return f"{now:%Y-%m-%d %H:%M:%S} UTC  {f'{about}: ' if about else ''}{message}"
    facts = {"time": now.isoformat(timespec="milliseconds"), "level": level, "message": message}
    facts |= {"campaign": campaign} if campaign else {}
    facts |= {"run": run_id} if run_id else {}
    return json.dumps(facts, ensure_ascii=False)


class LineDisplay(PlainDisplay):
    """Progress as lines of a log.

    Args:
        log_format: As text or as JSON.
        campaign: The run's campaign.
        run_id: The run.
        console: Where to; default: standard error.
    """

    def __init__(
        self, log_format: LogFormat, campaign: str, run_id: str, console: Console | None = None
    ) -> None:
        super().__init__(console)
        self._log_format: LogFormat = log_format
        self._campaign, self._run_id = campaign, run_id

    def say(self, line: str) -> None:
        """Write one line."""
        super().say(line_of(line, self._log_format, campaign=self._campaign, run_id=self._run_id))


class JsonLines(logging.Formatter):
    """What Prefect logs, in the same lines of JSON; with the flow run's name where there is one."""

    def __init__(self, *_: object) -> None:  # Prefect's format and its dates are not ours
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        """Make a line of a record."""
        message = super().format(record)
        line: dict[str, str] = json.loads(line_of(message, "json", level=record.levelname.lower()))
        if flow_run := getattr(record, "flow_run_name", ""):
            line["flow_run"] = str(flow_run)
        return json.dumps(line, ensure_ascii=False)
