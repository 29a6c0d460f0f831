"""The main job: drafts, copies out, scores, finalists, and those at high quality.

The flow says in which order; what each stage reads and writes stands in ``flows.stages``. Run it again with
the same run id and it goes on where it was: what the ledger knows as received is not bought again.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow

from flows.closing import close_run
from flows.open_run import OpenRun, open_run, prepare
from flows.promote import buy_finals
from flows.reconciling import resend_drafts
from flows.stages import deduplicate_drafts, make_pictures, score_drafts, select_finalists
from tasks.home import home_folder
from tasks.ledger.runs import new_run_id


@flow(name="prototype", flow_run_name="{campaign_file}", persist_result=False, validate_parameters=False)
async def prototype(campaign_file: str, home: str | None = None, run_id: str | None = None) -> dict[str, Any]:
    """Run a campaign. This spends money, within the campaign's budgets.

    Args:
        campaign_file: The campaign file.
        home: Runoff's home; ``RUNOFF_HOME`` or ``./runs`` when left out.
        run_id: The run to go on with; a new one when left out.

    Returns:
        What came of it: ``flows.outcome.Outcome`` as a mapping.

    Raises:
        RunoffError: The file is wrong, or no further order could succeed; see ``tasks.errors``.
    """
    run_id = run_id or new_run_id(datetime.now(UTC))
    prepared = await asyncio.to_thread(
        prepare, Path(campaign_file), home_folder(home), run_id, asks_provider=True
    )
    async with open_run(prepared) as run:
        await make_pictures(run, "draft")
        await _resend_unknown(run)
        if run.is_interrupted:
            return await close_run(run, state="stopped")
        await score_drafts(run)
        await deduplicate_drafts(run)
        n_finalists = await select_finalists(run)
        if n_finalists and run.campaign.finalists.approval == "review":
            return await close_run(run, state="awaiting review")
        if run.desk.closed_by is None:
            await buy_finals(run)
        return await close_run(run, state="done")


async def _resend_unknown(run: OpenRun) -> None:
    """Order again, once, what may have been billed, where the campaign says so; the first stays charged."""
    if run.campaign.on_unknown != "resend":
        return
    resend_drafts(run.ledger, run.run_id, run.prepared.plan.orders)
    if run.planned("draft"):
        await make_pictures(run, "draft")
