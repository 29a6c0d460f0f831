"""Child processes that cannot hold a test up: every line and every end is waited for with a limit."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIMIT_S = 150.0

TextProcess = subprocess.Popen[str]


@contextmanager
def started(words: Sequence[str | Path], **settings: Any) -> Iterator[TextProcess]:
    """Start a child that speaks text; it is killed in the end, should it still be there."""
    with subprocess.Popen(words, text=True, **settings) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_line(process: TextProcess, limit_s: float = LIMIT_S) -> str:
    """Read a child's next line.

    Raises:
        AssertionError: It ended, or said nothing in time and was killed; with what it said until then.
    """
    assert process.stdout is not None
    killer = threading.Timer(limit_s, process.kill)
    killer.start()
    try:
        line = process.stdout.readline()
    finally:
        killer.cancel()
    assert line, f"no line within {limit_s:.0f} s; {_last_words(process)}"
    return line


def end_by(process: TextProcess, how: signal.Signals, limit_s: float = LIMIT_S) -> tuple[str, str]:
    """Send a signal and wait for the end; returns what was said on both outputs.

    Raises:
        AssertionError: It did not end in time and was killed; with what it said.
    """
    process.send_signal(how)
    return wait_for_end(process, limit_s)


def wait_for_end(process: TextProcess, limit_s: float = LIMIT_S) -> tuple[str, str]:
    """Close the child's input and wait for its end; returns what was said on both outputs.

    Raises:
        AssertionError: It did not end in time and was killed; with what it said.
    """
    if process.stdin is not None and process.stdin.closed:
        process.stdin = None  # or it would be flushed
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        message = f"no end within {limit_s:.0f} s; {_last_words(process)}"
        raise AssertionError(message) from None
    return out or "", err or ""


def wait_until(
    condition: Callable[[], bool],
    limit_s: float = LIMIT_S,
    *,
    every_s: float = 0.05,
    told: Callable[[], object] = str,
) -> None:
    """Wait for a condition, looking every so often.

    Raises:
        AssertionError: It did not come true in time; with what ``told`` tells then.
    """
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not true within {limit_s:.0f} s; {told()}"
        time.sleep(every_s)


def _last_words(process: TextProcess) -> str:
    out, err = process.communicate()
    return f"exit code {process.returncode}\noutput: {out}\nerrors: {err}"
