"""One Prefect server for all tests that need any: the workers of a test session share it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.child_process import read_line, started, wait_for_end

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
    """Use the folder's server, or start it; it ends with the last who uses it. Gives its address."""
    words = [sys.executable, "-c", PROGRAM, str(folder)]
    with started(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        yield read_line(keeper).strip()
        wait_for_end(keeper)
