"""The trace of a run: the span of the process that works on it, which goes on from the one before.

A run that is resumed, or whose finalists are bought days later, has a trace of its own each time, with a link
to the one before: its file in the run's folder says which that is.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from flows.runs.progress import current_display
from tasks.errors import LedgerError, SettingError
from tasks.storage.atomic import write_atomically
from tasks.storage.home import TRACE_FILE
from tasks.tracing import Carrier, Span, begin_tracing, carrier_in, current_carrier, end_tracing, span

if TYPE_CHECKING:
    from pathlib import Path

    from flows.session.prepare import Prepared
    from flows.session.session import Session

MAX_CHARS = 4096


@asynccontextmanager
async def traced_run(prepared: "Prepared") -> AsyncIterator[Span]:
    """Trace what this process does for a run, if the environment asks for traces.

    Args:
        prepared: The prepared run.

    Yields:
        Its span.
    """
    environ = prepared.settings.environ
    begin_tracing(environ, current_display().say)
    run_id, campaign = prepared.run_id, prepared.campaign.name
    try:
        with span("run", parent=carrier_in(environ), run=run_id, campaign=campaign) as made:
            yield made
    finally:
        await asyncio.to_thread(end_tracing)


def link_to_trace_before(made: Span, folder: "Path") -> None:
    """Link a run's span to the one before, and leave its own to whoever goes on.

    Args:
        made: The run's span.
        folder: The run's folder, locked.
    """
    if carrier := current_carrier():
        made.follow(_read(folder / TRACE_FILE))
        with suppress(SettingError):  # a full disk is reported by what matters
            write_atomically(folder / TRACE_FILE, json.dumps(carrier).encode(), is_durable=False)


def note_end(made: Span, run: "Session") -> None:
    """Note in a run's span how far the run has come, and what it is charged by now.

    Args:
        made: The run's span.
        run: The run, still open.
    """
    with suppress(LedgerError):
        record = run.ledger.runs.find(run.run_id)
        made.note(state=record.state, charged_usd=float(run.ledger.orders.charged_usd(run.run_id)))


def _read(file: "Path") -> Carrier:
    """Read the span before; nothing from a file that is missing or no longer makes sense."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(file.read_text("utf-8")[:MAX_CHARS])
        if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
            return found
    return {}
