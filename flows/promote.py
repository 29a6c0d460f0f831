"""The promotion flow: buys finalists again at high quality and checks that each is still the same picture.

Each attempt is bought, inspected and compared with its draft, and judged where it must keep what the judge
said of its draft; the next one is bought only if it is not accepted. Drafts stay unchanged. Earlier purchases
are in the ledger, so promoting twice buys nothing twice.
"""

import asyncio
import os
from typing import Any

from prefect import flow

from flows.evaluation.drafts import select_finalists
from flows.prefect_ui.cancellation import give_up_cancelled_flow_run, open_cancellable
from flows.prefect_ui.events import emit_approved
from flows.prefect_ui.flow_parameters import RunName
from flows.prefect_ui.flow_states import flow_result
from flows.promotion.attempts import Wanted, describe_left_out, plan_attempt, usable_finalists
from flows.runs.outcome import Outcome
from flows.runs.reconciling import user_name
from flows.runs.recovery import settle_failed_flow_run
from flows.runs.run import StoredRun
from flows.session.asking import prepare_to_buy
from flows.session.session import Session
from flows.stages.buy import make_pictures
from flows.stages.closing import close_run
from flows.stages.evaluate import compare_task, inspect_task
from flows.stages.judging import judge_finals
from tasks.attachments.drawings import write_drawn
from tasks.campaign.succession import FINALS
from tasks.errors import RunError
from tasks.ledger import open_ledger
from tasks.ledger.replanning import replan_finals
from tasks.redaction import with_redacted_errors
from tasks.settings import Settings


async def buy_finals(run: Session) -> str:
    """Buy every finalist again, attempt by attempt, until it is accepted or its attempts are used up.

    This spends money: at most finalists x attempts orders for each edition, and a question about each final
    where its statements are kept.

    Returns:
        Which finals are left out because a picture is gone, and what to do; empty if none is.
    """
    left_out: dict[Wanted, RunError] = {}
    for number in range(max(edition.tries for edition in run.campaign.editions)):
        orders, left = [], []
        for edition in run.campaign.editions:
            if number < edition.tries:
                finalists, unusable = usable_finalists(run.stored, edition, left_out)
                attempt = plan_attempt(run.stored, run.prepared, edition, number, finalists)
                orders += attempt.orders
                left += attempt.left
                left_out |= unusable | attempt.left_out
        write_drawn(picture for order in left for picture in order.sent)
        replan_finals(run.ledger, run.run_id, orders)
        if run.planned("final"):
            await make_pictures(run, "final")
        else:
            await inspect_task(run)  # what an earlier process bought and did not come to inspect
        await compare_task(run)
        while await judge_finals(run):
            await compare_task(run)
        if run.buyer.closed_by is not None:
            break
    return describe_left_out(left_out, run.run_id)


async def close_after_finals(run: Session, left_out: str = "", note: str = "") -> Outcome:
    """End a run whose finals were bought: it is ``done``, or ``stopped`` where some are left out.

    Args:
        run: The run.
        left_out: What ``buy_finals`` returned.
        note: The message of the outcome otherwise.

    Raises:
        RunoffError: As ``close_run``.
    """
    return await close_run(run, state="stopped" if left_out else "done", lack=left_out, note=note)


@flow(
    name="promote",
    flow_run_name="finals · {run_id}",
    persist_result=False,
    validate_parameters=False,
    on_failure=[settle_failed_flow_run],
    on_crashed=[settle_failed_flow_run],
    on_cancellation=[give_up_cancelled_flow_run],
)
@with_redacted_errors
async def promote(run_id: RunName, home: str | None = None) -> dict[str, Any]:
    """Buy a run's finalists again at high quality. This spends money, within the campaign's budget.

    Args:
        run_id: The run: its id, a unique beginning of it, or ``latest``.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.

    Returns:
        The state of the run now: ``flows.runs.outcome.Outcome`` as a mapping.

    Raises:
        RunoffError: No further order could succeed, or something could not be read or written.
    """
    settings = Settings.of(home, os.environ)
    return flow_result(await promote_run(run_id, settings), settings)


async def promote_run(run_id: str, settings: Settings, note: str = "") -> Outcome:
    """Buy the finals that a run still needs. This spends money, within the campaign's budget.

    Args:
        run_id: The run: its id, a unique beginning of it, or ``latest``.
        settings: The home and the environment.
        note: The message of the outcome.

    Raises:
        RunoffError: No further order could succeed, or something could not be read or written.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        known = StoredRun.find(settings, ledger, run_id)
        file = known.campaign_file()
        is_approval = known.record.state == "awaiting review"
    prepared = await asyncio.to_thread(prepare_to_buy, file, settings, known.run_id, FINALS)
    async with open_cancellable(prepared) as run:
        if run.ledger.shortlists.last(run.run_id):
            select_finalists(run.stored)  # who wrote the list may have been killed before
        if is_approval:
            _emit_approved(run)
        return await close_after_finals(run, await buy_finals(run), note)


def _emit_approved(run: Session) -> None:
    """Emit the approval: by the person who confirmed the list, otherwise by this user."""
    shortlist = run.ledger.shortlists.last(run.run_id)
    by = shortlist.confirmed_by if shortlist else None
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    chosen = [draft.candidate_id for draft in drafts if draft.is_finalist]
    if chosen:
        emit_approved(run.campaign.name, run.run_id, chosen, by or user_name())
