"""Making a run from the command: its first requests leave before Prefect is loaded.

Loading Prefect and beginning a flow run take more than a second of processor time. Where a server answers,
the run is opened and its first requests are sent before that; where one has to be started, Prefect is loaded
while it starts. Nothing is sent before the server has recorded the flow.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.buying import loaded

if TYPE_CHECKING:
    from flows.engine import Engine
    from flows.session.prepare import Prepared

FLOW = "prototype"
FLOW_MODULE = f"flows.{FLOW}"
PURCHASE_MODULES = ("flows.session.head_start", "tasks.images_api.purchasing", "httpx")
"""What a purchase needs: the ledger, and the provider's SDK. With each request that looks into httpx, once
somebody has begun to load it: so all of it is loaded before the first one, and not by Prefect beside it."""

SWITCH_S = 0.001
"""How long a thread may keep the interpreter while another one waits: a fifth of the usual."""


async def make_run(
    engine: "Engine", file: Path, prepared: "Prepared", *, takes_up_cancelled: bool
) -> dict[str, Any]:
    """Make or resume a prepared run as a flow. This spends money, within the campaign's budgets.

    Args:
        engine: Prefect's server, which may still be starting.
        file: The campaign file.
        prepared: The prepared run.
        takes_up_cancelled: The run is resumed, even if it was cancelled for good.

    Raises:
        EngineError: The server did not come up, or did not let the run begin.
        RunoffError: See ``flows.prototype.prototype``.
    """
    to_load = [*PURCHASE_MODULES, *([] if await asyncio.to_thread(engine.answers) else [FLOW_MODULE])]
    await asyncio.gather(asyncio.to_thread(_load, to_load), engine.ready())
    is_ahead = not takes_up_cancelled and await asyncio.to_thread(engine.takes, FLOW)
    async with _ahead(prepared) if is_ahead else nullcontext():
        with _sharing_the_interpreter():
            await asyncio.to_thread(_load, [FLOW_MODULE])
        loaded()
        from flows.engine.recorded_run import run_recorded
        from flows.prototype import prototype

        where = (str(file), str(prepared.home), prepared.run_id)
        return await run_recorded(engine, prototype, *where, takes_up_cancelled=takes_up_cancelled)


@contextmanager
def _sharing_the_interpreter() -> Iterator[None]:
    """Let what is loaded inside give way sooner: each step of a request would wait for it by default."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


def _ahead(prepared: "Prepared") -> AbstractAsyncContextManager[None]:
    from flows.session.head_start import head_start

    return head_start(prepared)


def _load(modules: Sequence[str]) -> None:
    for name in modules:
        import_module(name)
