"""Purchases in child processes of the review page: promotions, and by the same means further rounds.

The page's process never loads Prefect or the provider's client. A child runs the command in its own process
session, so that a Ctrl-C that ends the page does not end the purchase.
"""

import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flows.own_program import program_words
from flows.promotion.action import Promotion
from flows.promotion.plan import PromotionPlan, promotion_plan
from tasks.errors import RunError, SettingError
from tasks.settings import Settings

PROGRAM = "runoff.main()"
_INCOMPLETE = 4


@dataclass(frozen=True)
class _Child:
    process: "subprocess.Popen[bytes]"
    output: IO[bytes]


class ChildProcesses:
    """Commands that buy, each in a process of its own, by the run that they buy for.

    Args:
        home: Runoff's home.
        busy: What is said of a run for which one is running.
    """

    def __init__(self, home: Path, busy: str) -> None:
        self._home = home
        self._busy = busy
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()

    def begin(self, run_id: str, words: Sequence[str]) -> None:
        """Give a command in a new process. This may spend money, as the command does.

        Args:
            run_id: The run that it buys for.
            words: The command and its options, without ``--home``.

        Raises:
            RunError: One for this run is running here. Nothing more was bought.
            SettingError: The process could not be started. Nothing was bought.
        """
        with self._lock:
            known = self._children.get(run_id)
            if known is not None and known.process.poll() is None:
                raise RunError(where=f"run {run_id}", what=self._busy)
            if known is not None:
                known.output.close()
            self._children[run_id] = _start([*words, "--home", str(self._home)])

    def look(self, run_id: str) -> Promotion | None:
        """Return the progress of the run's purchase; ``None`` if none was started here."""
        child = self._children.get(run_id)
        if child is None:
            return None
        code = child.process.poll()
        if code is None:
            return Promotion("running", _last_line(child.output))
        is_over = code in (0, _INCOMPLETE)
        return Promotion("done" if is_over else "failed", "" if is_over else _last_lines(child.output))

    def running(self) -> list[str]:
        """List the runs for which something is being bought."""
        return [run_id for run_id, child in self._children.items() if child.process.poll() is None]

    def stop(self) -> None:
        """Have nothing more bought: requests in flight are completed; ``wait`` waits for them."""
        for child in self._children.values():
            if child.process.poll() is None:
                child.process.terminate()

    def wait(self) -> list[str]:
        """Wait until nothing is being bought; returns the last line that each process said."""
        said = []
        for child in self._children.values():
            child.process.wait()
            said.append(_last_line(child.output))
            child.output.close()
        return said


class ChildPromoter(ChildProcesses):
    """Starts promotions of one home's runs, each in its own process.

    Args:
        settings: The home and the environment.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.home, "its finalists are already being bought")
        self._settings = settings

    def price(self, run_id: str) -> PromotionPlan:
        """Price what a promotion would buy now."""
        return promotion_plan(self._settings, run_id)

    def start(self, run_id: str) -> None:
        """Begin to buy a run's finalists. This spends money, within the campaign's budget.

        Raises:
            RunError: A promotion of this run is running here. Nothing more was bought.
            SettingError: The process could not be started. Nothing was bought.
        """
        self.begin(run_id, ("promote", run_id, "--yes"))


def _start(words: Sequence[str]) -> _Child:
    command = program_words(PROGRAM, *words)
    output = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        output.close()
        raise SettingError(
            where="purchase", what=f"the purchasing process could not be started: {error.strerror}"
        ) from error
    return _Child(process, output)


def _lines(output: IO[bytes]) -> list[str]:
    # The child writes at its own file position; pread does not move it.
    import os

    text = os.pread(output.fileno(), 1_000_000, 0).decode(errors="replace")
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _last_line(output: IO[bytes]) -> str:
    """Return the last sentence; what is indented are commands that belong to one."""
    lines = _lines(output)
    return next((line for line in reversed(lines) if not line.startswith(" ")), lines[-1] if lines else "")


def _last_lines(output: IO[bytes]) -> str:
    return " ".join(line.strip() for line in _lines(output)[-3:])
