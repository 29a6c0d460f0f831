"""What a Dask worker does for Runoff: it heeds a closed terminal, and uses threads and memory as the command.

Dask handles SIGINT and SIGTERM alone; SIGHUP would end the worker at once, and lose what it was paid for.
"""

import os
import signal
from contextlib import suppress

from distributed import Worker, WorkerPlugin

from tasks.own_process import use_few_threads_and_one_heap


class RunoffWorker(WorkerPlugin):
    """Turns SIGHUP into SIGTERM, unless somebody had it ignored, as ``nohup`` does; sets threads and heaps.

    Dask has loaded NumPy by then: only the worker's environment can still tell BLAS how many threads it has.
    """

    name = "runoff"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Set it from now on; only a process's main thread can handle a signal."""
        use_few_threads_and_one_heap()
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            with suppress(ValueError):
                signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
