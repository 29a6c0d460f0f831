"""Making drafts in rounds: buy, look, score, decide which arms deserve more, and buy on.

A round is decided once all its orders have ended, by the scores that its pictures have by then, and the
decision is written down. A resumed run reads it instead of deciding anew, so its orders are the same ones.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from flows.evaluation.verdict import scored_drafts
from flows.runs.reconciling import resend_drafts
from flows.session.begun_orders import begun_drafts
from flows.session.session import Session
from flows.stages.batches import as_task
from flows.stages.buy import deduplicate_drafts, make_pictures, score_drafts, score_judged
from flows.stages.judging import judge_drafts
from tasks.allocate import allocate
from tasks.campaign.rounds import RoundDecision, is_complete, passes_of
from tasks.ledger.replanning import plan_open
from tasks.ledger.report_rows import report_rows
from tasks.orders.missing_scores import half_scored, silent
from tasks.orders.questions import BOUGHT

UNDECIDED = (
    "Round {number} could not be decided, because its pictures have no score, or none of the judge's. No"
    " further drafts were bought; once scores can be had, go on with: runoff run --resume {run_id}"
)
SETTLED = (
    "Further pictures would hardly put another arm before {arm}, so the last round follows at once: its"
    " pictures choose nobody and give the verdict. The rounds between are not bought."
)


async def make_drafts(run: Session) -> str:
    """Buy a run's drafts, round by round where the campaign says so. This spends money, within the budgets.

    It ends early when the run is interrupted, out of money or waits for the provider, and when a round cannot
    be decided; resumed, it goes on from there.

    Returns:
        Why a round could not be decided, or nothing.
    """
    await _make_begun(run)
    while not is_complete(run.campaign.rounds, decided := run.ledger.rounds.of_run(run.run_id)):
        if run.buyer.closed_by is not None or run.is_out or run.planned("draft"):
            break
        await form_opinions(run)
        if run.buyer.closed_by is not None:
            break
        if not await decide_round(run):
            return UNDECIDED.format(number=len(decided) + 1, run_id=run.run_id)
        await _make_begun(run)
    return ""


async def form_opinions(run: Session) -> None:
    """Score the drafts, fold copies, and have survivors judged where the campaign wants it. This spends."""
    await score_drafts(run)
    await deduplicate_drafts(run)
    if run.campaign.score.weights.keys() & set(BOUGHT):
        await judge_drafts(run)
        await score_judged(run)


async def _make_begun(run: Session) -> None:
    await make_pictures(run, "draft")
    if run.campaign.on_unknown != "resend":
        return
    # What may have been billed is ordered again, once, where the campaign says so; the first stays charged.
    resend_drafts(run.ledger, run.run_id, begun_drafts(run.prepared, run.ledger))
    if run.planned("draft"):
        await make_pictures(run, "draft")


async def _decide(run: Session) -> bool:
    return await asyncio.to_thread(_decide_next, run)


def _decide_next(run: Session) -> bool:
    """Decide the first undecided round and plan the next; tell whether there was anything to decide by."""
    ledger = run.ledger
    decision = _decision(run, ledger.rounds.of_run(run.run_id))
    if decision is None:
        return False
    ledger.rounds.record(run.run_id, decision, datetime.now(UTC))
    plan_open(ledger, run.run_id, begun_drafts(run.prepared, ledger))
    run.display.say(_told(decision, len(run.campaign.rounds)))
    return True


def _told(decision: RoundDecision, n_rounds: int) -> str:
    going_on, n_dropped = " and ".join(decision.arms_going_on), len(decision.standings)
    n_dropped -= len(decision.arms_going_on)
    dropped = f"{n_dropped or 'no'} {'arm is' if n_dropped == 1 else 'arms are'} dropped"
    told = f"Round {decision.number} of at most {n_rounds}: {going_on} go on, {dropped}."
    is_early = decision.is_next_last and decision.number < n_rounds - 1
    return f"{told} {SETTLED.format(arm=decision.arms_going_on[0])}" if is_early else told


def _decision(run: Session, decided: Sequence[RoundDecision]) -> RoundDecision | None:
    ledger, campaign = run.ledger, run.campaign
    drafts = ledger.candidates.of_run(run.run_id, "draft")
    weights = campaign.score.weights
    this = passes_of(campaign.rounds, list(campaign.arms), decided)[-1]
    if silent([draft for draft in drafts if draft.replicate >= this.first_replicate], weights):
        return None  # what a judging model weighs is not decided without it
    rows = report_rows(run.run_id, ledger.orders.of_run(run.run_id), drafts)
    scored = scored_drafts(rows, half_scored(drafts, weights))
    return allocate(scored, this.arms, campaign.rounds, number=len(decided) + 1)


decide_round = as_task(_decide, name="allocate")
