"""A flow's work ends well or badly by itself, whatever becomes of the Prefect server that records it."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prefect import flow

from flows.engine import prefect_queues, recorded_run, start_engine, start_server
from flows.engine.prefect_server import PrefectServer
from flows.engine.recorded_run import run_recorded
from flows.engine.registry import Registry, is_alive
from flows.prefect_ui import artifacts
from flows.prefect_ui.artifacts import Progress
from flows.stages.prefect_task import as_task
from tasks.errors import EngineError, SettingError
from tests.support.child_process import TextProcess, started, wait_for_end, wait_until
from tests.support.provider import OpenProvider, Provider
from tests.support.proxy import Proxy, State, proxy_to
from tests.support.shell import CAMPAIGN, COMMAND, Shell

LIMIT_S = 0.5
PASSWORD = "s3cret-of-the-tests"


@pytest.fixture
def proxy(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy in front of the session's Prefect server, for people who wait for it for half a second."""
    monkeypatch.setattr(recorded_run, "RECORD_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(artifacts, "LIMIT_S", LIMIT_S)
    monkeypatch.setattr(start_server, "HEALTH_S", LIMIT_S)
    with proxy_to(prefect_server) as proxy:
        yield proxy


class Recorder:
    """Runs flows by way of a proxy, and keeps what was said."""

    def __init__(self, shell: Shell, proxy: Proxy) -> None:
        self.shell, self.proxy = shell, proxy
        self.said: list[str] = []
        self.took_s = 0.0

    def run(self, work: Callable[[], Awaitable[object]], before: Callable[[], None] = lambda: None) -> object:
        """Run a function as a flow; ``before`` is called once the server has been found to answer."""

        async def function() -> object:
            return await work()

        with (
            self.shell.seat({"PREFECT_API_URL": self.proxy.url}),
            start_engine(self.shell.home, self.said.append) as engine,
        ):
            engine.wait_ready()
            before()
            began_s = time.monotonic()
            try:
                return asyncio.run(run_recorded(engine, flow(name="work")(function)))
            finally:
                self.took_s = time.monotonic() - began_s


@pytest.fixture
def recorder(shell: Shell, proxy: Proxy) -> Recorder:
    """Somebody who runs flows by way of the proxy."""
    return Recorder(shell, proxy)


@as_task("count")
def count(numbers: list[int]) -> int:
    """Count numbers."""
    return len(numbers)


@pytest.mark.parametrize("state", ["frozen", "locked"])
def test_a_server_that_freezes_in_the_middle_does_not_hold_up_the_work(
    recorder: Recorder, state: State
) -> None:
    """Its tasks go on, its progress is left out, its result returned; one sentence says what is missing."""

    async def work() -> int:
        progress = Progress("otters-drafts", "draft", 2)
        await progress.begin()
        recorder.proxy.state = state
        for _ in range(2):
            await progress.add(1)
        return count([1, 2, 3])

    assert recorder.run(work) == 3
    (sentence,) = (line for line in recorder.said if "recorded" in line)
    assert "has not recorded the end of this run (no answer within" in sentence
    assert "The run itself is not affected" in sentence
    assert recorder.took_s < 15
    assert prefect_queues._sending() == [], "nothing keeps the process from ending"


def test_a_server_that_fails_at_the_end_is_told(recorder: Recorder) -> None:
    """With a full disk it answers 500: the work is done all the same."""

    async def work() -> str:
        recorder.proxy.state = "failing"
        return "bought"

    assert recorder.run(work) == "bought"
    assert "has not recorded the end of this run (it answers 500)" in recorder.said[-1]


def test_a_flow_leaves_sigterm_to_whoever_handles_it(recorder: Recorder) -> None:
    """Prefect would raise wherever a run is, one that has requests in flight and was told to stop."""
    handled = lambda *_: None  # noqa: E731
    before = signal.signal(signal.SIGTERM, handled)
    try:

        async def work() -> bool:
            return signal.getsignal(signal.SIGTERM) is handled

        assert recorder.run(work) is True
        assert signal.getsignal(signal.SIGTERM) is handled
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_of_the_work_is_the_one_that_is_raised(recorder: Recorder) -> None:
    """Also where the server cannot be told of it."""

    async def work() -> None:
        recorder.proxy.state = "frozen"
        raise SettingError(where="here", what="no")

    with pytest.raises(SettingError, match="here: no"):
        recorder.run(work)


def test_work_that_is_cancelled_from_outside_may_clean_up(recorder: Recorder) -> None:
    """However long that takes: what is under way is paid for."""
    done: list[str] = []
    has_begun = asyncio.Event()

    async def work() -> None:
        has_begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(3 * LIMIT_S)
            done.append("kept")

    async def run() -> None:
        running = asyncio.ensure_future(run_recorded(engine, flow(name="work")(work)))
        await has_begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with (
        recorder.shell.seat({"PREFECT_API_URL": recorder.proxy.url}),
        start_engine(recorder.shell.home, print) as engine,
    ):
        engine.wait_ready()
        asyncio.run(run())
    assert done == ["kept"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [("frozen", "no answer within"), ("failing", "answers 500"), ("locked", "no answer within")],
)
def test_a_server_that_lets_nothing_begin_is_an_error_before_anything_is_bought(
    state: State, reason: str, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, in place of Prefect's own minutes and tracebacks."""
    monkeypatch.setattr(recorded_run, "BEGIN_LIMIT_S", LIMIT_S)
    begun: list[str] = []

    async def work() -> None:
        begun.append("bought")

    def close() -> None:
        recorder.proxy.state = state

    with pytest.raises(EngineError, match=f"does not let a run begin .*{reason}.* Nothing was bought"):
        recorder.run(work, close)
    assert begun == []


def test_a_server_that_records_leaves_nothing_to_say(recorder: Recorder) -> None:
    """The result is the work's own."""

    async def work() -> str:
        return "bought"

    assert recorder.run(work) == "bought"
    assert recorder.said == []


class Answering(BaseHTTPRequestHandler):
    """Answers every request with what the test says."""

    answers: dict[str, bytes]

    def do_GET(self) -> None:
        """Answer."""
        content = self.answers.get(self.path.rpartition("/")[2], b"<html>Hello</html>")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({}, "something else answers there"),
        ({"health": b"true"}, "something else answers there"),
        ({"health": b"true", "version": b'"2.20.4"'}, "it has version 2.20.4, which Prefect 3"),
    ],
)
def test_something_else_at_the_address_is_told_at_once(
    answers: dict[str, bytes], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers 200 may be any server; its address is told without the password in it."""
    handler = type("Handler", (Answering,), {"answers": answers})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        url = f"http://me:{PASSWORD}@127.0.0.1:{server.server_port}/api"
        monkeypatch.setenv("PREFECT_API_URL", url)
        with start_engine(tmp_path, print) as engine, pytest.raises(EngineError) as caught:
            engine.wait_ready()
        server.shutdown()
        thread.join()
    assert what in str(caught.value)
    assert f"http://127.0.0.1:{server.server_port}/api" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:4200/api", "ftp://x/api", "http://me:s3cret@x:port/api", "http://"]
)
def test_what_is_no_address_is_told_without_being_shown(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold a password in any place."""
    monkeypatch.setenv("PREFECT_API_URL", url)
    with pytest.raises(EngineError, match="PREFECT_API_URL: is not an address") as caught:
        start_engine(tmp_path, print)
    assert "s3cret" not in str(caught.value)


def test_the_servers_key_is_shown_to_it() -> None:
    """A key as a bearer's, a user's words in their own way, those in the address too; no server, no key."""
    address = {"PREFECT_API_URL": "http://x/api/"}
    assert PrefectServer.of({}) is None
    shown = [
        PrefectServer.of(environ)
        for environ in (
            address | {"PREFECT_API_KEY": "k"},
            address | {"PREFECT_API_AUTH_STRING": "a:b"},
            {"PREFECT_API_URL": "http://a:b@x/api"},
        )
    ]
    assert [one and (one.api_url, one.headers["authorization"]) for one in shown] == [
        ("http://x/api", "Bearer k"),
        ("http://x/api", "Basic YTpi"),
        ("http://x/api", "Basic YTpi"),
    ]


@dataclass
class Run:
    """`runoff run` in a process of its own, with a Prefect server of its own.

    Args:
        process: The process.
        provider: Where it buys.
        home: Its home.
    """

    process: TextProcess
    provider: Provider
    home: Path

    def wait_for(self, n_requests: int) -> None:
        """Wait until the provider has seen so many requests."""
        wait_until(lambda: self.provider.n_requests >= n_requests or self.process.poll() is not None)

    def end_server(self, how: signal.Signals) -> int:
        """Send Prefect's server a signal; returns its process."""
        server = Registry(self.home / ".prefect").record()
        assert server is not None
        os.kill(server.pid, how)
        return server.pid


@pytest.mark.long  # every day: the proxy in front of a server, above
def test_a_purchase_survives_its_own_server_that_is_killed_and_then_frozen(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Killed, it is restarted; frozen, it is left. All is bought once, and the process ends by itself."""
    provider = open_provider(pace=0.2)
    del shell.environ["PREFECT_API_URL"]
    campaign = shell.campaign({"drafts": CAMPAIGN["drafts"] | {"per_prompt": 10}})
    with started(
        [COMMAND, "run", str(campaign)],
        env=shell.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        run = Run(process, provider, shell.home)
        run.wait_for(2)
        killed = run.end_server(signal.SIGKILL)
        wait_until(lambda: killed not in [known.pid for known in Registry(shell.home / ".prefect").records()])
        run.wait_for(40)
        frozen = run.end_server(signal.SIGSTOP)
        out, _ = wait_for_end(process)
    assert process.returncode == 0, out
    assert "Prefect's server has stopped; restarting it." in out
    assert "has not recorded the end of this run" in out
    assert "done  otters" in out
    for word in ("Traceback", "Error logging to API", "ERROR", "prefect._internal"):
        assert word not in out
    assert not is_alive(frozen)
    assert provider.n_requests == 42
    assert shell.runoff("ledger", "verify").returncode == 0
