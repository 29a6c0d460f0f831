"""The largest team that this machine holds: workers on one PostgreSQL ledger and one Prefect server.

Each worker is a process that makes a run of its own, as `runoff worker` starts one for each flow run. The
provider is an emulator with small answers (a mosaic of a few kilobytes after a fixed time), so that what is
measured is Runoff's, the ledger's and Prefect's share. Processor time is read from the processes, and holds
on a busy machine too; orders a second are counted from the first sent to the last answered. Requests to
Prefect's server are counted on the way to it.

    python -m benchmarks.team_size [--orders 200] [--latency 1.0] [--workers 1 2 4 8]
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import yaml

from benchmarks.figures import write_figures
from benchmarks.ledger_speed import AS_IT_COMES
from benchmarks.workplace import (
    COMMAND,
    environ_of,
    open_prefect_server,
    open_provider,
    write_campaign,
    write_home,
)
from tasks.ledger import open_ledger
from tasks.ledger.database import LEDGER_VARIABLE
from tests.support.dask_setup import dask_setup
from tests.support.postgresql_server import PostgresqlServer, binaries, running

ORDERS_PER_BATCH = 50
NIGHT_S = 8 * 3600
NIGHTS = (1_000, 100_000, 1_000_000)
N_CORES = os.cpu_count() or 1
MOST_IMAGES_PER_MINUTE = 250
"""Highest account tier: https://developers.openai.com/api/docs/guides/rate-limits (2026-11-22)."""
CONCURRENCY = 50
_REQUEST = re.compile(rb"(?:GET|POST|PATCH|PUT|DELETE) (/\S+) HTTP/1\.1\r\n")


@dataclass
class Passage:
    """A way to Prefect's server on which requests are counted.

    Args:
        url: Its address, in place of the server's.
        counts: Requests so far.
    """

    url: str = ""
    counts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, data: bytes) -> None:
        """Count the requests that begin in a piece of what is sent."""
        with self._lock:
            self.counts += len(_REQUEST.findall(data))


@contextmanager
def counted(server: str) -> Iterator[Passage]:
    """Pass connections on to a server, byte by byte, and count the requests."""
    parts = urlsplit(server)
    passage, listener = Passage(), socket.create_server(("127.0.0.1", 0), backlog=128)
    passage.url = f"http://127.0.0.1:{listener.getsockname()[1]}{parts.path}"

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                there = socket.create_connection((parts.hostname, parts.port or 80))
                for source, target, is_counted in ((client, there, True), (there, client, False)):
                    threading.Thread(
                        target=_pass_on, args=(source, target, passage, is_counted), daemon=True
                    ).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield passage
    finally:
        listener.close()


def _pass_on(source: socket.socket, target: socket.socket, passage: Passage, is_counted: bool) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if is_counted:
                passage.note(data)
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Measured:
    """What a number of workers did.

    Args:
        orders_per_s: Of all of them, from the first order sent to the last answered.
        worker_cpu_ms: Processor time of the workers per order, milliseconds, start and report included.
        ledger_cpu_ms: PostgreSQL's per order.
        prefect_cpu_ms: Prefect's server's per batch of 50 orders.
        prefect_calls: Requests to Prefect's server per batch.
    """

    orders_per_s: float
    worker_cpu_ms: float
    ledger_cpu_ms: float
    prefect_cpu_ms: float
    prefect_calls: float


def cpu_s(pids: list[int]) -> float:
    """Sum the processor time of processes and their children, those that ended included."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(pid)
            for process in (top, *top.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    own = times.user + times.system
                    total += own + (times.children_user + times.children_system if process == top else 0.0)
    return total


def server_pid(prefect_home: Path) -> int:
    """Find the Prefect server's process."""
    (file,) = (prefect_home / ".prefect" / "servers").glob("*.json")
    return int(yaml.safe_load(file.read_text())["pid"])


def measure(
    folder: Path,
    n_workers: int,
    n_orders: int,
    provider_url: str,
    prefect: str,
    prefect_pid: int,
    server: PostgresqlServer,
) -> Measured:
    """Let workers begin together, each with a run of its own, and measure until all are done."""
    url = server.new_database()
    processes: list[subprocess.Popen[bytes]] = []
    postgresql_pid = server.pid
    with counted(prefect) as passage:
        before = cpu_s([postgresql_pid]), cpu_s([prefect_pid])
        for number in range(n_workers):
            place = folder / f"team{n_workers}" / str(number)
            home = place / "home"
            write_home(home, CONCURRENCY)
            campaign = write_campaign(place, n_orders)
            campaign.write_text(campaign.read_text().replace("name: benchmark", f"name: benchmark-{number}"))
            environ = environ_of(home, None, passage.url) | {
                "OPENAI_BASE_URL": provider_url,
                LEDGER_VARIABLE: url,
            }
            if not processes:
                open_ledger(home, {LEDGER_VARIABLE: url}).close()
            processes.append(
                subprocess.Popen(
                    [COMMAND, "run", "--yes", campaign],
                    cwd=place,
                    env=environ,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            )
        used_s = sum(_end(process) for process in processes)
        after = cpu_s([postgresql_pid]), cpu_s([prefect_pid])
    n_all = n_workers * n_orders
    n_batches = n_all / ORDERS_PER_BATCH
    return Measured(
        orders_per_s=_orders_per_s(folder, url),
        worker_cpu_ms=1000 * used_s / n_all,
        ledger_cpu_ms=1000 * (after[0] - before[0]) / n_all,
        prefect_cpu_ms=1000 * (after[1] - before[1]) / n_batches,
        prefect_calls=passage.counts / n_batches,
    )


def _end(process: "subprocess.Popen[bytes]") -> float:
    """Wait for a worker's end; returns its processor time, seconds."""
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(said.decode())
    process.returncode = 0
    return used.ru_utime + used.ru_stime


def _orders_per_s(folder: Path, url: str) -> float:
    spans = []
    with open_ledger(folder, {LEDGER_VARIABLE: url}) as ledger:
        for run in ledger.runs.all():
            for record in ledger.orders.of_run(run.run_id, "received"):
                assert record.sent_at is not None
                assert record.settlement is not None
                latency = timedelta(seconds=record.settlement.latency_s or 0)
                spans.append((record.sent_at, record.sent_at + latency))
    took = max(ended for _, ended in spans) - min(began for began, _ in spans)
    return len(spans) / took.total_seconds()


def dask_cpu_ms(folder: Path, n_orders: int, provider_url: str, prefect: str) -> Mapping[str, float]:
    """Measure where the processor time of a run over two Dask workers goes, milliseconds per order."""
    home = folder / "dask-home"
    write_home(home, CONCURRENCY)
    campaign = write_campaign(folder, n_orders)
    environ = environ_of(home, None, prefect) | {"OPENAI_BASE_URL": provider_url}
    with dask_setup(folder / "dask", environ, "one", "two") as team:
        scheduler = next(
            child.pid
            for child in psutil.Process().children()
            if "dask_scheduler" in " ".join(child.cmdline())
        )
        pids = {"scheduler": [scheduler], "workers": [worker.pid for worker in team.workers.values()]}
        before = {part: cpu_s(of) for part, of in pids.items()}
        process = subprocess.Popen(
            [COMMAND, "run", "--yes", campaign], cwd=folder, env=environ | {"RUNOFF_DASK": team.address},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        used = {"flow": _end(process)} | {part: cpu_s(of) - before[part] for part, of in pids.items()}
    return {part: 1000 * seconds / n_orders for part, seconds in used.items()}


def figures(
    workers: list[int], n_orders: int, latency_s: float
) -> Iterator[tuple[str, Measured | Mapping[str, float]]]:
    """Measure each number of workers, then Dask's share."""
    found = binaries()
    if found is None:
        sys.exit("PostgreSQL is not installed here.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(found, AS_IT_COMES))
        prefect = stack.enter_context(open_prefect_server(folder / "prefect"))
        pid = server_pid(folder / "prefect")
        provider = stack.enter_context(open_provider(latency_s))
        for n_workers in workers:
            yield str(n_workers), measure(folder, n_workers, n_orders, provider.url, prefect, pid, server)
        yield "dask", dask_cpu_ms(folder, n_orders, provider.url, prefect)


def main() -> None:
    """Measure, and write the figures down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, default=200, help="of each worker; a multiple of 20")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds per answer")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    asked = parser.parse_args()
    rows, last, dask = [], None, ""
    for name, found in figures(asked.workers, asked.orders, asked.latency):
        if isinstance(found, Measured):
            times = [found.worker_cpu_ms, found.ledger_cpu_ms, found.prefect_cpu_ms]
            cells = " | ".join(f"{ms:.1f} ms" for ms in times)
            rows.append(f"| {name} | {found.orders_per_s:.1f} | {cells} | {found.prefect_calls:.0f} |")
            last = found
        else:
            dask = ", ".join(f"{part} {ms:.0f} ms" for part, ms in found.items())
    assert last is not None
    head = (
        "| workers | orders/s | worker, order | PostgreSQL, order | Prefect, batch | requests to it, batch |"
    )
    about = f"{asked.orders} orders of each worker, answers after {asked.latency:g} s; processor time."
    text = [
        about,
        "",
        head,
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Over two Dask workers, an order: {dask}.",
        "",
    ]
    write_figures("benchmarks.team_size", "\n".join([*text, *reckoned(last)]))


def reckoned(found: Measured) -> Iterator[str]:
    """Say what share of each part a night takes, and which gives out first.

    Args:
        found: What the largest team did.
    """
    night_ms = 1000 * NIGHT_S
    most = {
        f"provider, {MOST_IMAGES_PER_MINUTE} a minute": MOST_IMAGES_PER_MINUTE * NIGHT_S / 60,
        f"workers, {N_CORES} cores": N_CORES * night_ms / found.worker_cpu_ms,
        "PostgreSQL, a core": night_ms / found.ledger_cpu_ms,
        "Prefect's server, a core": night_ms / found.prefect_cpu_ms * ORDERS_PER_BATCH,
    }
    yield f"Reckoned from the last row: the share of each part that a night of {NIGHT_S // 3600} hours takes."
    yield ""
    yield f"| pictures a night | {' | '.join(most)} | gives out first |"
    yield f"|---{'|---' * (len(most) + 1)}|"
    for n_pictures in NIGHTS:
        shares = {part: n_pictures / of for part, of in most.items()}
        first = max(shares, key=lambda part: shares[part])
        cells = " | ".join(f"{share:.1%}" for share in shares.values())
        yield f"| {n_pictures:,} | {cells} | {first.partition(',')[0] if shares[first] > 1 else 'nothing'} |"


if __name__ == "__main__":
    main()
