"""Trials of crashes: a command ended at a point, resumed, and its end compared with that of one left alone.

The points of a way are counted in an undisturbed trial. Orders that a crash left unknown are dropped by the
provider in the trial that it is compared with.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from benchmarks.chaos_provider import current_caller, knowing_callers
from tasks.emulator import server as emulator
from tasks.emulator.app import create_app
from tasks.emulator.faults import FaultBook, FaultRule
from tasks.emulator.settings import EmulatorSettings
from tests.support.child_process import read_line
from tests.support.crash_ends import End, differences, end_of, log_of, without_parts
from tests.support.crash_process import KILLED_BY_ITSELF
from tests.support.crash_ways import CAMPAIGN, CONCURRENCY, FLOW, WAYS, Job, Way
from tests.support.provider import Provider

DONE = (0, 4)
"""Exit codes of a command that is over; 4 tells of unknown orders."""
CRASHED = (KILLED_BY_ITSELF, -9)


@dataclass(frozen=True)
class Crash:
    """Where and how processes end: the numbers of their last points, one process after the other."""

    at: tuple[int, ...]
    how: str


class Trials:
    """A provider, a process that forks commands, and a folder for homes."""

    def __init__(
        self, folder: Path, url: str, dropped: set[str], clock: list[float], prefect_url: str
    ) -> None:
        self.n_commands = 0
        self._ahead_s = 0.0
        self._folder, self._dropped, self._clock = folder, dropped, clock
        self.provider = Provider(url)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        self._environ = kept | {
            "PREFECT_API_URL": prefect_url, "RUNOFF_HOME": str(folder / "home"), **self.provider.environ,
            "OPENBLAS_NUM_THREADS": "1", "PREFECT_LOGGING_LEVEL": "ERROR",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environ,
        )  # fmt: skip
        read_line(self._process)
        self._templates: dict[str, Path] = {}
        self._warm_up()
        self._ends: dict[tuple[str, frozenset[str]], End] = {}

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _warm_up(self) -> None:
        """Let the process import what a run imports on its way, so that no fork has to."""
        with self._home(WAYS["run"]) as home:
            assert self._do(FLOW, home) in DONE, log_of(home)
            assert self._do(Job("learn", ()), home) == 0

    def points(self, way: Way) -> list[str]:
        """Name the points of a way, in the order in which an undisturbed command passes them."""
        with self._home(way) as home:
            assert self._do(way.job, home, trace="points") in DONE, log_of(home)
            return (home.parent / "points").read_text().splitlines()

    def play(self, way: Way, crash: Crash) -> list[str]:
        """Crash a way, finish it, and compare.

        Returns:
            What is wrong; empty if nothing is.
        """
        with self._home(way) as home:
            self._ahead_s = 0.0
            n_before = self._n_entries()
            jobs = [way.job, *[way.again or way.job] * len(crash.at)]
            for number, at in enumerate(crash.at):
                code = self._do(jobs[number], home, at=at, how=crash.how)
                self._pass_time(way)
                if code not in CRASHED:
                    break  # it ended before that point
            codes = [self._do(jobs[-1], home)]
            self._pass_time(way)
            if way.later_s:
                codes.append(self._do(jobs[-1], home))
            found = self._look(home, n_before)
        if way.leaves_parts:
            found = without_parts(found)
        wrong = [
            *found.faults,
            *(f"the last command ended with {code}" for code in codes if code not in DONE),
        ]
        if len(found.unknown()) > CONCURRENCY * len(crash.at):
            wrong.append(f"{len(found.unknown())} orders are unknown")
        wrong += differences(found, self._end_without(way, found.unknown()))
        return [f"{way.name} {crash}: {what}\n{found.log[-1500:]}" for what in wrong]

    def _end_without(self, way: Way, dropped: frozenset[str]) -> End:
        """Do what is done, undisturbed, at a provider that drops some orders."""
        key = (way.name, dropped)
        if key not in self._ends:
            with self._home(way) as home, self._dropping(dropped):
                n_before = self._n_entries()
                self._ahead_s = 0.0
                for job in [way.job, way.again or way.job][: 2 if way.later_s else 1]:
                    assert self._do(job, home) in DONE, log_of(home)
                    self._pass_time(way)
                self._ends[key] = self._look(home, n_before)
        return self._ends[key]

    @contextmanager
    def _dropping(self, orders: Collection[str]) -> Iterator[None]:
        self._dropped.update(orders)
        try:
            yield
        finally:
            self._dropped.clear()

    @contextmanager
    def _home(self, way: Way) -> Iterator[Path]:
        """A home as it is before the way begins; it is deleted in the end."""
        if way.name not in self._templates:
            folder = self._folder / f"template-{len(self._templates)}"
            (folder / "home").mkdir(parents=True)
            (folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN | dict(way.campaign)))
            limits = {"concurrency": CONCURRENCY}
            (folder / "home/providers.yaml").write_text(yaml.safe_dump({"providers": {"openai": limits}}))
            for job in way.before:
                assert self._do(job, folder / "home") in DONE, log_of(folder / "home")
                self._pass_time(way)
            self._templates[way.name] = folder
        # Always the same path: the report and the orders of drawn pictures name it.
        stage = self._folder / "stage"
        shutil.copytree(self._templates[way.name], stage)
        (stage / "log").unlink(missing_ok=True)
        try:
            yield stage / "home"
        finally:
            shutil.rmtree(stage)

    def _pass_time(self, way: Way) -> None:
        """Let time pass between two commands, at the provider and here."""
        self._clock[0] += way.later_s
        self._ahead_s += way.later_s

    def _do(self, job: Job, home: Path, *, at: int = 0, how: str = "exit", trace: str = "trace") -> int:
        self.n_commands += 1
        folder = home.parent
        words = [word.format(home=home, file=folder / "campaign.yaml") for word in job.words]
        asked = {
            "action": job.action, "words": words, "at": at, "how": how, "log": str(folder / "log"),
            "trace": str(folder / trace), "environ": {"RUNOFF_HOME": str(home)},
            "ahead_s": self._ahead_s,
        }  # fmt: skip
        assert self._process.stdin is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return int(read_line(self._process))

    def _n_entries(self) -> int:
        return len(self.provider.bill()["entries"])

    def _look(self, home: Path, n_before: int) -> End:
        charged: dict[str, list[int]] = {}
        for entry in self.provider.bill()["entries"][n_before:]:
            if entry["client_request_id"]:
                charged.setdefault(entry["client_request_id"], []).append(entry["charged_nanousd"])
        return end_of(home, charged)


@contextmanager
def open_trials(folder: Path, prefect_url: str) -> Iterator[Trials]:
    """Open a provider whose pictures and faults depend on the order alone, and a process that forks."""
    dropped: set[str] = set()
    clock = [1_795_000_000.0]

    class Drops(FaultBook):
        """Drops what the trials say now, and nothing else."""

        def choose(self, path: str, _: str | None, method: str = "POST", *__: object) -> FaultRule | None:
            if dropped and (method, path) == ("POST", "/v1/batches"):  # nobody will find the batch either
                return FaultRule(kind="drop", billed=False)
            return FaultRule(kind="drop") if current_caller() in dropped else None

    def create(settings: EmulatorSettings | None = None) -> Any:
        app = create_app(settings)
        app.state.emulator.fault_book = Drops((), 0)
        return knowing_callers(app)

    settings = EmulatorSettings(
        paint="plain", picture_by_client_request_id=True, batch_pace_s=1.0, now_s=lambda: clock[0]
    )
    with patch.object(emulator, "create_app", create), emulator.emulator_server(settings) as url:
        trials = Trials(folder, url, dropped, clock, prefect_url)
        try:
            yield trials
        finally:
            trials.close()


@contextmanager
def temporary_trials(prefect_url: str) -> Iterator[Trials]:
    """Open trials in a folder that is deleted in the end."""
    with (
        tempfile.TemporaryDirectory(prefix="runoff-crash-") as folder,
        open_trials(Path(folder), prefect_url) as t,
    ):
        yield t
