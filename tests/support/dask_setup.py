"""A Dask scheduler and its workers on this machine, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_LIMIT_S = 60


@dataclass
class DaskSetup:
    """A scheduler and its workers.

    Args:
        folder: Where they keep their files and logs.
        environ: What every worker has in its environment.
        address: Where the scheduler is.
        workers: Their processes, by name.
    """

    folder: Path
    environ: dict[str, str]
    address: str = ""
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start_worker(self, name: str, **environ: str) -> None:
        """Start a worker; it is there once the scheduler knows it."""
        words = ["dask_worker", self.address, "--name", name, "--nthreads", "2", "--no-nanny"]
        words += ["--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(self.folder / name)]
        self.workers[name] = self._start(name, words, environ)

    def kill_worker(self, name: str) -> None:
        """Kill a worker as the loss of its machine would."""
        self.workers[name].kill()
        self.workers[name].wait()

    def said(self) -> str:
        """Tell what all of them wrote."""
        return "\n".join(f"{log.name}:\n{log.read_text()}" for log in sorted(self.folder.glob("*.log")))

    def _start(self, name: str, words: list[str], environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{words[0]}", *words[1:]],
                env={**self.environ, **environ}, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip


def n_done_by_worker(team: DaskSetup) -> dict[str, int]:
    """Count the tasks that each worker has done."""
    from distributed import Client

    with Client(team.address, set_as_default=False) as client:
        counts: dict[str, int] = client.run(lambda dask_worker: dask_worker.state.executed_count)
    return counts


def opencv_threads(team: DaskSetup) -> list[int]:
    """Ask each worker how many threads OpenCV has there."""
    from distributed import Client

    with Client(team.address, set_as_default=False) as client:
        counts: dict[str, int] = client.run(lambda: __import__("cv2").getNumThreads())
    return list(counts.values())


@contextmanager
def dask_setup(folder: Path, environ: Mapping[str, str], *workers: str) -> Iterator[DaskSetup]:
    """Start a scheduler and workers, and end them all."""
    folder.mkdir(parents=True, exist_ok=True)
    team = DaskSetup(folder, {name: os.environ[name] for name in ("PATH", "HOME")} | dict(environ))
    file = folder / "scheduler.json"
    words = ["dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
    scheduler = team._start("scheduler", [*words, "--scheduler-file", str(file)], {})
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not file.exists() or not file.read_text().strip().endswith("}"):
            if scheduler.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(team.said())
            time.sleep(0.05)
        team.address = json.loads(file.read_text())["address"]
        for name in workers:
            team.start_worker(name)
        yield team
    finally:
        for process in (*team.workers.values(), scheduler):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (*team.workers.values(), scheduler):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
