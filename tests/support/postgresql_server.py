"""A PostgreSQL of the tests' own: a new cluster on a free port, run by an unprivileged user, gone afterwards.

PostgreSQL refuses to run as root, so a test run by root hands it to ``nobody``.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

PASSWORD = "s3cret-of-the-tests"
START_TIMEOUT_S = 60
# Nothing of a test has to outlive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server.

    Args:
        port: Where it listens on 127.0.0.1.
    """

    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Make an empty database; returns its address, with the password in it."""
        name = f"ledger_{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._address(name)

    def refuse_connections(self, database: str) -> None:
        """Let nobody into a database any more."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")

    def _address(self, database: str) -> str:
        return f"postgresql://runoff:{PASSWORD}@127.0.0.1:{self.port}/{database}"


def binaries() -> Path | None:
    """Find the folder with ``initdb`` and ``postgres``: the newest of Debian's, else that on the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


@contextlib.contextmanager
def running(folder_of_binaries: Path, settings: Sequence[str] = FAST) -> Iterator[PostgresqlServer]:
    """Start a server and stop it in the end."""
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="runoff-postgresql-"))
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    if user is not None:
        for path in (folder, password_file):
            os.chown(path, pwd.getpwnam(user).pw_uid, -1)
    data = folder / "data"
    initdb: list[str | Path] = [
        folder_of_binaries / "initdb",
        "--pgdata",
        data,
        "--username=runoff",
        "--no-sync",
    ]
    initdb += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-locale"]
    try:
        subprocess.run(initdb, user=user, cwd=folder, check=True, capture_output=True)
        port = free_port()
        command: list[str | Path] = [
            folder_of_binaries / "postgres",
            "-D",
            data,
            "-p",
            str(port),
            "-k",
            folder,
        ]
        command += ["-h", "127.0.0.1", *(part for setting in settings for part in ("-c", setting))]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_up(port, process, folder / "log")
            yield PostgresqlServer(port)
        finally:
            process.send_signal(signal.SIGINT)  # at once, whoever is still connected
            process.wait(START_TIMEOUT_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            psycopg.connect(PostgresqlServer(port)._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    message = f"PostgreSQL did not come up:\n{log.read_text()}"
    raise RuntimeError(message)
