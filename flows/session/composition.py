"""Composition of a session: its workers, its transport to the provider, and its limits.

Buyers are composed in ``tasks.images_api.purchasing``.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from flows.runs.progress import current_display
from flows.session.prepare import Prepared, without_arms
from flows.workers.scheduler import scheduler_address
from tasks.clock import today
from tasks.errors import SettingError
from tasks.ledger import Limits
from tasks.storage.home import ANSWERS
from tasks.storage.mirror import home_address, store_of
from tasks.tracing import wants_traces

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

    from flows.workers.dask_pool import DaskPool
    from tasks.images_api.sellers import Sellers
    from tasks.images_api.terms import Terms


@asynccontextmanager
async def open_workers(prepared: Prepared, limits: Limits, hold: str) -> AsyncIterator["DaskPool | None"]:
    """Connect to the workers of ``RUNOFF_DASK``; none for the emulator, which is in this process only.

    Args:
        prepared: The prepared run.
        limits: Its budgets.
        hold: The token of its hold, without which workers send nothing.
    """
    address = _workers_address(prepared)
    if address is None:
        yield None
        return
    from flows.workers.dask_pool import open_pool
    from flows.workers.worker import Job

    addresses = {name: prepared.terms.at(name).base_url for name in prepared.campaign.sellers}

    def make_job(token: str) -> Job:
        return Job(
            token=token,
            run_id=prepared.run_id,
            home=home_address(prepared.home),
            campaign=prepared.campaign,
            providers=prepared.providers,
            addresses=addresses,
            catalogue=prepared.terms.catalogue,
            limits=limits,
            hold=hold,
        )

    async with open_pool(address, make_job, current_display().say) as pool:
        yield pool


def _workers_address(prepared: Prepared) -> str | None:
    address = scheduler_address(prepared.settings.environ)
    is_here = any(prepared.terms.at(name).base_url is None for name in prepared.campaign.sellers)
    return None if is_here else address


def n_to_evaluate(prepared: Prepared) -> int:
    """Count the pictures that this machine may have to evaluate beside buying them.

    None where that must be done in this process: workers inspect what they buy, a store's files are known to
    one process, and spans are parts of the flow's.
    """
    environ = prepared.settings.environ
    if wants_traces(environ) or store_of(prepared.home) is not None or _workers_address(prepared) is not None:
        return 0
    return len(prepared.plan.orders)


def check_sellers(prepared: Prepared) -> None:
    """Read the key and all else that each provider of a run needs.

    Raises:
        SettingError: Something is missing; where only some arms need it, the message says how to go without.
    """
    for name in prepared.campaign.sellers:
        try:
            prepared.terms.at(name).check()
        except SettingError as error:
            raise without_arms(prepared, name, error) from error


@asynccontextmanager
async def connected(prepared: Prepared) -> "AsyncIterator[dict[str, AsyncOpenAI]]":
    """Connect to every provider that a run buys from; yields the connections by name."""
    from tasks.images_api.client import connect

    async with AsyncExitStack() as stack:
        clients = {}
        for name in prepared.campaign.sellers:
            terms = prepared.terms.at(name)
            clients[name] = await stack.enter_async_context(connect(terms, transport_of(prepared, terms)))
        yield clients


@asynccontextmanager
async def watched(pool: "DaskPool | None", buyer: "Sellers") -> AsyncIterator[None]:
    """Watch the workers, if there are any, as long as the session is open."""
    watching = None if pool is None else asyncio.create_task(pool.keep_watch(buyer))
    try:
        yield
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def transport_of(prepared: Prepared, terms: "Terms") -> "httpx2.AsyncBaseTransport | None":
    """Return a transport to the emulator in this process if a provider has no address."""
    if terms.base_url is not None:
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
    """Return the limits of a run: in total, by arm, in its campaign's month, and in the ledger's month."""
    budget, arms = prepared.campaign.budget, prepared.campaign.arms
    of_arms = {name: arm.budget_usd for name, arm in arms.items() if arm.budget_usd is not None}
    return Limits(
        budget.per_run_usd,
        budget.per_month_usd,
        prepared.ledger_per_month_usd,
        of_arms,
        budget.further_usd,
    )
