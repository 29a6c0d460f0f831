"""Starting Prefect's server in the background, or using one that runs already.

Measured with Prefect 3.8.8 on 2 cores (`benchmarks/engine_start.py`): from start to stop 4.9 s of processor
time on a fresh home and 5.1 s on a used one, where Prefect's own embedded start takes 13.8 s and 8.7 s; on an
idle machine the server answers after 3.2 to 3.8 s. What is saved: migrations on an empty database (8 s, see
`schema`), the server's import into the calling process (2.6 s), block types (1 s), collecting garbage while
importing (0.6 s), looking for migrations (0.3 s), Prefect's UI (0.3 s).
"""

import asyncio
import http.client
import math
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from flows.engine import prefect_queues
from flows.engine.joined import joined_at, note_joined
from flows.engine.prefect_server import PrefectServer, Trouble
from flows.engine.registry import HOST, Registry, ServerRecord, is_alive
from flows.engine.schema import make_database
from flows.engine.settings import client_settings, environment, server_environment
from flows.own_program import program_words
from tasks.errors import EngineError, SettingError
from tasks.network import check_certificates, check_proxies

START_LIMIT_S = 120.0
REMOTE_LIMIT_S = 15.0
SAY_EVERY_S = 3.0
STOP_LIMIT_S = 20.0
GIVEN_UP_LIMIT_S = 1.0
HEALTH_S = 3.0
MOST_STEP_S = 2 * HEALTH_S
LONGEST_WAIT_S = 60.0
"""The longest wait between two restarts of a server that keeps dying."""
STEADY_S = 300.0
"""A server that has lived for so long is restarted at once."""

PROGRAM = "from flows.engine.server_program import main; main(*sys.argv[1:])"

Say = Callable[[str], None]

_CHOOSING = threading.Lock()  # one thread at a time starts a server, or looks which this process uses


class Engine:
    """A Prefect server that this process uses; release it with ``stop`` or by ``with``.

    Until then, ``PREFECT_API_URL`` and Prefect's other settings are in this process's environment.
    """

    def __init__(self, api_url: str, say: Say) -> None:
        self.api_url = api_url
        self.is_given_up = False
        """It failed to record a run: nothing more is sent to it, and it is not waited for."""
        self._say = say
        self._began_s = time.monotonic()
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_ready(self, limit_s: float | None = None) -> None:
        """Block until the server answers, reporting progress every few seconds.

        Args:
            limit_s: Give up this many seconds after the start; default: 120, or 15 for another's server. Of
                the time in which this process was itself stopped, ``MOST_STEP_S`` counts.

        Raises:
            EngineError: It did not start, or stopped. Nothing was bought.
        """
        reported_s, seen_s = 0.0, time.monotonic()
        waited_s = seen_s - self._began_s
        while not self._answers():
            now_s = time.monotonic()
            waited_s += min(now_s - seen_s, MOST_STEP_S)
            seen_s = now_s
            self._check(waited_s, limit_s)
            if waited_s - reported_s >= SAY_EVERY_S:
                reported_s = waited_s
                self._say(f"{self._name} is starting, {waited_s:.0f} s …")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the server answers now."""
        return self._answers()

    def takes(self, flow: str) -> bool:
        """Whether the server records a flow now, as it does before a run of it begins."""
        server = PrefectServer.of(os.environ)
        return server is not None and server.takes(flow, HEALTH_S)

    async def ready(self) -> None:
        """Wait as ``wait_ready`` does, without blocking the event loop."""
        await asyncio.to_thread(self.wait_ready)

    def mend(self) -> None:
        """Restart this home's server at its old address if it died; for another server, report its state."""
        raise NotImplementedError

    def give_up(self, what: str) -> None:
        """Report that the server failed, and neither send to it nor wait for it any more.

        Args:
            what: What it failed to do.
        """
        self.is_given_up = True
        self._say(f"{self._name} {what}. The run itself is not affected; see: runoff runs")

    def failure(self, what: str) -> EngineError:
        """Build the error for people.

        Args:
            what: What is wrong with the server.
        """
        raise NotImplementedError

    @property
    def shown_url(self) -> str:
        """The address for people, without a name and a password."""
        return self.api_url

    def stop(self) -> None:
        """Send what Prefect has queued, then release the server; it ends with its last client."""
        try:
            if self.is_given_up:
                prefect_queues.drop()
            else:
                prefect_queues.flush()
        finally:
            self._cleanup.close()

    _name = "Prefect's server"

    def _answers(self) -> bool:
        raise NotImplementedError

    def _check(self, waited_s: float, limit_s: float | None) -> None:
        """Raise an EngineError if waiting longer is useless."""
        raise NotImplementedError


class _HomeEngine(Engine):
    """The server of this home: started by this process or by another one."""

    def __init__(self, registry: Registry, say: Say, *, with_schedules: bool) -> None:
        self._registry = registry
        self._child: subprocess.Popen[bytes] | None = None
        self._n_restarts, self._restarted_s = 0, -math.inf
        with registry.locked():
            self._server = _running(registry, with_schedules) or self._start(with_schedules)
            client = registry.join(self._server.pid)
        super().__init__(self._server.api_url, say)
        note_joined(self.api_url, registry)
        settings = client_settings(registry.folder, self.api_url, with_schedules=with_schedules, is_own=True)
        self._cleanup.callback(self._wait_until_gone)
        self._cleanup.enter_context(environment(settings))  # left while the server ends
        self._cleanup.callback(client.unlink, missing_ok=True)

    def mend(self) -> None:
        """Restart the server at its old address if its process died, ever more seldom if that is of no use.

        Its clients retry by themselves. If another program uses the address, it is not restarted.
        """
        since_s = time.monotonic() - self._restarted_s
        if since_s > STEADY_S:
            self._n_restarts = 0
        if is_alive(self._server.pid) or since_s < min(2**self._n_restarts, LONGEST_WAIT_S):
            return
        with self._registry.locked():
            known = self._registry.record(self._server.port)
            if known is not None and is_alive(known.pid):
                self._server = known  # another process that uses it has restarted it
            elif not self._restart():
                return
            client = self._registry.join(self._server.pid)
            self._cleanup.callback(client.unlink, missing_ok=True)

    def _restart(self) -> bool:
        self._n_restarts, self._restarted_s = self._n_restarts + 1, time.monotonic()
        if self._n_restarts == 1:
            self._say(f"{self._name} has stopped; restarting it.")
        if self._child is not None:
            self._child.poll()  # or it would stay a zombie
        try:
            self._server = self._start(self._server.with_schedules, self._server.port)
        except EngineError:
            if self._n_restarts == 1:
                self._say(
                    f"{self._name} could not be restarted at port {self._server.port}; trying again, at most "
                    f"{LONGEST_WAIT_S:.0f} s apart. Its log: {self._registry.log}"
                )
            return False
        return True

    def _start(self, with_schedules: bool, port: int = 0) -> ServerRecord:
        is_migrated = make_database(self._registry.database)
        environ = server_environment(
            self._registry.folder, is_migrated=is_migrated, with_schedules=with_schedules
        )
        with self._registry.log.open("wb") as log:
            self._child = subprocess.Popen(
                program_words(PROGRAM, str(self._registry.folder), str(port)),
                env=environ, cwd=self._registry.folder,  # where no other project's prefect.toml or .env is
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the run, which still needs its server
            )  # fmt: skip
        assert self._child.stdout is not None
        with self._child.stdout as announcement:
            line = announcement.readline()
        if not line.strip():
            self._child.wait()
            raise self.failure(what="exited before it was ready")
        server = ServerRecord(int(line), self._child.pid, with_schedules, HOST)
        self._registry.note(server)
        return server

    def _answers(self) -> bool:
        return _is_healthy(self._server.port)

    def _check(self, waited_s: float, limit_s: float | None) -> None:
        if not is_alive(self._server.pid):
            raise self.failure(what="exited during start-up")
        limit_s = START_LIMIT_S if limit_s is None else limit_s
        if waited_s > limit_s:
            raise self.failure(what=f"gave no answer within {limit_s:.0f} s")

    def failure(self, what: str) -> EngineError:
        """Build the error for people, with the last lines of the server's log."""
        log = self._registry.log
        tail = log.read_text(errors="replace").strip().splitlines()[-15:] if log.exists() else []
        heard = "\n".join(["", *(f"  {line}" for line in tail), ""]) if tail else ""
        return EngineError(
            where=str(log),
            what=f"Prefect's server {what}{'; its last log lines:' if tail else ''}{heard}",
            next_step="Try again; to use your own server, set PREFECT_API_URL to its address "
            "(prefect server start; export PREFECT_API_URL=http://127.0.0.1:4200/api).",
        )

    def _wait_until_gone(self) -> None:
        """Wait for the child to end, unless another process uses it."""
        if self._child is None:
            return
        deadline = time.monotonic() + (GIVEN_UP_LIMIT_S if self.is_given_up else STOP_LIMIT_S)
        while self._child.poll() is None:
            if self._has_other_clients():
                # It ends with them; Popen would warn of a child that nobody awaits.
                self._child.returncode = 0
                return
            if time.monotonic() > deadline:
                self._child.kill()
                self._child.wait()
            time.sleep(0.02)

    def _has_other_clients(self) -> bool:
        try:
            return self._registry.has_clients(self._server.pid)
        except OSError:  # the home was deleted: the server ends
            return False


class _GivenEngine(Engine):
    """The server that ``PREFECT_API_URL`` names; nothing is started or stopped."""

    def __init__(self, server: PrefectServer, registry: Registry, say: Say, *, with_schedules: bool) -> None:
        super().__init__(os.environ["PREFECT_API_URL"], say)
        self._server = server
        self._name = f"The Prefect server at {server.api_url}"
        self._trouble: Trouble | None = None
        self._is_down = False
        settings = client_settings(registry.folder, self.api_url, with_schedules=with_schedules, is_own=False)
        self._cleanup.enter_context(environment(settings))

    def mend(self) -> None:
        """Report when the server stops and when it answers again: only its owner can restart it."""
        was_down, self._is_down = self._is_down, not self._answers()
        if self._trouble is not None and not was_down:
            self._say(f"{self._name} does not answer ({self._trouble.what}). Runs continue and wait for it.")
        elif was_down and not self._is_down:
            self._say(f"{self._name} answers again.")

    def failure(self, what: str) -> EngineError:
        """Build the error for people."""
        return self._server.failure(what=what)

    @property
    def shown_url(self) -> str:
        """The address for people, without a name and a password."""
        return self._server.api_url

    def _answers(self) -> bool:
        self._trouble = self._server.trouble(HEALTH_S)
        return self._trouble is None

    def _check(self, waited_s: float, limit_s: float | None) -> None:
        limit_s = REMOTE_LIMIT_S if limit_s is None else limit_s
        if self._trouble is not None and self._trouble.is_final:
            raise self._server.failure(what=f"cannot be used: {self._trouble.what}")
        if waited_s > limit_s:
            reason = f" ({self._trouble.what})" if self._trouble else ""
            raise self._server.failure(what=f"does not answer within {limit_s:.0f} s{reason}")


def start_engine(home: Path, say: Say, *, with_schedules: bool = False) -> Engine:
    """Begin to start a Prefect server, or use one that runs, and return at once.

    ``PREFECT_API_URL`` comes first, then a server that runs for this home (``runoff serve``, another run),
    then a new one whose database and log are in ``<home>/.prefect``. Nothing imports Prefect here: import
    flows after this call, run them after ``Engine.wait_ready``.

    Args:
        home: ``RUNOFF_HOME``, a local folder.
        say: Prints one line for the user.
        with_schedules: The server must serve schedules and Prefect's UI.

    Raises:
        SettingError: The home cannot be written or has a ``?`` in its path, or the environment's certificates
            or proxies cannot be used. Nothing was started.
        EngineError: ``PREFECT_API_URL`` is no address, or the server's process ended at once. Nothing is left
            running.
    """
    check_certificates(os.environ)
    try:
        registry = Registry(home.absolute() / ".prefect")
        with _CHOOSING:
            return _choose(home, registry, say, with_schedules=with_schedules)
    except OSError as error:
        raise SettingError(
            where=str(home), what=f"the home cannot be written ({error.strerror or error})",
            next_step="Free disk space there, or choose another folder with --home or RUNOFF_HOME.",
        ) from error  # fmt: skip


def _choose(home: Path, registry: Registry, say: Say, *, with_schedules: bool) -> Engine:
    given = PrefectServer.of(os.environ)
    if given is not None and (joined := joined_at(given.api_url)) is not None:
        return _HomeEngine(joined, say, with_schedules=with_schedules)
    if given is not None:
        check_proxies(os.environ, given.api_url)
        return _GivenEngine(given, registry, say, with_schedules=with_schedules)
    if "?" in str(registry.folder):  # the address of its database ends there: it would lie somewhere else
        raise SettingError(
            where=f"home {home}",
            what="has a ? in its path, which Prefect's server cannot keep its database under",
            next_step="Choose another folder with --home or RUNOFF_HOME, or set PREFECT_API_URL.",
        )
    return _HomeEngine(registry, say, with_schedules=with_schedules)


def _running(registry: Registry, with_schedules: bool) -> ServerRecord | None:
    """Return this home's server if it runs and can do what is needed."""
    return next(
        (
            server
            for server in registry.records()
            if (server.with_schedules or not with_schedules)
            and is_alive(server.pid)
            and _is_listening(server.port)
        ),
        None,
    )


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_healthy(port: int) -> bool:
    """Ask the server for its health; during start-up the request waits at the open port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/api/health")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read() == b"true"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
