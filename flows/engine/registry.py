"""Who uses this home's server: files in ``<home>/.prefect`` that all Runoff processes agree on.

``server.json`` says where the server is; ``clients/`` holds one empty file for each process that uses a
server, named by machine, server and process. A server lives as long as one of its clients does, so that no
process can take it away from another and a killed process leaves nothing behind. A file lock guards every
decision. Where machines or containers share a home, each has its own server and minds its own clients.
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
        port: Where it listens, on 127.0.0.1.
        pid: Its process.
        with_schedules: Whether it serves schedules and Prefect's pages too.
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
        folder: ``<home>/.prefect``; made when missing.
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
        """Keep every other process from deciding at the same time."""
        with FileLock(self.folder / "server.lock"):
            yield

    def record(self) -> ServerRecord | None:
        """Return the server noted down on this machine, alive or not; ``None`` when there is none."""
        try:
            server = ServerRecord(**json.loads(self._record.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return server if server.host == HOST else None

    def note(self, server: ServerRecord) -> None:
        """Write down where the server is. Call it inside ``locked``."""
        self._record.write_text(json.dumps(asdict(server)))

    def forget(self, pid: int) -> None:
        """Cross out the server, if it is still this one. Call it inside ``locked``."""
        server = self.record()
        if server and server.pid == pid:
            self._record.unlink()

    def join(self, server_pid: int) -> Path:
        """Write this process down as a client of a server; unlink the returned file to leave."""
        client = self._clients / f"{HOST}~{server_pid}~{os.getpid()}~{next(_COUNTER)}"
        client.touch()
        return client

    def has_clients(self, server_pid: int) -> bool:
        """Whether a process that uses the server is alive; forgets those that are not.

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
