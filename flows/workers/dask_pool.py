"""The flow's side of workers: submits batches to a Dask scheduler.

The flow's own Prefect tasks call Dask directly: Prefect's task runner for Dask needs every worker to reach
Prefect's server, and is slower (``benchmarks/runners.py``). Prefect sees the same tasks either way.

If a worker dies, another one does its batch; if there is no worker for ``ALONE_S``, the run is stopped
instead of hanging. When the run's buyer closes, for whatever reason, every worker stops sending; requests in
flight at workers are awaited like the run's own.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from flows.runs.recovery import lost_line
from flows.runs.run import StoredRun
from flows.workers import worker as workers_side
from flows.workers.scheduler import DASK_VARIABLE
from flows.workers.worker import Bought, Job
from tasks.errors import EngineError, SettingError
from tasks.extras import install_command
from tasks.order import Order
from tasks.tracing import current_carrier

if TYPE_CHECKING:
    from distributed import Client

    from tasks.images_api.sellers import Sellers

P = ParamSpec("P")
T = TypeVar("T")
CONNECT_S = 15.0
ALONE_S = 60.0
LOOK_S = 1.0
BATCHES_AT_ONCE = 2
"""Batches of one worker at once, if it has the threads: it need not wait for a batch's last answers."""
BATCHES_EACH = 4
"""How many batches a worker's share of a stage is cut into, so that fast workers relieve slow ones."""


@dataclass
class DaskPool:
    """Workers of a run.

    Args:
        client: The connection to the scheduler.
        address: Its address.
        job: The run's data that workers get.
    """

    client: "Client"
    address: str
    job: Job
    _n_threads: dict[str, int] = field(default_factory=dict)
    _alone: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: set[str] = field(default_factory=set)

    async def refresh(self) -> None:
        """Refresh the list of workers.

        Raises:
            EngineError: The scheduler does not answer.
        """
        self._n_threads = {}
        asked: Awaitable[dict[str, int]] = cast("Any", self.client.scheduler).ncores()
        try:
            self._n_threads = dict(await asyncio.wait_for(asked, CONNECT_S))
            self._seen |= self._n_threads.keys()
        except (OSError, TimeoutError) as fault:
            raise self._gone(what="does not answer") from fault

    @property
    def n_places(self) -> int:
        """How many batches the workers may have at once."""
        return sum(min(BATCHES_AT_ONCE, n) for n in self._n_threads.values())

    def describe_lost(self, n_unknown: int) -> str:
        """Say how many requests a worker lost by its death, which workers are gone, and what to do.

        Args:
            n_unknown: How many requests.
        """
        gone = ", ".join(sorted(self._seen - self._n_threads.keys())) or "it has started again since"
        lost = lost_line(n_unknown, f"at a worker that died ({gone})")
        return f"{lost}. See why in its log, then start it again: {_start_of(self.address)}"

    def batch_size(self, n_items: int, most: int) -> int:
        """Choose a batch size so that every worker gets some of a stage, and fast ones more."""
        return max(1, min(most, -(-n_items // max(1, self.n_places * BATCHES_EACH))))

    async def buy(self, orders: Sequence[Order]) -> Bought:
        """Have a batch bought. This spends money, within the run's budgets.

        Raises:
            EngineError: No worker could do it; the ledger has the state of its orders.
        """
        return await self._do(_buy_with_share, list(orders))

    async def evaluate(
        self, evaluation: Callable[Concatenate[StoredRun, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of ``flows.evaluation`` at a worker; returns its result.

        Raises:
            EngineError: No worker could do it.
            RunoffError: A worker failed; what others wrote stays.
        """
        return await self._do(workers_side.evaluate, evaluation, *args, **kwargs)

    async def _do(self, work: Callable[..., T], *args: object, **kwargs: object) -> T:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        job = replace(self.job, trace=current_carrier())
        future = self.client.submit(work, job, *args, pure=False, **kwargs)
        answer, alone = asyncio.ensure_future(future), asyncio.ensure_future(self._alone.wait())
        try:
            await asyncio.wait({answer, alone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise self._gone(what=f"has had no workers for {ALONE_S:.0f} s")
            return cast("T", answer.result())
        except FutureCancelledError as fault:
            raise self._gone(what="went away") from fault
        except KilledWorker as fault:
            raise self._gone(what="several workers died with the same batch") from fault
        except ImportError as fault:
            raise self._gone(what=f"a worker does not have this version of Runoff: {fault}") from fault
        finally:
            answer.cancel()
            alone.cancel()
            await asyncio.gather(answer, alone, return_exceptions=True)

    def _gone(self, *, what: str) -> EngineError:
        return EngineError(
            where=f"Dask scheduler {self.address}",
            what=what,
            money="What was bought is kept; requests in flight there become unknown and stay charged.",
            next_step=f"Start workers again or unset {DASK_VARIABLE}, then: "
            f"runoff run --resume {self.job.run_id}",
        )

    async def keep_watch(self, buyer: "Sellers") -> None:
        """Stop every worker once the buyer is closed, and give up once there is no worker."""
        seen_s = time.monotonic()
        while True:
            with suppress(EngineError):
                await self.refresh()
            seen_s = time.monotonic() if self._n_threads else seen_s
            if time.monotonic() - seen_s >= ALONE_S:
                self._alone.set()
            if buyer.closed_by is not None:  # repeatedly, because a new worker does not know
                await self._call_all(workers_side.stop, self.job.token)
                await asyncio.sleep(LOOK_S)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(buyer.until_closed(), LOOK_S)

    async def wait_until_idle(self, say: Callable[[str], None]) -> None:
        """Wait for workers that still work for an earlier process of this run."""
        is_reported = False
        while any((await self._call_all(workers_side.is_at_work, self.job.run_id)).values()):
            if not is_reported:
                say("Waiting for requests that workers have in flight for an earlier process of this run.")
            is_reported = True
            await asyncio.sleep(LOOK_S)

    async def _call_all(self, function: Callable[[str], T], about: str) -> dict[str, T]:
        with suppress(OSError, TimeoutError):
            answers = self.client.run(function, about, on_error="ignore")
            return await asyncio.wait_for(cast("Awaitable[dict[str, T]]", answers), CONNECT_S)
        return {}


def _start_of(address: str) -> str:
    return f"OPENBLAS_NUM_THREADS=1 dask worker {address} --no-nanny"


def _buy_with_share(job: Job, orders: Sequence[Order]) -> Bought:
    """Buy a batch on a worker, with its share of the provider's concurrency, while the flow waits for it."""
    from distributed import get_worker

    at_once = min(BATCHES_AT_ONCE, get_worker().state.nthreads)
    parts = {
        name: provider.model_copy(update={"concurrency": -(-provider.concurrency // at_once)})
        for name, provider in job.providers.by_name.items()
    }
    own = replace(job, providers=replace(job.providers, by_name=parts))
    return workers_side.buy(own, orders, _wanted_by_dask())


def _wanted_by_dask() -> Callable[[], bool]:
    """Return a function that tells, on a worker, whether the flow still waits for this thread's task."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in ("executing", "long-running")

    return is_wanted


@asynccontextmanager
async def open_pool(
    address: str, make_job: Callable[[str], Job], say: Callable[[str], None]
) -> AsyncIterator[DaskPool]:
    """Connect to a scheduler for one run, and wait for a worker.

    Args:
        address: Address of the scheduler, such as ``tcp://scheduler:8786``.
        make_job: Makes the data that workers get, from the token of this session.
        say: Prints one line for the user.

    Raises:
        SettingError: Dask is not installed here.
        EngineError: No scheduler answers there, or it has no worker.
    """
    try:
        from distributed import Client

        from flows.workers.worker_plugin import RunoffWorker
    except ImportError as fault:
        raise SettingError(
            where=DASK_VARIABLE,
            what=f"is set, but Dask is not installed: {fault}",
            next_step=f"Install it with: {install_command('dask')}",
        ) from fault
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its errors are reported below
    try:
        client = await Client(address, asynchronous=True, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as fault:
        raise EngineError(
            where=DASK_VARIABLE,
            what=f"there is no Dask scheduler at {address}",
            accepted="tcp://host:8786",
            next_step=f"Start one with: dask scheduler. Or unset {DASK_VARIABLE} to run without workers.",
        ) from fault
    try:
        job = make_job(secrets.token_hex(8))
        pool = DaskPool(client, address, job)
        try:
            await client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as fault:
            raise pool._gone(what=f"has no workers; start one with: {_start_of(address)}") from fault
        try:
            await client.register_plugin(RunoffWorker())  # new workers get it too
        except ImportError as fault:
            raise pool._gone(what=f"a worker does not have this version of Runoff: {fault}") from fault
        await pool.refresh()
        await pool.wait_until_idle(say)
        yield pool
    finally:
        await client.close()
