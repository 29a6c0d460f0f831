"""A Dask worker whose terminal is closed stops as one that is told to: it finishes what it has in flight.

Dask handles SIGINT and SIGTERM alone; SIGHUP would end the worker at once, and lose what it was paid for.
"""

import os
import signal
from contextlib import suppress

from distributed import Worker, WorkerPlugin


class StopsAtHangup(WorkerPlugin):
    """Turns SIGHUP into SIGTERM, unless somebody had it ignored, as ``nohup`` does."""

    name = "runoff-hangup"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Handle the signal from now on; only a process's main thread can."""
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            with suppress(ValueError):
                signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
