"""The flows of later rounds: further drafts of one picture, and arms of new levels or the best combination.

A further round is a purchase within a run that exists: the same ledger, budgets, duplicates and scores. Its
drafts are no evidence about arms, and no rule chooses among them. The round and its orders are written before
anything is sent, under a key, so that the same purchase is never made twice. A round that adds arms is
written into the run's own campaign file; it is made, and resumed, like the campaign's own rounds.
"""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from prefect import flow

from flows.further.added import AddedPlan, AskedRound, plan_added
from flows.further.asked import Asked
from flows.further.plan import FurtherPlan, plan_further
from flows.prefect_ui.cancellation import give_up_cancelled_flow_run, open_cancellable
from flows.prefect_ui.flow_parameters import RunName
from flows.prefect_ui.flow_states import flow_result
from flows.runs.reconciling import user_name
from flows.runs.recovery import settle_failed_flow_run
from flows.runs.run import StoredRun
from flows.session.asking import ask_provider, prepare_to_buy
from flows.session.prepare import Prepared, prepared_before
from flows.session.session import Session
from flows.stages.buy import make_further_drafts
from flows.stages.closing import awaits_review, close_run
from flows.stages.evaluate import select_task
from flows.stages.rounds import make_drafts, score_and_judge
from tasks.attachments.drawings import write_drawn
from tasks.campaign.rounds import is_complete
from tasks.campaign.succession import NO_PART
from tasks.errors import BudgetError
from tasks.ledger import open_existing_ledger
from tasks.ledger.further_rounds import FurtherRound
from tasks.ledger.runs import RunState
from tasks.money import count_of, format_usd
from tasks.redaction import with_redacted_errors
from tasks.settings import Settings

NAMED = 8
"""So many of a further round's pictures are named in its outcome."""


@flow(
    name="more",
    flow_run_name="more · {run_id}",
    persist_result=False,
    validate_parameters=False,
    on_failure=[settle_failed_flow_run],
    on_crashed=[settle_failed_flow_run],
    on_cancellation=[give_up_cancelled_flow_run],
)
@with_redacted_errors
async def more(
    run_id: RunName,
    asked: Mapping[str, Any],
    key: str,
    at_most_usd: str | None = None,
    by: str | None = None,
    home: str | None = None,
) -> dict[str, Any]:
    """Buy further drafts from one picture of a run. This spends money, within the campaign's budgets.

    Args:
        run_id: The run: its id, a unique beginning of it, or ``latest``.
        asked: What is asked for: ``flows.further.asked.Asked`` as a mapping.
        key: Names the purchase; one with this name is made once, and completed if it was cut off.
        at_most_usd: The price that was agreed to, dollars; if it is higher by now, nothing is bought.
        by: Who asks; default: this user.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.

    Returns:
        The state of the run now: ``flows.runs.outcome.Outcome`` as a mapping.

    Raises:
        RunoffError: It cannot be ordered, or no further order could succeed.
    """
    settings = Settings.of(home, os.environ)
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        known = StoredRun.find(settings, ledger, run_id)
        file = known.campaign_file()
    prepared = await asyncio.to_thread(prepare_to_buy, file, settings, known.run_id, NO_PART)
    limit_usd = None if at_most_usd is None else Decimal(at_most_usd)
    planned = await asyncio.to_thread(_plan, prepared, Asked.of(asked), key, limit_usd)
    async with open_cancellable(prepared) as run:
        number = await asyncio.to_thread(_begin, run, planned, key, by or user_name())
        run.display.say(f"Further round {number}: {planned.what}.")
        await make_further_drafts(run)
        await score_and_judge(run)
        n_finalists = await select_task(run, keeps_bought=True)
        state = await _state_after(run, n_finalists)
        return flow_result(await close_run(run, state=state, note=_what_came(run, number)), settings)


@flow(
    name="more-arms",
    flow_run_name="more · {run_id}",
    persist_result=False,
    validate_parameters=False,
    on_failure=[settle_failed_flow_run],
    on_crashed=[settle_failed_flow_run],
    on_cancellation=[give_up_cancelled_flow_run],
)
@with_redacted_errors
async def more_arms(
    run_id: RunName,
    asked: Mapping[str, Any],
    key: str,
    at_most_usd: str | None = None,
    by: str | None = None,
    home: str | None = None,
) -> dict[str, Any]:
    """Buy a round that adds levels or the best combination to a run. This spends money, within the budgets.

    Args:
        run_id: The run: its id, a unique beginning of it, or ``latest``.
        asked: What is asked for: ``flows.further.added.AskedRound`` as a mapping.
        key: Names the purchase; one with this name is made once, and completed if it was cut off.
        at_most_usd: The price that was agreed to, dollars; if it is higher by now, nothing is bought.
        by: Who asks; default: this user.
        home: Runoff's home; default: RUNOFF_HOME or ./runs.

    Returns:
        The state of the run now: ``flows.runs.outcome.Outcome`` as a mapping.

    Raises:
        RunoffError: It cannot be ordered, or no further order could succeed.
    """
    settings = Settings.of(home, os.environ)
    wanted = AskedRound.of(asked)
    prepared, planned = await asyncio.to_thread(plan_added, settings, run_id, wanted, key, by or user_name())
    if not planned.is_known:
        _require_price(planned, None if at_most_usd is None else Decimal(at_most_usd))
    before = prepared_before(settings, prepared.run_id)
    prepared = await asyncio.to_thread(ask_provider, prepared) if before is None else before
    async with open_cancellable(prepared) as run:
        run.display.say(f"Added round: {planned.what}.")
        await make_drafts(run)
        if run.is_interrupted or run.is_out:
            return flow_result(await close_run(run, state="stopped"))
        await score_and_judge(run)
        n_finalists = await select_task(run, keeps_bought=True)
        return flow_result(await close_run(run, state=await _state_after(run, n_finalists)))


def _plan(prepared: Prepared, asked: Asked, key: str, at_most_usd: Decimal | None) -> FurtherPlan:
    """Plan the round, and refuse it where it may not be bought: the run stays as it is.

    Raises:
        BudgetError: It costs more than was agreed to, or than is left. Nothing was bought.
    """
    with open_existing_ledger(prepared.home, prepared.settings.environ) as ledger:
        planned = plan_further(ledger, prepared, asked)
        is_known = any(one.key == key for one in ledger.further_rounds.of_run(prepared.run_id))
    if is_known:
        return planned
    _require_price(planned, at_most_usd)
    return planned


def _require_price(planned: FurtherPlan | AddedPlan, at_most_usd: Decimal | None) -> None:
    """Refuse what costs more than was agreed to, or than is left."""
    if at_most_usd is not None and planned.most_usd > at_most_usd:
        raise BudgetError(
            where=f"run {planned.run_id}: {planned.what}",
            what=f"can cost {format_usd(planned.most_usd)} by now; {format_usd(at_most_usd)} was agreed to",
            next_step="Look at the price again, and agree to it.",
        )
    planned.require_budget()


def _begin(run: Session, planned: FurtherPlan, key: str, by: str) -> int:
    """Write the round with its orders, unless one with its key is there; returns its number."""
    rounds = run.ledger.further_rounds
    write_drawn(picture for order in planned.orders for picture in order.sent)
    first = planned.orders[0]
    asked = FurtherRound(
        run_id=run.run_id,
        number=0,
        candidate_id=planned.asked.candidate_id,
        asked=planned.asked.as_dict(),
        key=key,
        estimate_usd=planned.most_usd,
        asked_by=by,
        asked_at=datetime.now(UTC),
    )
    return rounds.begin(asked, first.arm, first.row, planned.orders_at)


def _what_came(run: Session, number: int) -> str:
    """Say what came of a further round: how many pictures, which of them are duplicates, and their files."""
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    came = [draft for draft in drafts if draft.further_round == number]
    if not came:
        return f"Further round {number} has no picture."
    n_duplicates = sum(draft.is_duplicate for draft in came)
    duplicates = f", {count_of(n_duplicates, 'duplicate')}" if n_duplicates else ""
    names = ", ".join(draft.name for draft in came[:NAMED])
    more_names = f" and {len(came) - NAMED} more" if len(came) > NAMED else ""
    return f"Further round {number}: {count_of(len(came), 'picture')}{duplicates}: {names}{more_names}."


async def _state_after(run: Session, n_finalists: int) -> RunState:
    """Return the state that the run has apart from the further round: what was left to do still is."""
    left = [order for stage in ("draft", "final") for order in run.planned(stage)]
    if left or not is_complete(run.campaign.rounds, run.ledger.rounds.of_run(run.run_id)):
        return "stopped"
    if n_finalists and run.campaign.finalists.approval != "auto" and await awaits_review(run):
        return "awaiting review"
    return "done"
