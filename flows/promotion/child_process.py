"""The action that the review page is given: a promotion in a process of its own.

The page's process never loads Prefect or the provider's client. The child is ``runoff promote`` itself, in a
session of its own, so that a Ctrl-C that ends the page does not end what is being bought.
"""

import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flows.promotion.action import Promotion
from flows.promotion.plan import PromotionPlan, promotion_plan
from tasks.errors import RunError, SettingError
from tasks.settings import Settings

PROGRAM = "import runoff; runoff.main()"
_INCOMPLETE = 4


@dataclass(frozen=True)
class _Child:
    process: "subprocess.Popen[bytes]"
    said: IO[bytes]


class ChildPromoter:
    """Starts promotions of one home's runs, each in a process of its own.

    Args:
        settings: The home and the environment.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()

    def price(self, run_id: str) -> PromotionPlan:
        """Price what a promotion would buy now."""
        return promotion_plan(self._settings, run_id)

    def start(self, run_id: str) -> None:
        """Begin to buy a run's finalists. This spends money, within the campaign's budget.

        Raises:
            RunError: A promotion of this run is under way here. Nothing more was bought.
            SettingError: The process could not be started. Nothing was bought.
        """
        with self._lock:
            known = self._children.get(run_id)
            if known is not None and known.process.poll() is None:
                raise RunError(where=f"run {run_id}", what="its finalists are being bought already")
            if known is not None:
                known.said.close()
            self._children[run_id] = _start(self._settings.home, run_id)

    def look(self, run_id: str) -> Promotion | None:
        """Tell how far the run's promotion is; ``None`` when none was started here."""
        child = self._children.get(run_id)
        if child is None:
            return None
        code = child.process.poll()
        if code is None:
            return Promotion("running", _last_line(child.said))
        is_over = code in (0, _INCOMPLETE)
        return Promotion("done" if is_over else "failed", "" if is_over else _last_words(child.said))

    def running(self) -> list[str]:
        """List the runs that are being promoted."""
        return [run_id for run_id, child in self._children.items() if child.process.poll() is None]

    def wait(self) -> None:
        """Wait until nothing is being bought, and let go of what the children said."""
        for child in self._children.values():
            child.process.wait()
            child.said.close()


def _start(home: Path, run_id: str) -> _Child:
    # -P keeps a folder called `flows` in the working folder from being taken for ours.
    command = [sys.executable, "-P", "-c", PROGRAM, "promote", run_id, "--yes", "--home", str(home)]
    said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        said.close()
        raise SettingError(where="promotion", what=f"could not be started: {error.strerror}") from error
    return _Child(process, said)


def _lines(said: IO[bytes]) -> list[str]:
    # The child writes at its own place in the file; reading by position leaves that alone.
    import os

    text = os.pread(said.fileno(), 1_000_000, 0).decode(errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _last_line(said: IO[bytes]) -> str:
    return next(iter(reversed(_lines(said))), "")


def _last_words(said: IO[bytes]) -> str:
    return " ".join(_lines(said)[-3:])
