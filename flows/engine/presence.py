"""The doctor's check which Prefect server a run would use; imports and starts none."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from flows.engine.registry import Registry, is_alive
from tasks.diagnostics.finding import Finding

WAIT_S = 3.0


def check_engine(home: Path) -> Iterator[Finding]:
    """Check ``PREFECT_API_URL`` or this home's server; starts nothing if there is neither."""
    given = os.environ.get("PREFECT_API_URL")
    if given:
        trouble = _trouble(given)
        if trouble is None:
            yield Finding("Prefect", "ok", f"the server at {given} answers (PREFECT_API_URL)")
            return
        next_step = "Start it, or unset PREFECT_API_URL to let Runoff start its own."
        yield Finding("Prefect", "fault", f"PREFECT_API_URL={given} does not answer ({trouble})", next_step)
        return
    server = Registry(home / ".prefect").record() if (home / ".prefect").is_dir() else None
    if server is not None and is_alive(server.pid) and _trouble(server.api_url) is None:
        schedules = "with schedules" if server.with_schedules else "for a run in progress"
        yield Finding("Prefect", "ok", f"this home's own server runs at {server.api_url}, {schedules}")
        return
    yield Finding("Prefect", "ok", "embedded: each run starts its own server and stops it at the end")


def _trouble(api_url: str) -> str | None:
    """Return why a server does not answer; ``None`` if it does, even if only to ask for a key."""
    try:
        with urllib.request.urlopen(f"{api_url.rstrip('/')}/health", timeout=WAIT_S) as answer:
            return None if answer.read(10) == b"true" else "something else answers there"
    except urllib.error.HTTPError as error:
        error.close()
        return None if error.code in (401, 403) else f"status {error.code} from /health"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error))
