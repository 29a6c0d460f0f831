"""The entrypoints of the flows for Prefect's deployments.

Prefect puts the working folder first on the path while it imports an entrypoint; this module imports
Runoff's ``flows`` even if that folder has another one. It also keeps tracebacks of Runoff's own errors, which
say all that a user needs, out of what such a flow run prints; and lets the process go on when nobody reads
that any more, because what started it was killed; and uses threads and memory as the command does.
"""

import logging

from tasks.own_process import use_few_threads_and_one_heap

use_few_threads_and_one_heap()  # before the flows load NumPy

from flows.promote import promote  # noqa: E402
from flows.prototype import prototype  # noqa: E402
from flows.runs.progress import print_unheard  # noqa: E402
from tasks.errors import RunoffError  # noqa: E402

__all__ = ["promote", "prototype"]


def _without_traceback(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, RunoffError):
        record.msg, record.args, record.exc_info = str(error), (), None
    return True


print_unheard()
for _name in ("prefect.flow_runs", "prefect.engine"):
    logging.getLogger(_name).addFilter(_without_traceback)
