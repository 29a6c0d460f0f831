"""Composition of a session: its workers, its transport to the provider, and its limits.

Buyers are composed in ``tasks.images_api.purchasing``.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from flows.runs.progress import current_display
from flows.session.prepare import Prepared
from tasks.clock import today
from tasks.ledger import Limits
from tasks.storage.home import ANSWERS
from tasks.storage.mirror import home_address

if TYPE_CHECKING:
    import httpx2

    from flows.workers.dask_pool import DaskPool
    from tasks.images_api.buyer import Buyer


@asynccontextmanager
async def open_workers(prepared: Prepared, limits: Limits, hold: str) -> AsyncIterator["DaskPool | None"]:
    """Connect to the workers of ``RUNOFF_DASK``; none for the emulator, which is in this process only.

    Args:
        prepared: The prepared run.
        limits: Its budgets.
        hold: The token of its hold, without which workers send nothing.
    """
    from flows.workers.dask_pool import open_pool, scheduler_address

    address, base_url = scheduler_address(prepared.settings.environ), prepared.terms.base_url
    if address is None or base_url is None:
        yield None
        return
    from flows.workers.worker import Job

    def make_job(token: str) -> Job:
        return Job(
            token=token,
            run_id=prepared.run_id,
            home=home_address(prepared.home),
            campaign=prepared.campaign,
            provider=prepared.terms.provider,
            base_url=base_url,
            catalogue=prepared.terms.catalogue,
            limits=limits,
            hold=hold,
        )

    async with open_pool(address, make_job, current_display().say) as pool:
        yield pool


@asynccontextmanager
async def watched(pool: "DaskPool | None", buyer: "Buyer") -> AsyncIterator[None]:
    """Watch the workers, if there are any, as long as the session is open."""
    watching = None if pool is None else asyncio.create_task(pool.keep_watch(buyer))
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def transport_of(prepared: Prepared) -> "httpx2.AsyncBaseTransport | None":
    """Return a transport to the emulator in this process if the provider has no address."""
    if prepared.terms.base_url is not None:
        return None
    import httpx2

    from tasks.emulator.app import create_app
    from tasks.emulator.settings import EmulatorSettings

    # A run that is taken up again gets other pictures than it has, as from a provider.
    n_answers = len(list((prepared.folder / ANSWERS).glob("*")))
    seed = zlib.crc32(f"{prepared.run_id} {n_answers or ''}".strip().encode())
    return httpx2.ASGITransport(
        app=create_app(EmulatorSettings(seed=seed, today=partial(today, prepared.settings.environ)))
    )


def limits_of(prepared: Prepared) -> Limits:
    """Return the limits of a run: in total, in its campaign's month, and in the whole ledger's month."""
    budget = prepared.campaign.budget
    return Limits(budget.per_run_usd, budget.per_month_usd, prepared.ledger_per_month_usd)
