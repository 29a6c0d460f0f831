"""The process that evaluates a run beside the one that buys: it does what it is asked until it is left.

Several evaluations may go on at once, such as inspecting new pictures and comparing earlier ones. It ends
when the other process closes the connection or ends itself, even killed, and then at once.
"""

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType

from flows.run_report import load_for_report
from flows.runs.progress import PlainDisplay, lasting_outputs, showing
from flows.runs.run import StoredRun
from flows.workers.evaluator import Answer, Opening, Request
from tasks.errors import RunoffError
from tasks.inspect import load_libraries
from tasks.ledger import open_ledger
from tasks.memory import be_first_to_end, use_one_heap
from tasks.settings import Settings

AT_ONCE = 4
"""How many evaluations may go on at once: inspecting, comparing, stopping that, and loading."""


def main(descriptor: int) -> None:
    """Evaluate until the other side is gone.

    Args:
        descriptor: The file descriptor of this side of the connection.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the other process decides, and is awaited by its own
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    use_one_heap()
    be_first_to_end()
    connection = Connection(descriptor)
    try:
        opening: Opening = connection.recv()
    except (EOFError, OSError):
        os._exit(0)  # no run came of it
    sys.path.extend(place for place in opening.path if place not in sys.path)
    _Serving(connection, opening).serve()


def _load_for(run: StoredRun) -> None:
    """Load what a run needs. Not before there is one: it would slow the first request down."""
    load_libraries()
    load_for_report(run)


def _collect_garbage(_loaded: object) -> None:
    """Collect garbage again, but not in what was loaded, which stays."""
    gc.freeze()
    gc.enable()


class _Serving:
    """This side of the connection."""

    def __init__(self, connection: Connection, opening: Opening) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="evaluation")
        settings = Settings(opening.home, MappingProxyType(opening.environ))
        ledger = open_ledger(settings.home, settings.environ)
        ledger.database.say = self.say
        ledger.share_hold(opening.run_id, opening.hold)
        self._run = StoredRun.find(settings, ledger, opening.run_id)

    def serve(self) -> None:
        """Do what is asked until the other side is gone, and end this process."""
        self._threads.submit(_load_for, self._run).add_done_callback(_collect_garbage)
        with lasting_outputs(), showing(_Lines(self.say)):
            try:
                while True:
                    request: Request = self._connection.recv()
                    self._threads.submit(copy_context().run, self._answer, request)
            except (EOFError, OSError):
                os._exit(0)  # nothing that goes on here is awaited by anybody
            except Exception:
                os._exit(1)

    def say(self, line: str) -> None:
        """Have a line shown by the other process."""
        self._send(Answer(None, line=line))

    def _answer(self, request: Request) -> None:
        run = self._run if request.campaign is None else self._run.decided_by(request.campaign)
        try:
            result = request.evaluation(run, *request.args, **request.kwargs)
        except Exception as error:
            if not isinstance(error, RunoffError):
                error.add_note(traceback.format_exc())  # which is not sent along
            self._send(Answer(request.number, error=error))
        else:
            self._send(Answer(request.number, result))

    def _send(self, answer: Answer) -> None:
        try:
            data = ForkingPickler.dumps(answer)
            ForkingPickler.loads(data)  # many errors can be pickled and not be made again
        except Exception as fault:
            data = ForkingPickler.dumps(
                Answer(answer.number, error=RuntimeError(repr(answer.error or fault)))
            )
        with self._sending, suppress(OSError):  # who is gone needs no answer
            self._connection.send_bytes(data)


class _Lines(PlainDisplay):
    """Has the other process show what is said here."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._pass_on = say

    def say(self, line: str) -> None:
        """Have one line shown."""
        self._pass_on(line)
