"""The main job: drafts, copies out, scores, finalists, and those at high quality.

The flow says in which order; what each stage reads and writes stands in ``flows.stages``. Run it again with
the same run id and it goes on where it was: what the ledger knows as received is not bought again.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.closing import close_run
from flows.open_run import OpenRun, Prepared, open_run, prepare
from flows.promote import buy_finals
from flows.reconciling import resend_drafts
from flows.stages import deduplicate_drafts, make_pictures, score_drafts, select_finalists
from tasks.home import CAMPAIGN_FILE, home_folder
from tasks.ledger import has_ledger, open_ledger
from tasks.ledger.runs import new_run_id
from tasks.money import count_of


def _name_run() -> str:
    """Name the flow run by its campaign file, and by its run where that is known before it begins."""
    parameters = flow_run.parameters
    file = Path(parameters["campaign_file"])
    campaign = file.parent.parent.name if file.name == CAMPAIGN_FILE else file.stem
    return "-".join(filter(None, ("prototype", campaign, parameters.get("run_id"))))


@flow(name="prototype", flow_run_name=_name_run, persist_result=False, validate_parameters=False)
async def prototype(
    campaign_file: str, home: str | None = None, run_id: str | None = None, *, is_scheduled: bool = False
) -> dict[str, Any]:
    """Run a campaign. This spends money, within the campaign's budgets.

    Args:
        campaign_file: The campaign file.
        home: Runoff's home; ``RUNOFF_HOME`` or ``./runs`` when left out.
        run_id: The run to go on with; a new one when left out.
        is_scheduled: Whether a schedule started it: it is skipped while too many runs await review.

    Returns:
        What came of it: ``flows.outcome.Outcome`` as a mapping; or ``state`` ``skipped`` and a ``message``.

    Raises:
        RunoffError: The file is wrong, or no further order could succeed; see ``tasks.errors``.
    """
    run_id = run_id or new_run_id(datetime.now(UTC))
    prepared = await asyncio.to_thread(
        prepare, Path(campaign_file), home_folder(home), run_id, asks_provider=True
    )
    if is_scheduled and (reason := _reason_to_skip(prepared)):
        return {"state": "skipped", "message": reason, "exit_code": 0}
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


def _reason_to_skip(prepared: Prepared) -> str | None:
    """Tell why a schedule's run is not made: people have not looked at the earlier ones."""
    schedule = prepared.campaign.schedule
    if schedule is None or schedule.pause_when_unreviewed is None or not has_ledger(prepared.home):
        return None
    with open_ledger(prepared.home) as ledger:
        runs = [run for run in ledger.runs.all() if run.campaign == prepared.campaign.name]
    n_waiting = sum(run.state == "awaiting review" for run in runs)
    if n_waiting < schedule.pause_when_unreviewed:
        return None
    waiting = count_of(n_waiting, "run")
    return f"Awaiting review at {prepared.campaign.name}: {waiting}. Nothing was bought."


async def _resend_unknown(run: OpenRun) -> None:
    """Order again, once, what may have been billed, where the campaign says so; the first stays charged."""
    if run.campaign.on_unknown != "resend":
        return
    resend_drafts(run.ledger, run.run_id, run.prepared.plan.orders)
    if run.planned("draft"):
        await make_pictures(run, "draft")
