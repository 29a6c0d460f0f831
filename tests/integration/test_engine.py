"""The Prefect server that Runoff brings up, shares and leaves: at its doors, with real processes."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import pytest
from packaging.requirements import Requirement

from flows.engine import Engine, start_engine
from flows.engine.registry import HOST, Registry, is_alive
from flows.engine.schema import make_database, migrate_from_nothing, read_schema
from tasks.errors import EngineError, SettingError
from tests.support.child_process import end_by, read_line, started, wait_until
from tests.support.network_watch import WATCH_MODULE

LIMIT_S = 120

FLOW_PROGRAM = """
import asyncio, sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), print) as engine:
    from prefect import flow
    from flows.stages.prefect_task import as_task

    async def count(numbers):
        await asyncio.sleep(0.001)
        return len(numbers)

    batch = as_task("count")(count)

    @flow
    async def counting():
        return sum(await asyncio.gather(*[batch([index]) for index in range(60)]))

    engine.wait_ready()
    print("counted", asyncio.run(counting()))
"""

FULL_DISK_PROGRAM = """
import resource, sys
from pathlib import Path
from flows.engine import start_engine
from tasks.errors import SettingError
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    start_engine(Path(sys.argv[1]), print)
except SettingError as error:
    print(error)
"""

STEPS_PROGRAM = """
import asyncio, sys
from pathlib import Path
from flows.engine import start_engine
from tasks.errors import SettingError

seen = []

async def scale(numbers, *, factor):
    seen.append(numbers)
    return sum(numbers) * factor

def refuse(numbers):
    seen.append(numbers)
    raise SettingError(where="here", what="no")

with start_engine(Path(sys.argv[1]), str) as engine:
    from prefect import flow
    from flows.stages.prefect_task import as_task

    numbers = list(range(1000))

    @flow
    async def steps():
        try:
            as_task("refuse")(refuse)(numbers)
        except SettingError:
            print("caught")
        return await as_task("scale")(scale)(numbers, factor=0.001)

    async def count(numbers):
        return len(numbers)

    @flow
    async def counting():
        return sum(await asyncio.gather(*[as_task("count")(count)([index]) for index in range(60)]))

    engine.wait_ready()
    print(asyncio.run(steps()))
    print([given is numbers for given in seen])
    print("counted", asyncio.run(counting()))
"""

HOLD_PROGRAM = """
import sys, time
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), print) as engine:
    print(engine.api_url, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _no_server_of_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own server out of the tests."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that all these tests share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[Engine]:
    """The one server that all these tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_API_URL", raising=False)
        with start_engine(home, print) as engine:
            engine.wait_ready()
            yield engine


def run_program(program: str, *args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a Python program in a process of its own, as from a fresh shell, and return what it said."""
    shell = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        env=shell | environment, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def server_of(home: Path) -> int:
    """Return the process id of a home's server."""
    record = Registry(home / ".prefect").record()
    assert record is not None
    return record.pid


@pytest.mark.slow
def test_server_starts_beside_other_work_and_is_shared_with_a_second_start(tmp_path: Path) -> None:
    """The start returns at once, work goes on, and while waiting one hears why.

    A record of a dead process, or one that listens no more, is passed over. Two engines in one process are
    one server; the inner one leaves it to the outer.
    """
    registry = Registry(tmp_path / ".prefect")
    stale = {"port": 9, "pid": os.getpid(), "with_schedules": True, "host": HOST}
    (registry.folder / "servers" / f"{HOST}~9.json").write_text(json.dumps(stale))
    said: list[str] = []
    began_s = time.monotonic()
    with start_engine(tmp_path, said.append) as engine:
        returned_s = time.monotonic() - began_s
        assert os.environ["PREFECT_API_URL"] == engine.api_url
        asyncio.run(engine.ready())
        ready_s = time.monotonic() - began_s
        server = server_of(tmp_path)
        assert ":9/" not in engine.api_url
        del os.environ["PREFECT_API_URL"]
        with start_engine(tmp_path, print) as inner:
            assert inner.api_url == engine.api_url
        engine.wait_ready()
    assert returned_s < ready_s / 3
    assert all("Prefect's server is starting" in line for line in said)
    assert said or ready_s < 3.5
    assert "PREFECT_API_URL" not in os.environ
    assert not is_alive(server)


@pytest.mark.slow  # every day: the environment's part, tests/unit/flows/engine/test_settings.py
def test_threads_share_a_server_that_outlives_the_one_that_started_it(tmp_path: Path) -> None:
    """A second run in a thread keeps its server; when both have ended, nothing is left of it."""
    with ThreadPoolExecutor(1) as beside, ExitStack() as second:
        with start_engine(tmp_path, print) as first:
            first.wait_ready()
            other = beside.submit(start_engine, tmp_path / "of another home", print).result()
            second.enter_context(other)
            server = server_of(tmp_path)
        assert is_alive(server)
        assert os.environ["PREFECT_API_URL"] == first.api_url
        other.wait_ready(limit_s=5)
    wait_until(lambda: not is_alive(server), 15)
    assert "PREFECT_API_URL" not in os.environ


@pytest.mark.slow  # every day: whole runs on one server, and their states in it
def test_nothing_outside_is_looked_up_and_no_task_run_is_lost(tmp_path: Path) -> None:
    """A whole embedded run talks to 127.0.0.1 alone, and its 60 task runs are all in the database."""
    watch, seen = tmp_path / "watch", tmp_path / "seen.txt"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH_MODULE)
    told = run_program(FLOW_PROGRAM, str(tmp_path / "home"), PYTHONPATH=str(watch), WATCH_FILE=str(seen))
    assert "counted 60" in told.stdout, told.stderr
    places = {line.split(" ", 1)[1] for line in seen.read_text().splitlines()}
    assert "127.0.0.1" in places
    assert places <= {"127.0.0.1", "localhost", "::1"}
    assert task_runs_by_state(tmp_path / "home") == {"COMPLETED": 60}


def task_runs_by_state(home: Path) -> dict[str, int]:
    """Count the task runs in a stopped server's database."""
    with closing(sqlite3.connect(home / ".prefect" / "prefect.db")) as database:
        return dict(database.execute("SELECT state_type, count(*) FROM task_run GROUP BY 1").fetchall())


def test_server_outlives_its_starter_while_another_uses_it(tmp_path: Path) -> None:
    """The first process is killed; the second still has its server; with the second it ends."""
    words = [sys.executable, "-c", HOLD_PROGRAM, str(tmp_path)]
    with started(words, stdout=subprocess.PIPE) as first, started(words, stdout=subprocess.PIPE) as second:
        assert read_line(first) == read_line(second)
        server = server_of(tmp_path)
        end_by(first, signal.SIGKILL)
        time.sleep(1)
        assert is_alive(server)
        end_by(second, signal.SIGKILL)
        wait_until(lambda: not is_alive(server), 15)
    assert Registry(tmp_path / ".prefect").record() is None


def test_given_server_that_is_silent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PREFECT_API_URL where nobody answers is an error that names it; nothing is started."""
    url = "http://127.0.0.1:9/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    with start_engine(tmp_path, print) as engine, pytest.raises(EngineError) as caught:
        engine.wait_ready(limit_s=0.2)
    assert url in str(caught.value)
    assert "refused" in str(caught.value)
    assert "Nothing was bought" in str(caught.value)
    assert Registry(tmp_path / ".prefect").record() is None


def test_given_server_that_runs_is_used(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PREFECT_API_URL that answers is used as it is, and nothing is started."""
    monkeypatch.setenv("PREFECT_API_URL", engine.api_url)
    with start_engine(tmp_path, print) as other:
        other.wait_ready()
        assert other.api_url == engine.api_url
    assert Registry(tmp_path / ".prefect").record() is None
    engine.wait_ready(limit_s=1)


@pytest.mark.slow  # every day: a home that cannot be written, below
def test_server_that_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    """A database that is none ends the server, and its own log stands in the message."""
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "prefect.db").write_bytes(b"this is no database, and long enough to be none" * 9)
    with start_engine(tmp_path, print) as engine, pytest.raises(EngineError, match="file is not a database"):
        engine.wait_ready()


def test_home_that_cannot_be_written_is_a_setting_error(tmp_path: Path) -> None:
    """A home below a file is refused before anything starts."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="cannot be written"):
        start_engine(tmp_path / "file" / "home", print)


@pytest.mark.slow  # every day: servers start on the quick database and record a run's 60 tasks in it
def test_a_disk_without_room_for_its_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    """No file may become as large as the database: nothing of it stays, and there is no traceback."""
    told = run_program(FULL_DISK_PROGRAM, str(tmp_path / "home"))
    assert told.returncode == 0, told.stderr
    assert "the home cannot be written" in told.stdout
    assert "Nothing was bought. Free disk space" in told.stdout
    assert not list((tmp_path / "home" / ".prefect").glob("prefect.*"))


def test_empty_database_is_the_one_that_prefect_makes(tmp_path: Path) -> None:
    """The quick database holds, statement for statement, what Prefect's own migrations make."""
    assert make_database(tmp_path / "quick.db")
    migrated = tmp_path / "migrated"
    migrated.mkdir()
    quick, slow = read_schema(tmp_path / "quick.db"), migrate_from_nothing(migrated)
    assert quick["revision"] == slow["revision"]
    assert sorted(map(clauses, quick["statements"])) == sorted(map(clauses, slow["statements"]))


def clauses(statement: str) -> list[str]:
    """Split a statement into its lines; Prefect writes a table's constraints in any order."""
    return sorted(line.strip(" \t,") for line in statement.splitlines())


@pytest.mark.slow  # as for `serve`, in test_serve.py
def test_server_without_schedules_does_not_stand_in_for_one_with(tmp_path: Path) -> None:
    """Who needs schedules starts a server that has them; the plain one ends with its own last user."""
    with patch.dict(os.environ), start_engine(tmp_path, print) as plain:  # stopped before the other one
        server = server_of(tmp_path)
        del os.environ["PREFECT_API_URL"]
        with start_engine(tmp_path, print, with_schedules=True) as scheduled:
            assert scheduled.api_url != plain.api_url
            plain.stop()
            assert not is_alive(server)
            scheduled.wait_ready()
            assert server_of(tmp_path) != server


def test_home_that_is_deleted_takes_its_server_along(tmp_path: Path) -> None:
    """With its home gone the server ends, and so does the process that started it."""
    with start_engine(tmp_path / "home", print):
        server = server_of(tmp_path / "home")
        shutil.rmtree(tmp_path / "home")
        wait_until(lambda: not is_alive(server), 10)


def test_killed_process_takes_its_server_along(tmp_path: Path) -> None:
    """After kill -9 in the middle of the start, no server is left."""
    words = [sys.executable, "-c", HOLD_PROGRAM, str(tmp_path)]
    with started(words, stdout=subprocess.PIPE) as holder:
        read_line(holder)
        server = server_of(tmp_path)
        end_by(holder, signal.SIGKILL)
    wait_until(lambda: not is_alive(server), 10)


def has_taken(listener: socket.socket, port: int) -> bool:
    """Take a port, unless somebody still has it."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    listener.listen()
    return True


@pytest.mark.slow
def test_a_server_whose_port_is_taken_is_restarted_seldom_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's program has its port; once that is free again, it comes back there."""
    said: list[str] = []
    with start_engine(tmp_path, said.append) as engine:
        engine.wait_ready()
        server = Registry(tmp_path / ".prefect").record()
        assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(server.pid), 10)
        said.clear()
        with socket.socket() as other:
            wait_until(lambda: has_taken(other, server.port), 10)
            for _ in range(20):
                engine.mend()
            stopped, failed = said
            assert "has stopped; restarting it" in stopped
            assert f"could not be restarted at port {server.port}; trying again" in failed
        monkeypatch.setattr("flows.engine.start_server.LONGEST_WAIT_S", 0.0)
        engine.mend()
        engine.wait_ready()
        again = Registry(tmp_path / ".prefect").record()
        assert again is not None
        assert again.port == server.port
        assert [line for line in said if "restart" in line] == [stopped, failed]


@pytest.mark.slow  # every day: all commands of the tests use one server that runs
def test_second_process_uses_the_server_that_runs_for_its_steps(home: Path, engine: Engine) -> None:
    """Another process of the same home finds the server, and leaves it running when it ends.

    A task there sees the very objects it was given; its own error comes back, tried once, and is not logged.
    """
    told = run_program(STEPS_PROGRAM, str(home))
    assert told.stdout.split()[:4] == ["caught", "499.5", "[True,", "True]"], told.stderr
    assert "counted 60" in told.stdout, told.stderr
    assert "Traceback" not in told.stderr
    engine.wait_ready(limit_s=1)


def test_versions_that_break_prefect_are_shut_out() -> None:
    """Of two libraries Prefect takes versions with which no flow runs, or no schedule fires; we do not."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    accepted = {need.name: need.specifier for need in map(Requirement, project["dependencies"])}
    assert "0.155.0" not in accepted["fastapi"]  # its Body() takes no min_items: the server does not import
    assert "2.1.9" not in accepted["sqlalchemy"]  # refuses the scheduler's bulk insert: cron makes no run
    for name in ("fastapi", "sqlalchemy", "prefect"):
        assert version(name) in accepted[name]
