"""A team's set-up on this machine: PostgreSQL, an S3 store, a Prefect server and workers, all of them real.

Each worker stands for a machine: it has its own mirror of the store and dies with all its children. Start it
by hand to look around: ``python -m tests.support.team_setup`` prints the variables to set and waits.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.object_store import BUCKET, object_store
from tests.support.postgresql_server import binaries, free_port, running

BIN = Path(sys.executable).parent
POOL = "team"
START_LIMIT_S = 120
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # the least that Prefect takes
}


@dataclass
class Team:
    """What runs, and how to reach it.

    Args:
        folder: Where files of this set-up are.
        environ: What every machine of the team has in its environment.
    """

    folder: Path
    environ: dict[str, str]
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start_worker(self, name: str) -> None:
        """Start a worker with a mirror of its own; it takes one flow run at a time."""
        words = ["worker", "start", "--pool", POOL, "--type", "process", "--name", name, "--limit", "1"]
        own = {
            "RUNOFF_MIRRORS": str(self.folder / name),
            "PREFECT_HOME": str(self.folder / f"{name}-prefect"),
        }
        self.workers[name] = self._start(BIN / "prefect", *words, log=name, **own)

    def kill_worker(self, name: str) -> None:
        """Kill a worker and all it started, as a machine that loses its power."""
        worker = self.workers.pop(name)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def kill_workers(self) -> None:
        """Kill those that are left."""
        for name in list(self.workers):
            self.kill_worker(name)

    def runoff(self, *words: str | Path) -> str:
        """Run the command on a third machine of the team; returns what it says.

        Raises:
            AssertionError: It ended with a fault.
        """
        own = {
            "RUNOFF_MIRRORS": str(self.folder / "buyer"),
            "PREFECT_HOME": str(self.folder / "buyer-prefect"),
        }
        done = subprocess.run(
            [BIN / "runoff", *map(str, words)], env=self.environ | own, cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout + self.said()
        return done.stdout

    def said(self) -> str:
        """All that servers and workers wrote, for a test that failed."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-4000:]}" for log in logs)

    def _start(self, *words: str | Path, log: str, **own: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{log}.log").open("ab") as out:
            return subprocess.Popen(
                list(map(str, words)), env=self.environ | own, cwd=self.folder, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def start_server(self, port: int, database_url: str) -> "subprocess.Popen[bytes]":
        """Start the Prefect server on a PostgreSQL database and wait until it answers."""
        words = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
        own = {
            "PREFECT_HOME": str(self.folder / "server"),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url.replace(
                "postgresql://", "postgresql+asyncpg://"
            ),
        }
        server = self._start(BIN / "prefect", *words, log="server", **own)
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            assert server.poll() is None, self.said()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
            else:
                return server
        raise AssertionError(self.said())


@contextmanager
def team(folder: Path, **environ: str) -> Iterator[Team]:
    """Start everything but the workers; all of it ends with the block.

    Args:
        folder: An empty folder.
        environ: What else every machine has, such as a provider's address and key.
    """
    found = binaries()
    assert found is not None, "PostgreSQL is not installed here"
    with ExitStack() as stack:
        postgresql = stack.enter_context(running(found))
        store = stack.enter_context(object_store())
        port = free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        together = Team(
            folder,
            kept | QUIET | store | environ
            | {
                "RUNOFF_HOME": f"s3://{BUCKET}/runoff",
                "RUNOFF_LEDGER_URL": postgresql.new_database(),
                "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            },
        )  # fmt: skip
        server = together.start_server(port, postgresql.new_database())
        stack.callback(_end, server)
        stack.callback(together.kill_workers)
        yield together


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main() -> None:
    """Start a team with two workers, say how to reach it, and wait for Ctrl-C."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, team(Path(folder)) as together:
        for name in ("north", "south"):
            together.start_worker(name)
        for name, value in together.environ.items():
            if name not in os.environ:
                sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.write("# Ctrl-C ends it all\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
