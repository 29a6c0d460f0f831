"""Several processes that use one server of a home: when it dies, one of them restarts it for all."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.engine import Engine, start_engine
from flows.engine.registry import HOST, Registry, ServerRecord, is_alive
from tests.support.child_process import wait_until

# Listens as Prefect's server does, and ends with the last process that uses it.
LISTENER = """
import socket, sys, time
from pathlib import Path
from os import getpid
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
print(listener.getsockname()[1], flush=True)
clients = Path(sys.argv[1]) / "clients"
time.sleep(1)
while list(clients.glob(f"*~{getpid()}~*")):
    time.sleep(0.02)
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A home whose servers only listen."""
    monkeypatch.setattr("flows.engine.start_server.PROGRAM", LISTENER)
    monkeypatch.setattr("flows.engine.start_server.make_database", lambda _: True)
    return Registry(tmp_path / ".prefect")


def kill_server(registry: Registry) -> ServerRecord:
    """Kill the server, as the kernel does when memory is short."""
    server = registry.record()
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(server.pid), 10)
    return server


def test_one_of_those_who_share_a_server_restarts_it(registry: Registry, tmp_path: Path) -> None:
    """The others take the one it started; so does whoever looks after another server was noted meanwhile."""
    said: list[str] = []
    with ExitStack() as held:
        engines: list[Engine] = []
        for _ in range(3):
            os.environ.pop("PREFECT_API_URL", None)
            engines.append(held.enter_context(start_engine(tmp_path, said.append, with_schedules=True)))
        first = kill_server(registry)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda engine: engine.mend(), engines[:2]))
        (again,) = [known for known in registry.records() if is_alive(known.pid)]
        assert again.port == first.port
        time.sleep(0.01)
        registry.note(ServerRecord(9, os.getpid(), with_schedules=False, host=HOST))
        registry.note(ServerRecord(again.port, os.getpid(), with_schedules=True, host="elsewhere"))
        for _ in range(3):
            engines[2].mend()
        assert {record.pid for record in registry.records()} == {again.pid, os.getpid()}
        assert registry.has_clients(again.pid)
        assert said == ["Prefect's server has stopped; restarting it."]
        registry.forget(os.getpid())
    wait_until(lambda: not is_alive(again.pid), 10)
