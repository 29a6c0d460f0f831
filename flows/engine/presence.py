"""The doctor's check which Prefect server a run would use; imports and starts none."""

import os
from collections.abc import Iterator
from pathlib import Path

from flows.engine.prefect_server import PrefectServer
from flows.engine.registry import Registry, is_alive
from tasks.diagnostics.finding import Finding
from tasks.errors import EngineError

WAIT_S = 3.0


def check_engine(home: Path) -> Iterator[Finding]:
    """Check ``PREFECT_API_URL`` or this home's server; starts nothing if there is neither."""
    try:
        given = PrefectServer.of(os.environ)
    except EngineError as error:
        yield Finding.of("Prefect", error)
        return
    if given is not None:
        trouble = given.trouble(WAIT_S)
        if trouble is None:
            yield Finding("Prefect", "ok", f"the server at {given.api_url} answers (PREFECT_API_URL)")
            return
        next_step = "Start it, or unset PREFECT_API_URL to let Runoff start its own."
        what = f"PREFECT_API_URL={given.api_url} cannot be used ({trouble.what})"
        yield Finding("Prefect", "fault", what, next_step)
        return
    known = Registry(home / ".prefect").records() if (home / ".prefect").is_dir() else []
    for server in known:
        if not is_alive(server.pid) or not _is_fine(server.api_url):
            continue
        schedules = "with schedules" if server.with_schedules else "for a run in progress"
        yield Finding("Prefect", "ok", f"this home's own server runs at {server.api_url}, {schedules}")
        return
    yield Finding("Prefect", "ok", "embedded: each run starts its own server and stops it at the end")


def _is_fine(api_url: str) -> bool:
    return PrefectServer(api_url, {}).trouble(WAIT_S) is None
