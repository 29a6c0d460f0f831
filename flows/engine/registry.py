"""The registry of this home's server and its clients: files in ``<home>/.prefect`` shared by all processes.

``servers/`` has a file for each server, named by machine and port; ``clients/`` has one empty file for each
process that uses a server, named by machine, server and process. A server lives as long as one of its clients
does, so that no process can stop it for another and a killed one leaves nothing behind. A file lock guards
every decision. Machines or containers that share a home each have their own server and manage their own
clients.
"""

import itertools
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

HOST = platform.node() or "localhost"
_COUNTER = itertools.count()


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A server that was started for this home.

    Args:
        port: Its port on 127.0.0.1.
        pid: Its process.
        with_schedules: Whether it serves schedules and Prefect's UI too.
        host: The machine it runs on.
    """

    port: int
    pid: int
    with_schedules: bool
    host: str

    @property
    def api_url(self) -> str:
        """The address for ``PREFECT_API_URL``."""
        return f"http://127.0.0.1:{self.port}/api"


class Registry:
    """The shared files of one home.

    Args:
        folder: ``<home>/.prefect``; created if missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.database = folder / "prefect.db"
        self._servers = folder / "servers"
        self._clients = folder / "clients"
        for shared in (self._servers, self._clients):
            shared.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file lock, so that no other process decides at the same time."""
        with FileLock(self.folder / "server.lock"):
            yield

    def records(self) -> list[ServerRecord]:
        """List the servers recorded for this machine, alive or not, the newest first."""
        known = []
        for file in self._servers.glob("*.json"):
            try:
                server = ServerRecord(**json.loads(file.read_text()))
                known.append((file.stat().st_mtime_ns, server))
            except (FileNotFoundError, ValueError, TypeError):
                continue
        newest_first = sorted(known, key=lambda one: one[0], reverse=True)
        return [server for _, server in newest_first if server.host == HOST]

    def record(self, port: int | None = None) -> ServerRecord | None:
        """Return this machine's newest server, or the one at a port, alive or not; ``None`` without one."""
        return next((one for one in self.records() if port in (None, one.port)), None)

    def note(self, server: ServerRecord) -> None:
        """Record a server in place of those that are gone. Call it inside ``locked``."""
        for known in self.records():
            if not is_alive(known.pid):
                self._file(known).unlink(missing_ok=True)
        file = self._file(server)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(asdict(server)))
        part.replace(file)

    def forget(self, pid: int) -> None:
        """Remove the record of a server. Call it inside ``locked``."""
        for server in self.records():
            if server.pid == pid:
                self._file(server).unlink(missing_ok=True)

    def _file(self, server: ServerRecord) -> Path:
        return self._servers / f"{server.host}~{server.port}.json"

    def join(self, server_pid: int) -> Path:
        """Register this process as a client of a server; unlink the returned file to leave."""
        client = self._clients / f"{HOST}~{server_pid}~{os.getpid()}~{next(_COUNTER)}"
        client.touch()
        return client

    def has_clients(self, server_pid: int) -> bool:
        """Whether a process that uses the server is alive; unregisters dead ones.

        Raises:
            OSError: The home is gone.
        """
        for client in list(self._clients.iterdir()):
            host, server, pid, _ = client.name.split("~")
            if host == HOST and int(server) == server_pid:
                if is_alive(int(pid)):
                    return True
                client.unlink(missing_ok=True)
        return False


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that was killed but not yet waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):  # no such folder on macOS
        return True
