"""One Prefect server for all tests that need any, shared by the workers of a test session, and its client."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.child_process import read_line, started

PROGRAM = """
import sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), lambda line: None) as engine:
    engine.wait_ready()
    print(engine.api_url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """Use the folder's server, or start it. Gives its address.

    Some seconds after the last of its users has ended, the server ends by itself; no test waits for that.
    """
    words = [sys.executable, "-c", PROGRAM, str(folder)]
    # A server of one module's own may be named there while this one is first asked for.
    own = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    with started(words, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        yield read_line(keeper).strip()


N_TRIES = 30


class _UntilFree(httpx.HTTPTransport):
    """Asks again while the server's database is locked by another test, as Prefect's own client does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request until the answer is another than 503; the last answer counts."""
        for _ in range(N_TRIES):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            answer.close()
            time.sleep(1)
        return answer


def prefect_client(api_url: str) -> httpx.Client:
    """Open a client of the server's API for what Prefect's own client cannot ask."""
    return httpx.Client(base_url=api_url, timeout=30, transport=_UntilFree())
