"""A campaign that is killed many times, and its ledger compared with the provider's bill.

It buys 500 drafts over HTTP from an emulator in another process, with a
fault in one of ten requests, kills the run at 25 seeded moments with SIGKILL and resumes it each time. Then
it runs the campaign once without kills, with the same outcomes, and compares the reports. What a kill lost is
lost there too, order after order; where that makes the run's circuit breaker stop it, it is resumed. All
processes are real: the first makes the same flow call as ``runoff run``, with a run id derived from the seed;
the others are ``runoff run --resume``. All traffic stays on this machine. Takes about ten minutes.

Writes its table into ``benchmarks/README.md``.

    python -m benchmarks.chaos [seed]
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.chaos_provider import is_unknown_kind
from benchmarks.figures import write_figures
from tasks.ledger import OrderRecord, open_ledger
from tasks.money import to_nanousd

COMMAND = str(Path(sys.executable).parent / "runoff")
BUDGET_USD = "12.00"
STOPPED = 1
LIMIT_S = 900
RUN = """
import asyncio, sys
from pathlib import Path
from flows.engine import start_engine
file, home, run_id = sys.argv[1:]
with start_engine(Path(home), lambda line: None) as engine:
    from flows.prototype import prototype
    engine.wait_ready()
    asyncio.run(prototype(file, home, run_id))
"""
KEEP_A_SERVER = """
import sys
from pathlib import Path
from flows.engine import start_engine
with start_engine(Path(sys.argv[1]), lambda line: None) as engine:
    engine.wait_ready()
    print(engine.api_url, flush=True)
    sys.stdin.read()
"""
CAMPAIGN: Mapping[str, Any] = {
    "name": "chaos",
    "provider": "openai",
    "budget": {"per_run_usd": BUDGET_USD},
    "variables": {"action": ["swimming", "asleep in kelp", "eating", "waving", "diving"]},
    "arms": {
        "A": {"prompt": "A baby sea otter {{ action }}, watercolour"},
        "B": {"prompt": "A baby sea otter {{ action }}, studio photograph"},
    },
    "finalists": {"count": 4, "approval": "auto"},
}
REQUEST = {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640"}
# What differs between two runs with the same outcomes: times, and the provider's names for its requests;
# those are in some messages too.
OF_THE_MOMENT = ["sent_at", "latency_s", "vendor_request_id"]
# How an order became unknown: by a kill, or by its fault.
OF_THE_UNKNOWN = ["error_code", "error_message", "attempts"]


@dataclass
class Found:
    """The result of a chaos run.

    Args:
        n_orders: Orders in the ledger at the end.
        n_requests: Requests that the provider received.
        n_faults: How many of them met a fault.
        n_kills: How often the run was killed.
        n_in_flight: Orders that were sent and not settled at the kills, added up.
        n_interrupted: Orders that a kill left unknown.
        n_unknown: All unknown orders.
        most_usd: The most that the ledger ever held as spent or reserved.
        n_samples: How often that was looked at.
        n_stops: How often the run without kills was stopped by its circuit breaker, and resumed.
        wrong: Every promise that was broken; empty is what is hoped for.
    """

    n_orders: int = 0
    n_requests: int = 0
    n_faults: int = 0
    n_kills: int = 0
    n_in_flight: int = 0
    n_interrupted: int = 0
    n_unknown: int = 0
    most_usd: float = 0.0
    n_samples: int = 0
    n_stops: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """One run of the campaign: its home, its provider, its environment."""

    home: Path
    url: str
    environ: Mapping[str, str]
    run_id: str

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.home / "chaos" / self.run_id

    def start(self, *, is_first: bool) -> "subprocess.Popen[bytes]":
        """Start a process that works on the run."""
        words = [COMMAND, "run", "--resume", self.run_id]
        if is_first:
            file = str(self.home.parent / "chaos.yaml")
            words = [sys.executable, "-c", RUN, file, str(self.home), self.run_id]
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        with log:
            return subprocess.Popen(
                words, env=dict(self.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def bill(self, after: int = 0) -> dict[str, Any]:
        """Ask the provider for its bill."""
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/_bill?after={after}") as answer:
            bill: dict[str, Any] = json.load(answer)
        return bill

    @property
    def n_requests(self) -> int:
        """How many requests the provider received."""
        return int(self.bill(1_000_000)["total"]["requests"])

    def ids(self, *states: str) -> set[str]:
        """Name the run's orders in some states."""
        marks = ",".join("?" * len(states))
        with closing(sqlite3.connect(self.home / "ledger.db", timeout=60)) as ledger:
            rows = ledger.execute(f"SELECT order_id FROM orders WHERE state IN ({marks})", states)
            return {row[0] for row in rows}

    def report(self) -> pd.DataFrame:
        """Read the run's report, sorted."""
        frame = pd.read_parquet(self.folder / "report.parquet")
        return frame.sort_values(["order_id", "replicate"]).reset_index(drop=True)


class Sampler(threading.Thread):
    """Polls what the ledger has as spent or reserved."""

    def __init__(self, ledger: Path) -> None:
        super().__init__(daemon=True)
        self.ledger, self.most_nanousd, self.n_samples = ledger, 0, 0
        self._is_over = threading.Event()

    def run(self) -> None:
        """Poll every few milliseconds."""
        while not self._is_over.wait(0.01):
            if not self.ledger.exists():
                continue
            try:
                with closing(sqlite3.connect(self.ledger, timeout=60)) as ledger:
                    (held,) = ledger.execute("SELECT SUM(charged_nanousd) FROM orders").fetchone()
            except sqlite3.OperationalError:  # the tables are not made yet
                continue
            self.most_nanousd = max(self.most_nanousd, int(held or 0))
            self.n_samples += 1

    def end(self) -> None:
        """Stop polling."""
        self._is_over.set()
        self.join()


def play(folder: Path, prefect_url: str, *, seed: int, n_drafts: int, n_kills: int) -> Found:
    """Run a campaign with kills and once without, and compare.

    Args:
        folder: An empty folder to play in.
        prefect_url: A Prefect server for all processes.
        seed: Decides faults and kills.
        n_drafts: How many drafts are ordered; a multiple of ten.
        n_kills: How often the run is killed.
    """
    campaign = dict(CAMPAIGN) | {
        "drafts": REQUEST | {"per_prompt": n_drafts // 10},
        "finals": REQUEST | {"quality": "medium", "attempts": 2, "min_fidelity": 0.5},
    }
    (folder / "chaos.yaml").write_text(yaml.safe_dump(campaign))
    found = Found(n_kills=n_kills)
    with opened(folder / "killed", prefect_url, seed, ()) as stage:
        sampler = Sampler(stage.home / "ledger.db")
        sampler.start()
        seen = kill_again_and_again(stage, random.Random(seed), n_drafts, found)
        sampler.end()
        check_money(stage, seen, sampler, found)
        lost = stage.ids("unknown")
        disturbed = stage.report()
    interrupted = set(disturbed[disturbed["error_code"] == "interrupted"]["order_id"])
    found.n_interrupted, found.n_unknown = len(interrupted), len(lost)
    if found.n_interrupted > found.n_in_flight:
        found.wrong.append(f"{found.n_interrupted} orders interrupted, {found.n_in_flight} were in flight")
    with opened(folder / "undisturbed", prefect_url, seed, sorted(interrupted)) as stage:
        run_undisturbed(stage, found)
        compare(disturbed, stage.report(), found)
    return found


@contextmanager
def opened(home: Path, prefect_url: str, seed: int, dropped: Sequence[str]) -> Iterator[Stage]:
    """Make a home and a provider in a process of its own."""
    home.mkdir()
    timeouts = {"timeouts": {"read_s": {"low": 2, "medium": 2}}}
    (home / "providers.yaml").write_text(yaml.safe_dump({"providers": {"openai": timeouts}}))
    words = [sys.executable, "-m", "benchmarks.chaos_provider", str(seed), json.dumps(list(dropped))]
    root = Path(__file__).parents[1]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=root) as shop:
        assert shop.stdout is not None
        url = shop.stdout.readline().strip()
        kept = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "TZ", "PYTHONPATH")
            if name in os.environ
        }
        environ = kept | {
            "RUNOFF_HOME": str(home), "PREFECT_API_URL": prefect_url, "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "sk-chaos-0123456789", "RUNOFF_IMAGES_PER_MINUTE": "100000",
        }  # fmt: skip
        try:
            yield Stage(home, url, environ, f"20261122-120000-{seed:04d}")
        finally:
            shop.terminate()


def kill_again_and_again(stage: Stage, chance: random.Random, n_drafts: int, found: Found) -> set[str]:
    """Kill the run when the provider has seen so many requests, resume it, and at last let it end.

    Returns:
        Every order that was received at any kill.
    """
    instants = sorted(chance.randint(1, round(n_drafts * 1.02)) for _ in range(found.n_kills))
    received: set[str] = set()
    for number, instant in enumerate(instants):
        run = stage.start(is_first=number == 0)
        deadline = time.monotonic() + LIMIT_S
        while stage.n_requests < instant and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.15))
        if run.poll() is not None:
            found.wrong.append(f"process {number} ended by itself with {run.returncode} before its kill")
        run.kill()
        run.wait()
        found.n_in_flight += len(stage.ids("sent"))
        gone = received - stage.ids("received")
        if gone:
            found.wrong.append(f"kill {number}: {len(gone)} received orders are received no more")
        received |= stage.ids("received")
    code = stage.start(is_first=False).wait(LIMIT_S)
    if code not in (0, 4):
        found.wrong.append(f"the last process ended with {code}")
    return received


def run_undisturbed(stage: Stage, found: Found) -> None:
    """Run the campaign to its end without kills; resume it as often as its circuit breaker stops it.

    The orders that the kills lost are lost here as well. A few kills close together lose more of them in
    a row than the breaker lets pass, as it should.
    """
    code, n_left = stage.start(is_first=True).wait(LIMIT_S), found.n_orders
    while code == STOPPED and n_left > (n_left := len(stage.ids("planned"))):
        found.n_stops += 1
        code = stage.start(is_first=False).wait(LIMIT_S)
    if code not in (0, 4):
        found.wrong.append(f"the undisturbed run ended with {code}")


def check_money(stage: Stage, received: set[str], sampler: Sampler, found: Found) -> None:
    """Compare the ledger with the bill, order by order."""
    entries = [entry for entry in stage.bill()["entries"] if entry["client_request_id"]]
    ledger = open_ledger(stage.home, os.environ)
    try:
        records = ledger.orders.of_run(stage.run_id)
        found.wrong += ledger.verify(stage.home)
    finally:
        ledger.close()
    found.n_orders, found.n_requests = len(records), len(entries)
    found.n_faults = sum(entry["fault"] is not None for entry in entries)
    found.most_usd, found.n_samples = sampler.most_nanousd / 1e9, sampler.n_samples
    if sampler.most_nanousd > to_nanousd(Decimal(BUDGET_USD)):
        found.wrong.append(f"the ledger held ${found.most_usd}, the budget is ${BUDGET_USD}")
    by_order: dict[str, list[dict[str, Any]]] = {record.order.order_id: [] for record in records}
    for entry in entries:
        by_order.setdefault(entry["client_request_id"], []).append(entry)
    for record in records:
        sent = by_order.pop(record.order.order_id)
        name = f"order {record.order.order_id} ({record.state})"
        found.wrong += [f"{name} {what}" for what in _wrong_with(record, sent)]
        if record.order.order_id in received and record.state != "received":
            found.wrong.append(f"{name} had been received")
    found.wrong += [f"{name} was bought and stands in no ledger" for name in by_order]


def _wrong_with(record: OrderRecord, sent: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Describe the differences between an order and its requests."""
    charges = [entry["charged_nanousd"] for entry in sent]
    fault = sent[-1]["fault"] if sent else None
    held = to_nanousd(record.charged_usd)
    settled = record.settlement
    if settled is None:
        yield "has no end"
        return
    if any(charges[:-1]):
        yield f"was sent again after it was billed: {charges}"
    if held < sum(charges):
        yield f"holds {held} nano-dollars, less than its bill {sum(charges)}"
    if record.state == "received" and settled.cost_usd is None:
        if fault != "missing_usage":
            yield "has no cost although the provider reported it"
    elif record.state != "unknown" and held != sum(charges):
        yield f"holds {held} nano-dollars, its bill is {sum(charges)}"
    if record.state == "unknown" and settled.error_code != "interrupted" and not is_unknown_kind(fault):
        yield f"is unknown after {fault}"


def compare(disturbed: pd.DataFrame, undisturbed: pd.DataFrame, found: Found) -> None:
    """Compare the two reports cell by cell."""
    frames = []
    for frame in (disturbed, undisturbed):
        stable = frame.drop(columns=OF_THE_MOMENT)
        stable["error_message"] = stable["error_message"].str.replace(r"req_\w+", "", regex=True)
        stable.loc[stable["state"] == "unknown", OF_THE_UNKNOWN] = None
        frames.append(stable)
    try:
        pd.testing.assert_frame_equal(frames[0], frames[1])
    except AssertionError as error:
        found.wrong.append(f"the reports differ: {error}")


def main() -> None:
    """Run the long benchmark and print its result."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", KEEP_A_SERVER, str(Path(folder) / "prefect")]
        (Path(folder) / "prefect").mkdir()
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            url = server.stdout.readline().strip()
            started_s = time.monotonic()
            found = play(Path(folder), url, seed=seed, n_drafts=500, n_kills=25)
            server.stdin.close()
    took_s = time.monotonic() - started_s
    print("\n".join(found.wrong), file=sys.stderr)
    text = table(found, seed, took_s)
    print(text)
    write_figures("benchmarks.chaos", text)
    sys.exit(bool(found.wrong))


def table(found: Found, seed: int, took_s: float) -> str:
    """Write the result as a table."""
    rows = {
        "requests that the provider received": found.n_requests,
        "of them with a fault": found.n_faults,
        "orders in the ledger": found.n_orders,
        "kills": found.n_kills,
        "orders in flight at the kills": found.n_in_flight,
        "of them unknown": found.n_interrupted,
        "unknown by faults": found.n_unknown - found.n_interrupted,
        f"most that was held of ${BUDGET_USD}, in {found.n_samples:,} looks": f"${found.most_usd:.2f}",
        "stops of the run without kills by its circuit breaker": found.n_stops,
        "**promises broken**": f"**{len(found.wrong)}**",
    }
    said = f"`python -m benchmarks.chaos {seed}`: took {took_s:.0f} s."
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join([said, "", "| | |", "|---|---|", *lines])


if __name__ == "__main__":
    main()
