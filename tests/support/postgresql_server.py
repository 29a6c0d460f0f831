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
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from tasks.ledger import open_ledger
from tasks.ledger.database import LEDGER_VARIABLE

PASSWORD = "s3cret-of-the-tests"
_TEMPLATE = "ledger_template"
START_TIMEOUT_S = 60
# Nothing of a test has to outlive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


@dataclass
class PostgresqlServer:
    """A running server.

    Args:
        port: Where it listens on 127.0.0.1.
        command: What starts it.
        folder: Where its data and its log are.
        user: Who runs it; ``None`` for this user.
    """

    port: int
    command: Sequence[str | Path]
    folder: Path
    user: str | None
    _numbers: Iterator[int] = field(default_factory=count)
    _databases: list[str] = field(default_factory=list)
    _process: "subprocess.Popen[bytes] | None" = None
    _has_template: bool = False

    @property
    def pid(self) -> int:
        """Its first process, whose children do the work."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, user=self.user, cwd=self.folder, stdout=log, stderr=log
            )
        self._wait_until_up()

    def stop(self) -> None:
        """Stop it at once, whoever is still connected; what was committed is kept."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(START_TIMEOUT_S)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze it with all its connections while the block goes on."""
        found = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=True)
        pids = [self.pid, *map(int, found.stdout.split())]
        for one in pids:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in pids:
                os.kill(one, signal.SIGCONT)

    @contextlib.contextmanager
    def away(self, for_s: float) -> Iterator[None]:
        """Stop it, and start it again some time later, while the block goes on."""
        self.stop()
        starter = threading.Timer(for_s, self.start)
        starter.start()
        try:
            yield
        finally:
            starter.join()

    def run(self, database: str, statement: str) -> None:
        """Run a statement in a database, as its administrator."""
        with psycopg.connect(self._address(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self) -> str:
        """Make an empty database; returns its address, with the password in it."""
        return self._address(self._create(""))

    def new_ledger(self) -> str:
        """Make a database with an empty ledger of today, as a copy; returns its address."""
        if not self._has_template:
            self.run("postgres", f"CREATE DATABASE {_TEMPLATE}")
            open_ledger(self.folder, {LEDGER_VARIABLE: self._address(_TEMPLATE)}).close()
            self._has_template = True
        return self._address(self._create(f"TEMPLATE {_TEMPLATE}"))

    def drop_databases(self) -> None:
        """Drop what was made until now; files that never reach the disk cost nothing to delete."""
        while self._databases:
            self.run("postgres", f"DROP DATABASE {self._databases.pop()} WITH (FORCE)")

    def _create(self, settings: str) -> str:
        name = f"ledger_{next(self._numbers)}"
        self.run("postgres", f"CREATE DATABASE {name} {settings}")
        self._databases.append(name)
        return name

    def refuse_connections(self, database: str) -> None:
        """Let nobody into a database any more."""
        self.run("postgres", f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")

    def _address(self, database: str) -> str:
        return f"postgresql://runoff:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _wait_until_up(self) -> None:
        assert self._process is not None
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                psycopg.connect(self._address("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        message = f"PostgreSQL did not come up:\n{(self.folder / 'log').read_text()}"
        raise RuntimeError(message)


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
        server = PostgresqlServer(port, command, folder, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
