"""Runs the command in forks of one process, and ends each at a crash point.

A fork has everything imported, so that a command takes a second. Commands are read as JSON from standard
input, a line each; the answer is a line as well. Run it as ``python -m tests.support.crash_process``.
"""

import asyncio
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tasks.crash_points import Moment, watching
from tests.support.crash_page import buy_on_page, make_older_ledger

SEAMS = ("crash_points.py", "atomic.py", "database.py", "contextlib.py", "crash_process.py")
KILLED_BY_ITSELF = 137


class Killer:
    """Writes down the points that are passed, and ends the process at one of them.

    Args:
        trace: Where the points' names go, a line each.
        at: The number of the last point, from 1; 0 for none.
        how: ``exit`` is `os._exit`; ``kill`` waits for SIGKILL from the parent; ``power`` undoes what was not
            synced, then exits.
        parent: Where the parent waits to be asked for SIGKILL.
    """

    def __init__(self, trace: Path, at: int, how: str, parent: int) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._at, self._how, self._parent = at, how, parent
        self._n, self._lock = 0, threading.Lock()
        self._unsynced: dict[Path, bytes | None] = {}

    def __call__(self, moment: Moment, paths: tuple[Path, ...]) -> None:
        """Pass a point; what has the lock when the process ends keeps all others from going on."""
        with self._lock:
            self._n += 1
            os.write(self._trace, f"{moment}: {_place(paths)}\n".encode())
            self._note(moment, paths)
            if self._n == self._at:
                self._end()

    def _note(self, moment: Moment, paths: tuple[Path, ...]) -> None:
        """Remember what a power cut would undo: renamed files whose folder is not synced."""
        if moment == "file written":
            for path in paths:
                self._unsynced.setdefault(path, path.read_bytes() if path.exists() else None)
        elif moment == "folder synced":
            for path in paths:
                self._unsynced.pop(path, None)

    def _end(self) -> None:
        if self._how == "kill":
            os.write(self._parent, b"!")
            time.sleep(60)
        if self._how == "power":
            for path, before in self._unsynced.items():
                path.unlink(missing_ok=True) if before is None else path.write_bytes(before)
        os._exit(KILLED_BY_ITSELF)


def _place(paths: tuple[Path, ...]) -> str:
    """Name a point by its file, or by the function that writes."""
    if paths:
        return " ".join(path.parent.name + "/" + path.name for path in paths)
    frame = sys._getframe(1)
    while frame.f_back and Path(frame.f_code.co_filename).name in SEAMS:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}"


def _command(words: list[str]) -> None:
    from flows.command_line import main

    sys.argv = ["runoff", *words]
    main()


def _flow(words: list[str]) -> None:
    """Make the run of a known id: file, home, run id."""
    from flows.engine import start_engine
    from flows.prototype import prototype

    file, home, run_id = words
    with start_engine(Path(home), lambda _: None) as engine:
        engine.wait_ready()
        asyncio.run(prototype(file, home, run_id))


ACTIONS: dict[str, Callable[[list[str]], None]] = {
    "command": _command,
    "flow": _flow,
    "page": lambda words: buy_on_page(*words),
    "older ledger": lambda words: make_older_ledger(*words),
}


def _run(job: dict[str, Any], parent: int) -> int:
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(Path(job["log"]).parent)
    os.environ.update(job["environ"])
    with (
        _ahead_of_a_lost_batch(job["ahead_s"]),
        watching(Killer(Path(job["trace"]), job["at"], job["how"], parent)),
    ):
        try:
            ACTIONS[job["action"]](job["words"])
        except SystemExit as end:
            return int(end.code or 0)
        except BaseException:
            traceback.print_exc()
            return 70
        finally:
            _modules(job).write_text("\n".join(sys.modules))
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
    return 0


@contextmanager
def _ahead_of_a_lost_batch(ahead_s: float) -> Iterator[None]:
    """Let a batch that nobody finds have been missing for that much longer."""
    from tasks.images_api.batch_lane import lane

    with patch.object(lane, "FOUND_WITHIN", lane.FOUND_WITHIN - timedelta(seconds=ahead_s)):
        yield


def _modules(job: dict[str, Any]) -> Path:
    return Path(job["log"]).with_name("modules")


def _learn(job: dict[str, Any]) -> int:
    """Import all that the last fork had imported."""
    for name in _modules(job).read_text().split():
        if name not in sys.modules:
            with suppress(Exception):
                importlib.import_module(name)
    return 0


def _fork(job: dict[str, Any]) -> int:
    """Run a job in a fork; returns its exit code, negative after a signal."""
    asked, parent = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(asked)
        os._exit(_run(job, parent))
    os.close(parent)
    if os.read(asked, 1):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.close(asked)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Import all that a command may need, then take jobs until the input ends."""
    import tasks.images_api.purchasing  # noqa: F401

    answers = os.fdopen(os.dup(1), "w")
    assert threading.active_count() == 1, threading.enumerate()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(_learn(job) if job["action"] == "learn" else _fork(job), file=answers, flush=True)


if __name__ == "__main__":
    main()
