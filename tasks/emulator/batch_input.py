"""Checks a batch's input file line by line, never holding it all in memory.

Source of the codes: the batch guide and failed batches in public threads, checked 2026-11-22. The vendor's
messages for models that batches do not accept are not published: those two are invented.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.emulator.models import MODELS
from tasks.emulator.refusals import no_such_model
from tasks.emulator.settings import EmulatorSettings

MOST_FAULTS = 100
LINES_BETWEEN_PAUSES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """The location of one request in a batch's input file.

    Args:
        custom_id: The caller's id for it.
        start: The offset of its first byte.
        bytes: Its length in bytes.
    """

    custom_id: str
    start: int
    bytes: int

    def read(self, path: Path) -> dict[str, Any]:
        """Read the line from the file."""
        with path.open("rb") as stream:
            stream.seek(self.start)
            line: dict[str, Any] = json.loads(stream.read(self.bytes))
        return line


class InputCheck:
    """The check of an input file, with its results.

    Args:
        endpoint: The batch's endpoint, which every line must name.
        settings: How the emulator behaves.
    """

    def __init__(self, endpoint: str, settings: EmulatorSettings) -> None:
        self.lines: list[Line] = []
        self.model: str | None = None
        self.faults: list[dict[str, Any]] = []
        self._endpoint = endpoint
        self._settings = settings
        self._custom_ids: set[str] = set()

    async def read(self, path: Path) -> None:
        """Check the whole file without blocking other requests."""
        start = 0
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                if raw.strip():
                    self._check(number, start, raw)
                start += len(raw)
                if number % LINES_BETWEEN_PAUSES == 0:
                    await asyncio.sleep(0)
        most = self._settings.most_batch_lines
        if not self.lines and not self.faults:
            self._fault(None, "empty_file", "The batch input file is empty.")
        if len(self.lines) > most:
            message = f"The batch input file contains too many requests. The maximum is {most}."
            self._fault(None, "too_many_tasks", message)

    def _fault(self, line: int | None, code: str, message: str, param: str | None = None) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append({"code": code, "line": line, "message": message, "param": param})

    def _check(self, number: int, start: int, raw: bytes) -> None:
        try:
            line = json.loads(raw)
        except ValueError:
            line = None
        if not isinstance(line, dict):
            self._fault(number, "invalid_json_line", "This line is not parseable as valid JSON.")
            return
        for name, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
            if not isinstance(line.get(name), kind) or not line[name]:
                message = f"Missing required parameter: '{name}'."
                self._fault(number, "missing_required_parameter", message, name)
                return
        self._check_frame(number, line)
        self._check_model(number, line["body"].get("model"))
        self._custom_ids.add(line["custom_id"])
        self.lines.append(Line(line["custom_id"], start, len(raw)))

    def _check_frame(self, number: int, line: dict[str, Any]) -> None:
        if line["custom_id"] in self._custom_ids:
            message = (
                f"The custom_id for this request is a duplicate of another request: {line['custom_id']}."
            )
            self._fault(number, "duplicate_custom_id", message, "custom_id")
        if line["method"] != "POST":
            message = f"Invalid value: '{line['method']}'. Supported values are: 'POST'."
            self._fault(number, "invalid_method", message, "method")
        if line["url"] != self._endpoint:
            message = "The URL provided for this request does not match the batch endpoint."
            self._fault(number, "url_mismatch", message, "url")

    def _check_model(self, number: int, name: object) -> None:
        model = MODELS.get(str(name))
        if not name:
            self._fault(
                number, "missing_required_parameter", "Missing required parameter: 'model'.", "body.model"
            )
        elif model is None or model.is_retired(self._settings.today()):
            gone = no_such_model(str(name), is_retired=model is not None).error
            self._fault(number, gone["code"], gone["message"], "body.model")
        elif not model.has_batch:
            message = f"The provided model '{name}' is not supported by the Batch API."
            self._fault(number, "invalid_model", message, "body.model")
        elif self.model not in (None, name):
            message = f"The model '{name}' differs from '{self.model}': a batch is for one model."
            self._fault(number, "model_mismatch", message, "body.model")
        else:
            self.model = str(name)
