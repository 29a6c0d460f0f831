"""Thirty requests in flight, for tests of every way to stop, and what must hold afterwards."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.money import to_nanousd
from tests.support.child_process import wait_until
from tests.support.ledgers import open_ledger
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import CAMPAIGN, Shell

IN_FLIGHT, PLANNED = 30, 60
SLOW_ANSWERS: dict[str, Any] = {"pace": 1.0, "latency_s": dict.fromkeys(("low", "medium", "high"), 3.0)}
"""Answers take three seconds: long enough to be stopped in, and shorter than any grace."""
N_FINALS = 40
FORTY_FINALS: dict[str, Any] = {
    "budget": {"per_run_usd": "50"},
    "drafts": CAMPAIGN["drafts"] | {"per_prompt": N_FINALS},
    "deduplicate": {"radius_bits": 0},
    "finalists": {"count": N_FINALS, "approval": "review"},
}
"""Changes to a campaign that leave more than thirty finals for somebody to buy."""


@dataclass
class Busy:
    """A home whose runs have thirty requests in flight at a provider that takes its time.

    Args:
        home: The home; its providers.yaml allows thirty at once.
        provider: The provider.
    """

    home: Path
    provider: Provider

    def campaign(self, changes: Mapping[str, Any] | None = None) -> Path:
        """Write a campaign of sixty drafts."""
        drafts = CAMPAIGN["drafts"] | {"per_prompt": PLANNED}
        wanted = {"variables": {"action": ["asleep"]}, "arms": {"A": CAMPAIGN["arms"]["A"]}, "drafts": drafts}
        file = self.home.parent / "busy.yaml"
        file.write_text(yaml.safe_dump(CAMPAIGN | wanted | dict(changes or {})))
        return file

    def wait_until_full(self, told: Any = str) -> None:
        """Wait until thirty requests are in flight."""
        wait_until(lambda: self.provider.n_requests >= IN_FLIGHT, told=told)

    def states(self) -> Counter[str]:
        """Count the orders of all runs by state."""
        with open_ledger(self.home) as ledger:
            return Counter(r.state for run in ledger.runs.all() for r in ledger.orders.of_run(run.run_id))

    def run_states(self) -> list[str]:
        """List the states of all runs, newest first."""
        with open_ledger(self.home) as ledger:
            return [run.state for run in ledger.runs.all()]

    def check_nothing_lost(self, state: str = "stopped") -> None:
        """See that all that was in flight came, nothing more was sent, and the ledger agrees with the bill.

        Args:
            state: What the run must be.
        """
        states, n_sent = self.states(), self.provider.n_requests
        assert states == {"received": n_sent, "planned": PLANNED - n_sent}, states
        assert IN_FLIGHT <= n_sent < PLANNED
        self.check_books(state)

    def check_books(self, state: str) -> None:
        """See that the ledger is right and agrees with the bill."""
        with open_ledger(self.home) as ledger:
            (run,) = ledger.runs.all()
            assert run.state == state
            assert to_nanousd(ledger.orders.charged_usd(run.run_id)) == self.provider.charged_nanousd
            assert ledger.verify() == []


def finals_to_buy(shell: Shell, open_provider: OpenProvider) -> tuple[Busy, dict[str, Any]]:
    """Make a run that awaits review with more than thirty finalists; its finals take their time.

    Returns:
        The home, and what the run said.
    """
    slow = SLOW_ANSWERS["latency_s"] | {"low": 0.0}
    busy = make_busy(shell.home, open_provider, latency_s=slow, near_copy_rate=0.0, exact_copy_rate=0.0)
    made: dict[str, Any] = json.loads(shell.runoff("run", busy.campaign(FORTY_FINALS), "--json").stdout)
    assert len(made["finalists"]) > IN_FLIGHT, made
    return busy, made


def make_busy(home: Path, open_provider: OpenProvider, **settings: Any) -> Busy:
    """Open a slow provider for a home that has thirty requests in flight at it."""
    home.mkdir(exist_ok=True)
    (home / "providers.yaml").write_text(
        yaml.safe_dump({"providers": {"openai": {"concurrency": IN_FLIGHT}}})
    )
    return Busy(home, open_provider(**(SLOW_ANSWERS | settings)))


@contextmanager
def told_to_stop(
    wait: Callable[[], object], numbers: Sequence[signal.Signals], every_s: float = 0.0
) -> Iterator[None]:
    """Send this process signals, one after the other, once something is there."""

    def tell() -> None:
        wait()
        for number in numbers:
            os.kill(os.getpid(), number)
            time.sleep(every_s)

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        teller.join()
