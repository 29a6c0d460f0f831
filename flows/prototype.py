"""The main flow: drafts, deduplication, scores, finalists and finals.

The flow sets the order; ``flows.stages`` defines what each stage reads and writes. Run again with the same
run id, it resumes: orders that the ledger has as received are not bought again.
"""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.approval.approval import (
    act_on_answer,
    ask_if_wanted,
    last_form,
    run_of_form,
    why_not_asked,
)
from flows.overdue import decide_overdue, is_left_to_buy
from flows.prefect_ui.cancellation import (
    give_up_cancelled_flow_run,
    give_up_runs_cancelled_before,
    open_cancellable,
)
from flows.prefect_ui.events import emit_low_budgets, emit_skipped
from flows.prefect_ui.flow_names import flow_run_name
from flows.prefect_ui.flow_parameters import CampaignFile, RunId
from flows.prefect_ui.flow_states import (
    allow_retries,
    current_starter,
    end_line,
    failed_result,
    flow_result,
    is_final,
)
from flows.promote import buy_finals, close_after_finals, promote_run
from flows.runs.log_lines import LineDisplay, log_format_of
from flows.runs.outcome import Outcome, Skipped
from flows.runs.progress import current_display
from flows.runs.recovery import settle_failed_flow_run
from flows.runs.retention import keep_to_retention
from flows.schedule.take_slot import (
    Starter,
    TakenSlot,
    campaign_name,
    fail_slot,
    reason_to_skip,
    skip_slot,
    take_slot,
    waiting_runs,
)
from flows.session.asking import prepare_scheduled, prepare_to_buy
from flows.session.built_campaign import written_campaign
from flows.session.prepare import Prepared
from flows.session.session import Purpose
from flows.stages.brief_questions import with_written_statements
from flows.stages.closing import awaits_review, close_run
from flows.stages.evaluate import select_task
from flows.stages.panel import ask_panel
from flows.stages.rounds import make_drafts, score_and_judge
from tasks.campaign import Campaign
from tasks.errors import InterruptError, RunoffError
from tasks.ledger import open_ledger
from tasks.ledger.runs import new_run_id
from tasks.redaction import with_redacted_errors
from tasks.settings import Settings
from tasks.storage.home import CAMPAIGN_FILE


def _name_run() -> str:
    """Name the flow run after its campaign file; its run is added once it is known."""
    parameters = flow_run.parameters
    given = parameters["campaign_file"]
    file = Path(given.name if isinstance(given, Campaign) else given)
    campaign = file.parent.parent.name if file.name == CAMPAIGN_FILE else file.stem
    return flow_run_name(campaign, parameters.get("run_id"))


@flow(
    name="prototype",
    flow_run_name=_name_run,
    persist_result=False,
    validate_parameters=False,
    on_failure=[settle_failed_flow_run],
    on_crashed=[settle_failed_flow_run],
    on_cancellation=[give_up_cancelled_flow_run],
)
@with_redacted_errors
async def prototype(
    campaign_file: CampaignFile,
    home: str | None = None,
    run_id: RunId | None = None,
    *,
    is_scheduled: bool = False,
    only_resumes: bool = False,
    takes_up_cancelled: bool = False,
) -> dict[str, Any]:
    """Run a campaign. This spends money, within the campaign's budgets.

    Args:
        campaign_file: The campaign file, on the machine that runs it; or a Campaign built in Python.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.
        run_id: The run to resume; default: a new one.
        is_scheduled: Skip the run, as for a schedule, while too many runs await review or a month's budget is
            too low.
        only_resumes: Resume the campaign's run that a slot left unfinished, and never begin one.
        takes_up_cancelled: Resume the run even if it was cancelled for good.

    Returns:
        The outcome: ``flows.runs.outcome.Outcome`` as a mapping; or ``state`` ``skipped`` and a ``message``.

    Raises:
        RunoffError: The file is wrong, or no further order could succeed; see ``tasks.errors``.
    """
    settings = Settings.of(home, os.environ)
    if isinstance(campaign_file, Campaign):
        run_id = run_id or new_run_id(datetime.now(UTC))
        with written_campaign(campaign_file, settings, run_id) as file:
            return flow_result(await _make_run(file, settings, run_id), settings)
    form = await last_form()
    if form.response is not None and (form_run_id := run_of_form(settings, run_id)):
        return flow_result(await act_on_answer(form, settings, form_run_id), settings)
    file = Path(campaign_file)
    starter = None if run_id else current_starter(is_scheduled=is_scheduled or only_resumes)
    if starter is not None:
        starter = replace(starter, only_resumes=only_resumes)
        try:
            made = await _make_slot(file, settings, starter, is_scheduled=is_scheduled)
        except RunoffError as error:
            if isinstance(error, InterruptError) or not is_final(error):
                raise
            return failed_result(error)
        return flow_result(made, settings)
    if run_id is not None:
        is_left = await asyncio.to_thread(is_left_to_buy, settings, run_id)
        if is_left:
            return flow_result(await promote_run(run_id, settings), settings)
    purpose: Purpose = "take up" if takes_up_cancelled else "go on"
    outcome = await _make_run(file, settings, run_id or new_run_id(datetime.now(UTC)), purpose)
    await ask_if_wanted(outcome, settings)
    return flow_result(outcome, settings)


async def _make_slot(
    file: Path, settings: Settings, starter: Starter, *, is_scheduled: bool
) -> Outcome | Skipped:
    """Make the run of a slot once. This spends money, within the budgets."""
    await give_up_runs_cancelled_before(settings, campaign_name(file))
    if is_scheduled:
        await _decide_overdue_runs(file, settings)
        await _resume_waiting_runs(file, settings)
    taken = await asyncio.to_thread(take_slot, file, settings, starter)
    if taken.reason:
        emit_skipped(taken.slot.campaign, taken.slot.due_at, taken.reason)
        return Skipped(taken.reason)
    try:
        outcome = await _make_slot_run(taken, settings, is_scheduled=is_scheduled)
        if isinstance(outcome, Outcome):
            current_display(_lines(settings, outcome)).say(end_line(outcome, settings))
            await ask_if_wanted(outcome, settings)
    except Exception as error:
        await allow_retries(error)
        raise
    return outcome


def _lines(settings: Settings, outcome: Outcome) -> LineDisplay:
    """Return what writes lines about a run that nobody watches at a terminal."""
    return LineDisplay(log_format_of(settings.environ), outcome.campaign, outcome.run_id)


async def _decide_overdue_runs(file: Path, settings: Settings) -> None:
    """End the campaign's reviews whose time is up. This spends money where the campaign says ``auto``."""
    named = [campaign_name(file)]
    for run in await asyncio.to_thread(decide_overdue, settings, named, datetime.now(UTC)):
        get_run_logger().info(run.sentence)
        if not run.is_to_buy:
            continue
        try:
            await promote_run(run.run_id, settings)
        except InterruptError:
            raise
        except RunoffError as error:
            get_run_logger().warning("The finalists of %s could not be bought: %s", run.run_id, error)


async def _resume_waiting_runs(file: Path, settings: Settings) -> None:
    """Resume the campaign's runs that wait for a provider, before a schedule makes a new one.

    An error in one of them is logged and stops neither the others nor the new run.
    """
    for run_file, run_id in await asyncio.to_thread(waiting_runs, settings, campaign_name(file)):
        try:
            await _make_run(run_file, settings, run_id)
        except InterruptError:
            raise
        except RunoffError as error:
            get_run_logger().warning("The waiting run %s could not be resumed: %s", run_id, error)


async def _make_slot_run(taken: TakenSlot, settings: Settings, *, is_scheduled: bool) -> Outcome | Skipped:
    """Make or resume a slot's run; a new scheduled run only if there is no reason to skip it."""
    slot = taken.slot
    try:
        prepared = await prepare_scheduled(taken.file, settings, slot.run_id, get_run_logger().warning)
    except RunoffError as error:
        if not taken.is_begun:
            await asyncio.to_thread(fail_slot, settings, slot, error)
        raise
    if is_scheduled and not taken.is_begun and (reason := reason_to_skip(prepared, datetime.now(UTC))):
        await asyncio.to_thread(skip_slot, settings, slot, reason)
        with open_ledger(settings.home, settings.environ) as ledger:
            emit_low_budgets(prepared, ledger)
        emit_skipped(slot.campaign, slot.due_at, reason)
        return Skipped(reason)
    return await _make(prepared)


async def _make_run(file: Path, settings: Settings, run_id: str, purpose: Purpose = "go on") -> Outcome:
    """Make or resume a run. This spends money, within the campaign's budgets."""
    return await _make(await asyncio.to_thread(prepare_to_buy, file, settings, run_id), purpose)


async def _make(prepared: Prepared, purpose: Purpose = "go on") -> Outcome:
    outcome = await _make_pictures(prepared, purpose)
    if prepared.campaign.retention.sentence:
        say = current_display(_lines(prepared.settings, outcome)).say
        await asyncio.to_thread(keep_to_retention, prepared.settings, [outcome.campaign], say)
    return outcome


async def _make_pictures(prepared: Prepared, purpose: Purpose) -> Outcome:
    async with open_cancellable(prepared, purpose) as run:
        run = await with_written_statements(run)
        undecided = await make_drafts(run)
        if run.is_interrupted:
            return await close_run(run, state="stopped")
        if run.is_out:
            return await close_run(run, state="waiting")
        if undecided:
            return await close_run(run, state="stopped", lack=undecided)
        await score_and_judge(run)
        await ask_panel(run)
        if run.is_interrupted:
            return await close_run(run, state="stopped")
        n_finalists = await select_task(run, keeps_bought=True)
        if n_finalists and run.campaign.finalists.approval != "auto" and await awaits_review(run):
            return await close_run(run, state="awaiting review", note=why_not_asked(run.campaign))
        left_out = ""
        if run.campaign.finalists.approval == "auto" and run.buyer.closed_by is None:
            left_out = await buy_finals(run)
        return await close_after_finals(run, left_out)
