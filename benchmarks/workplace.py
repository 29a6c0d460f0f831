"""Shared parts of benchmarks of whole runs: a provider in another process, a home, and the installed command.

The provider is the emulator with plain pictures, so that it takes little CPU time, and with a fixed time per
answer. Its mosaics have a few kilobytes; with grain they are as large as real PNG pictures of low quality.
"""

import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.emulator import mosaic, server
from tasks.emulator.app import create_app
from tasks.emulator.settings import EmulatorSettings

COMMAND = str(Path(sys.executable).parent / "runoff")
ROOT = Path(__file__).parents[1]
KEY = "sk-benchmark"
MODEL = "gpt-image-2"
"""One that promptfoo knows too, so that all programs send the same request."""
GRAINY_SHARE = 0.5
"""How many of a grainy picture's pixels have a colour of their own: PNG of 1024 x 1024 weigh 0.6 MB then."""

SAMPLE_S = 0.1
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
RECEIVED = "/_received"

KEEP_A_SERVER = """
import sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), lambda line: None, with_schedules=True) as engine:
    engine.wait_ready()
    print(engine.api_url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Provider:
    """An emulator in another process."""

    url: str

    @property
    def n_orders(self) -> int:
        """How many requests for pictures it received; the list of models is none."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/_bill") as answer:
            entries = json.load(answer)["entries"]
        return sum("/images/" in entry["path"] for entry in entries)

    @property
    def received_at(self) -> list[float]:
        """When it received each request for pictures, in seconds since 1970."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + RECEIVED) as answer:
            moments: list[float] = json.load(answer)
        return moments


@contextlib.contextmanager
def open_provider(latency_s: float, *, is_grainy: bool = False) -> Iterator[Provider]:
    """Serve an emulator in another process, each answer after ``latency_s`` seconds."""
    program = [sys.executable, "-m", "benchmarks.workplace", str(latency_s), str(int(is_grainy))]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout is not None
        try:
            yield Provider(emulator.stdout.readline().strip())
        finally:
            emulator.terminate()


@contextlib.contextmanager
def open_prefect_server(home: Path) -> Iterator[str]:
    """Keep a Prefect server as ``runoff serve`` does; yields its address."""
    program = [sys.executable, "-c", KEEP_A_SERVER, str(home)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def write_campaign(folder: Path, n_orders: int) -> Path:
    """Write a campaign of two arms and ten rows that buys drafts only, one an order."""
    campaign = {
        "name": "benchmark",
        "provider": "openai",
        "budget": {"per_run_usd": "200.00"},
        "variables": {"number": list(range(10))},
        "arms": {
            "A": {"prompt": "Picture {{ number }}, watercolour"},
            "B": {"prompt": "Picture {{ number }}, studio photograph"},
        },
        "drafts": {"model": MODEL, "quality": "low", "size": "1024x1024", "per_prompt": n_orders // 20},
        "finalists": {"count": 4, "approval": "review"},
        "finals": {"model": "gpt-image-2.5-sunburst", "quality": "medium", "size": "1024x1024"},
    }
    file = folder / "benchmark.yaml"
    file.write_text(yaml.safe_dump(campaign))
    return file


def write_home(home: Path, concurrency: int) -> None:
    """Make a home whose provider allows that many requests at once."""
    home.mkdir(parents=True, exist_ok=True)
    limits = {"providers": {"openai": {"concurrency": concurrency, "images_per_minute": 1_000_000}}}
    (home / "providers.yaml").write_text(yaml.safe_dump(limits))


def environ_of(home: Path, provider: Provider | None = None, prefect: str | None = None) -> dict[str, str]:
    """Make the environment of a command, with none of Runoff's variables but those given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    kept |= {"RUNOFF_HOME": str(home), "OPENAI_API_KEY": KEY}
    if provider is not None:
        kept["OPENAI_BASE_URL"] = provider.url
    if prefect is not None:
        kept["PREFECT_API_URL"] = prefect
    return kept


@dataclass(frozen=True)
class Timed:
    """A command that was run to its end.

    Args:
        began: When it was started (UTC).
        ended: When it was gone (UTC).
        first_line_s: Seconds until its first line.
        cpu_s: Seconds of processor time, children included.
        peak_mb: The most resident memory of it and its children together, sampled every 0.1 s, MB.
        output: What it printed.
    """

    began: datetime
    ended: datetime
    first_line_s: float
    cpu_s: float
    peak_mb: float
    output: str

    @property
    def wall_s(self) -> float:
        """Seconds from start to end."""
        return (self.ended - self.began).total_seconds()


def run_timed(
    *words: str | Path, environ: Mapping[str, str], cwd: Path, accepted: Sequence[int] = (0,)
) -> Timed:
    """Run a command, without a terminal, and time it.

    Args:
        words: The command.
        environ: Its whole environment.
        cwd: Where it runs.
        accepted: Exit codes that are no failure.

    Raises:
        RuntimeError: It failed.
    """
    began, before = datetime.now(UTC), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        [str(word) for word in words], cwd=cwd, env=dict(environ), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        with _sampled_memory(process.pid) as samples:
            first = process.stdout.readline()
            first_line_s = (datetime.now(UTC) - began).total_seconds()
            output = first + process.stdout.read()
            process.wait()
    ended, after = datetime.now(UTC), resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in accepted:
        raise RuntimeError(output)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(began, ended, first_line_s, cpu_s, max(samples, default=0.0), output)


@contextlib.contextmanager
def _sampled_memory(pid: int) -> Iterator[list[float]]:
    """Add up the resident memory of a process and its children again and again, MB; only on Linux."""
    samples: list[float] = []
    is_over = threading.Event()

    def sample() -> None:
        while not is_over.wait(SAMPLE_S):
            samples.append(sum(map(_resident_mb, processes_of(pid))))

    sampling = threading.Thread(target=sample)
    sampling.start()
    try:
        yield samples
    finally:
        is_over.set()
        sampling.join()


def processes_of(pid: int) -> Iterator[int]:
    """List a process and all that it started; only on Linux."""
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in listed.read_text().split():
                yield from processes_of(int(child))


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB
    except OSError:  # it has ended
        return 0.0


def task_times(prefect_home: Path, after: datetime) -> list[tuple[str, datetime, datetime]]:
    """Read from a Prefect server's database which tasks ran since then, when they began and ended (UTC)."""
    deadline = time.monotonic() + 10  # a server writes what it received a second or two later
    while True:
        found = _task_runs(prefect_home, after)
        if any(name == "report" for name, _, _ in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _task_runs(prefect_home: Path, after: datetime) -> list[tuple[str, datetime, datetime]]:
    database = sqlite3.connect(f"file:{prefect_home / 'prefect.db'}?mode=ro", uri=True)
    with contextlib.closing(database):
        rows: list[Any] = database.execute(
            "SELECT name, start_time, end_time FROM task_run WHERE end_time IS NOT NULL"
        ).fetchall()
    runs = [(name.rsplit("-", 1)[0], _moment(began), _moment(ended)) for name, began, ended in rows]
    return sorted((run for run in runs if run[1] >= after), key=lambda run: run[1])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _grainy_parts(size: tuple[int, int]) -> tuple[bytes, bytes]:
    """Make the parts of a mosaic whose pixels stray into the colours of other tiles."""
    import struct
    import zlib

    chance = np.random.default_rng(5)
    width, height = size
    rows, columns = np.indices((height, width))
    tiles = (rows * mosaic.GRID // height * mosaic.GRID + columns * mosaic.GRID // width).astype(np.uint8)
    strays = chance.integers(0, mosaic.GRID * mosaic.GRID, tiles.shape, dtype=np.uint8)
    pixels = np.where(chance.random(tiles.shape) < GRAINY_SHARE, strays, tiles)
    lines = np.hstack([np.zeros((height, 1), np.uint8), pixels]).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunk = mosaic.png_chunk
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head),
        chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b""),
    )


def noting_receipt(app: ASGIApp) -> ASGIApp:
    """Have a provider note when each request for pictures came, and answer with that at ``RECEIVED``."""
    received_at: list[float] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == RECEIVED:
            await JSONResponse(received_at)(scope, receive, send)
            return
        if "/images/" in scope["path"]:
            received_at.append(time.time())
        await app(scope, receive, send)

    return noting


def main(latency_s: str, is_grainy: str) -> None:
    """Serve as the provider until ended; the first line printed is the address."""
    if int(is_grainy):
        made: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        mosaic.png_parts = lambda size: made.setdefault(size, made.get(size) or _grainy_parts(size))  # type: ignore[assignment]
        mosaic.png_parts((1024, 1024))
    settings = EmulatorSettings(
        paint="plain", pace=1.0, latency_s=dict.fromkeys(("low", "high"), float(latency_s))
    )
    with mock.patch.object(server, "create_app", lambda settings: noting_receipt(create_app(settings))):
        server.serve(settings, ready=lambda url: print(url, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
