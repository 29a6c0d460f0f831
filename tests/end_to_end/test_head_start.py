"""A run's first requests leave before Prefect is loaded, and nothing that was paid for is lost by that."""

import asyncio
import subprocess
import sys

import pytest

from flows.session.head_start import head_start, taken_over
from flows.session.prepare import Prepared, prepare
from tasks.errors import EngineError
from tasks.settings import Settings
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

RUN_ID = "20261130-120000-aaaa"
N_DRAFTS = 12
NOTHING_MORE = {"finalists": {"count": 2, "approval": "review"}}

ENDS_AHEAD = """
import os, sys
from flows.command_line import main
from flows.session import head_start

sent = head_start._until_sent

async def end_once_sent(run, n_orders):
    await sent(run, n_orders)
    loaded = [name for name in ("httpx", "prefect", "pandas") if name in sys.modules]
    print(n_orders, run.buyer.n_in_flight, loaded)
    sys.stdout.flush()
    os._exit(9)

head_start._until_sent = end_once_sent
main()
"""
"""The command, whose process is gone as soon as its first requests are sent."""


@pytest.fixture
def prepared(shell: Shell, open_provider: OpenProvider) -> Prepared:
    """A run that nobody has begun."""
    open_provider()
    settings = Settings.of(str(shell.home), shell.environ)
    return prepare(shell.campaign(NOTHING_MORE), settings, RUN_ID)


def test_a_process_that_is_killed_before_prefect_is_loaded_has_sent_each_request_once(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """What was in flight is unknown, as after any kill, and the run goes on with the rest."""
    provider = open_provider(pace=1.0, latency_s={"low": 2.0, "medium": 0.0})
    done = subprocess.run(
        [sys.executable, "-c", ENDS_AHEAD, "run", str(shell.campaign(NOTHING_MORE))],
        cwd=shell.home.parent, env=shell.environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 9, done.stderr
    n_begun, n_in_flight, loaded = done.stdout.splitlines()[-1].split(" ", 2)
    # The SDK looks into httpx with each request: loaded by half meanwhile, it would end the run.
    assert (int(n_begun), loaded) == (N_DRAFTS, "['httpx']")
    assert 0 < int(n_in_flight) <= N_DRAFTS
    resumed = shell.json("run", "--resume", "latest", "--yes")
    n_unknown = resumed["orders"].get("unknown", 0)
    assert resumed["orders"]["received"] + n_unknown == N_DRAFTS
    assert n_unknown <= int(n_in_flight)
    asked = [entry["client_request_id"] for entry in provider.orders()]
    assert len(set(asked)) == len(asked), "no request was sent twice"


def test_a_flow_that_cannot_begin_leaves_what_was_bought(prepared: Prepared, shell: Shell) -> None:
    """The error says so, the run is stopped, and resuming buys nothing twice."""

    async def fail() -> None:
        async with head_start(prepared):
            raise EngineError(where="Prefect", what="does not let a run begin", next_step="Start it.")

    with pytest.raises(
        EngineError, match=r"Of 12 requests .* what was bought is kept\. Start it\. Then: "
    ) as error:
        asyncio.run(fail())
    assert "Nothing was bought" not in str(error.value)
    assert "runoff run --resume" in error.value.next_step
    with shell.ledger() as ledger:
        (run,) = ledger.runs.all()
        states = {record.state for record in ledger.orders.of_run(RUN_ID)}
    assert run.state == "stopped"
    assert states <= {"received", "planned"}
    assert shell.json("run", "--resume", RUN_ID, "--yes")["pictures"] == N_DRAFTS


def test_what_was_begun_is_bought_once_by_whoever_takes_the_run_over(
    prepared: Prepared, shell: Shell
) -> None:
    """It awaits what it finds begun."""

    async def go_on() -> list[str]:
        async with head_start(prepared), taken_over(prepared, "go on") as run:
            orders = run.buyer.begun
            ends = [await run.buyer.buy(order) for order in orders]
            assert run.buyer.begun == []
            return [end.state for end in ends if end is not None]

    assert asyncio.run(go_on()) == ["received"] * N_DRAFTS
    with shell.ledger() as ledger:
        assert len(ledger.orders.of_run(RUN_ID, "received")) == N_DRAFTS


def test_an_account_that_is_found_empty_ahead_ends_the_run_with_its_report(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """What was begun and is in flight is awaited and reported, though nothing more is sent."""
    provider = open_provider({"kind": "quota", "nth": [2]}, pace=1.0, latency_s={"low": 0.5, "medium": 0.0})
    done = shell.runoff("run", shell.campaign(NOTHING_MORE))
    assert done.returncode == 1, done.stderr
    with shell.ledger() as ledger:
        (run,) = ledger.runs.all()
        states = [record.state for record in ledger.orders.of_run(run.run_id)]
    assert run.state == "stopped"
    assert 0 < states.count("received") < N_DRAFTS
    assert states.count("received") == sum(order["charged_nanousd"] > 0 for order in provider.orders())
    assert set(states) <= {"received", "planned", "failed"}
    assert (shell.folder(run.run_id) / "report.html").exists()
