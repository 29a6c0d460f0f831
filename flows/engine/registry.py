"""The registry of this home's server and its clients: files in ``<home>/.prefect`` shared by all processes.

``server.json`` has the server's address; ``clients/`` has one empty file for each process that uses a server,
named by machine, server and process. A server lives as long as one of its clients does, so that no process
can stop it for another and a killed process leaves nothing behind. A file lock guards every decision.
Machines or containers that share a home each have their own server and manage their own clients.
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
        self._record = folder / "server.json"
        self._clients = folder / "clients"
        self._clients.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file lock, so that no other process decides at the same time."""
        with FileLock(self.folder / "server.lock"):
            yield

    def record(self) -> ServerRecord | None:
        """Return the server recorded for this machine, alive or not; ``None`` if there is none."""
        try:
            server = ServerRecord(**json.loads(self._record.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return server if server.host == HOST else None

    def note(self, server: ServerRecord) -> None:
        """Record the server. Call it inside ``locked``."""
        self._record.write_text(json.dumps(asdict(server)))

    def forget(self, pid: int) -> None:
        """Remove the record of the server, if it is still this one. Call it inside ``locked``."""
        server = self.record()
        if server and server.pid == pid:
            self._record.unlink()

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
