"""A provider's pictures a minute, shared by real processes on one ledger."""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import Provider
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.images_api.rate_limiter.limiter import LedgerWindow, RateLimiter, Step, T, allowance_of
from tasks.images_api.terms import Terms
from tasks.ledger import Limits
from tasks.ledger.schema import allowances
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.child_process import read_line, wait_for_end
from tests.support.ledgers import open_ledger

REPOSITORY = Path(__file__).parents[2]
LENGTH_S = 1.0
LIMIT = 10
Process = subprocess.Popen[str]


# Every day each race runs on SQLite, and the rules of the window, below, on both.
on_both = pytest.mark.parametrize(
    "home", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)


@contextmanager
def started(n_processes: int, what: str, home: Path, *words: object) -> Iterator[list[Process]]:
    """Start processes of ``tests.support.allowance_race`` and let them begin together once all are up."""
    head = [sys.executable, "-m", "tests.support.allowance_race", what, str(home)]
    processes = [
        subprocess.Popen(
            [*head, str(number), *map(str, words)], cwd=REPOSITORY, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for number in range(n_processes)
    ]  # fmt: skip
    try:
        for process in processes:
            assert read_line(process) == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def moments_of(process: Process) -> list[float]:
    """Read when a process had its turns, once it has ended."""
    return [float(line) for line in wait_for_end(process)[0].splitlines()]


def most_in_a_window(moments: Sequence[float]) -> int:
    """Count the most turns in any window."""
    return max(sum(start <= moment < start + LENGTH_S for moment in moments) for start in moments)


@pytest.mark.slow  # every day: two processes, below, and the rules of the window
@on_both
def test_three_processes_never_pass_one_allowance_and_all_progress(home: Path) -> None:
    """Each has had turns before the first one is done; a longer window, as a busy machine wakes them late."""
    open_ledger(home).close()
    with started(3, "turns", home, LIMIT, 2 * LENGTH_S, 20) as processes:
        moments = [moments_of(process) for process in processes]
    assert [len(one) for one in moments] == [20] * 3
    assert most_in_a_window([moment for one in moments for moment in one]) <= LIMIT
    first_done_s = min(one[-1] for one in moments)
    assert min(sum(moment <= first_done_s for moment in one) for one in moments) >= 2


@pytest.mark.slow  # every day: the rules of the window
@on_both
def test_what_a_killed_process_took_or_waited_for_comes_free_with_the_window(home: Path) -> None:
    """The other one gets all it wants, and never more than is allowed with what the dead one had."""
    open_ledger(home).close()
    with started(2, "turns", home, LIMIT, LENGTH_S, 24) as processes:
        killed, other = processes
        taken = [float(read_line(killed)) for _ in range(6)]
        killed.kill()
        began_s = time.monotonic()
        moments = moments_of(other)
        took_s = time.monotonic() - began_s
        taken += moments_of(killed)
    assert len(moments) == 24
    assert most_in_a_window(moments + taken) <= LIMIT
    assert took_s < 8, "24 at 10 a second take 3 s, if nobody waits for the dead"


@pytest.mark.slow  # every day: any number of processes, in rate_limiter/test_sliding_window.py
@on_both
def test_two_buyers_that_share_a_limit_are_never_refused(home: Path) -> None:
    """The emulator counts for itself: no request meets its limit, and both buy everything."""
    length_s, limit = 3.0, 8
    with open_ledger(home) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="shop", now=NOON)
        settings = EmulatorSettings(paint="plain", images_per_minute=limit, minute_s=length_s)
        with emulator_server(settings) as url:
            # A share of the minute as long as real requests differ by: here they differ by more of it.
            words = (limit, length_s * 1.15, 7, url)
            with started(2, "buys", home, *words) as processes:
                came = [wait_for_end(process)[0] for process in processes]
            bill = bill_of(url)
        assert came == ["7\n", "7\n"]
        assert bill["requests"] == bill["charged_requests"] == 14
        assert {record.state for record in ledger.orders.of_run(RUN_ID)} == {"received"}
        assert [name for name in names_of(ledger.database.engine) if "sk-" in name] == []


def bill_of(url: str) -> Any:
    """Ask the emulator what it received and charged."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/_bill") as answer:
        return json.load(answer)["total"]


def names_of(engine: sa.Engine) -> list[str]:
    """List what allowances are called."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(allowances.c.name)).scalars())


async def test_a_limit_met_in_one_run_slows_the_others(home: Path) -> None:
    """Two paces on two connections: both wait, both at half the rate, and another account does not."""
    with open_ledger(home) as here, open_ledger(home) as there:
        slept_s: list[float] = []

        async def note(seconds: float) -> None:
            slept_s.append(seconds)
            raise TimeoutError

        one = RateLimiter(60, LedgerWindow(here, "account"), sleep=note, chance=lambda: 0.0)
        two = RateLimiter(60, LedgerWindow(there, "account"), sleep=note, chance=lambda: 0.0)
        other = RateLimiter(60, LedgerWindow(there, "another account"), sleep=note)
        moments = [await rate_limiter.acquire(1) for rate_limiter in (one, two) for _ in range(15)]
        await one.slow_down(moments[0], wait_s=5)
        await two.slow_down(moments[-1], wait_s=2)
        with pytest.raises(TimeoutError):
            await two.acquire(1)
        assert 4 < slept_s[0] <= 5
        assert await LedgerWindow(there, "account").change(lambda window, _: window.rate) == 30
        await other.acquire(60)


async def test_a_window_in_the_ledger_goes_by_the_databases_clock(home: Path) -> None:
    """It is the true time, to a second; a machine's own clock has no part in it."""
    with open_ledger(home) as ledger:
        before_s = time.time()
        moment = await RateLimiter(None, LedgerWindow(ledger, "account")).acquire(1)
        assert before_s - 1 < moment < time.time() + 1


def test_only_money_waits_for_the_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window is a minute long: after a power cut it is worth nothing. Each connection waits again after."""
    monkeypatch.setenv("PGOPTIONS", "-c synchronous_commit=on")  # the server of these tests waits for nothing
    seen: list[str] = []

    def sync_of(connection: sa.Connection) -> str:
        of = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}
        return str(connection.exec_driver_sql(of[connection.dialect.name]).scalar())

    with open_ledger(home) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)

        @sa.event.listens_for(ledger.database.engine, "commit")
        def note(connection: sa.Connection) -> None:
            seen.append(sync_of(connection))

        order = an_order()
        ledger.orders.plan([order])
        ledger.allowances.change("account", lambda _state, now_s: {"now_s": now_s})
        ledger.orders.send(order, Limits(), NOON)
    not_awaited, awaited = {"1", "off"}, {"2", "on"}
    assert [seen[0] in awaited, seen[1] in not_awaited, seen[-1] in awaited] == [True] * 3


async def test_orders_that_wait_together_cost_one_transaction(home: Path) -> None:
    """Fifty at once ask once or twice, not fifty times."""
    with open_ledger(home) as ledger:
        n_changes = 0

        class Counted(LedgerWindow):
            """Counts its transactions."""

            async def change(self, step: Step[T]) -> T:
                """Count one."""
                nonlocal n_changes
                n_changes += 1
                return await super().change(step)

        window = Counted(ledger, "account")
        rate_limiter = RateLimiter(1000, window)
        await asyncio.gather(*(rate_limiter.acquire(1) for _ in range(50)))
        assert n_changes <= 3
        assert await window.change(lambda window, _: sum(entry.n for entry in window.taken)) == 50


def account(url: str, key: str, name: str = "shop") -> str:
    """Name the allowance of an account."""
    provider = Provider(name=name, base_url=url, key_variable="KEY")
    return allowance_of(Terms(provider, load_catalogue(), {"KEY": key}))


def test_an_account_is_its_address_and_its_key_whatever_it_is_called() -> None:
    """Two names for one account share; another key or another address has an allowance of its own."""
    url, key = "https://images.example.org/v1", "sk-planted-0123456789"
    assert account(url, key) == account(url + "/", key, name="mine")
    assert len({account(url, key), account(url, key + "x"), account("https://example.org/v1", key)}) == 3
    assert key not in account(url, key)
