"""Drafts in rounds: buy, inspect, score, decide which arms continue, and buy the next round.

A round is decided once all its orders have ended, by the scores at that time, and the decision is recorded. A
resumed run reads the decision instead of deciding again, so its orders stay the same.
"""

import asyncio

from flows.runs.reconciling import resend_drafts
from flows.session.begun_orders import begun_drafts
from flows.session.session import Session
from flows.stages.buy import make_pictures
from flows.stages.evaluate import allocate_task, deduplicate_task, score_by_judgement_task, score_drafts
from flows.stages.judging import judge_drafts
from tasks.campaign.rounds import RoundDecision, is_complete
from tasks.ledger.replanning import plan_open
from tasks.orders.questions import BOUGHT

UNDECIDED = (
    "Round {number} could not be decided, because its pictures have no score, or none from the judge. No"
    " further drafts were bought. Once scores are available, resume with: runoff run --resume {run_id}"
)
SETTLED = (
    "Further pictures are unlikely to put another arm ahead of {arm}, so the last round follows at once: its"
    " pictures decide the verdict only. The rounds in between are not bought."
)


async def make_drafts(run: Session) -> str:
    """Buy a run's drafts, round by round where the campaign says so. This spends money, within the budgets.

    It ends early if the run is interrupted, out of money or waiting for the provider, or if a round cannot be
    decided; a resumed run continues from there.

    Returns:
        Why a round could not be decided; empty otherwise.
    """
    await _make_begun(run)
    while not is_complete(run.campaign.rounds, decided := run.ledger.rounds.of_run(run.run_id)):
        if run.buyer.closed_by is not None or run.is_out or run.planned("draft"):
            break
        await score_and_judge(run)
        if run.buyer.closed_by is not None:
            break
        if not await _decide_next(run):
            return UNDECIDED.format(number=len(decided) + 1, run_id=run.run_id)
        await _make_begun(run)
    return ""


async def score_and_judge(run: Session) -> None:
    """Score and deduplicate the drafts, and have them judged if the campaign weighs it. May spend."""
    await score_drafts(run)
    await deduplicate_task(run, keeps_looks=True)
    if run.campaign.score.weights.keys() & set(BOUGHT):
        await judge_drafts(run)
        await score_by_judgement_task(run)


async def _make_begun(run: Session) -> None:
    await make_pictures(run, "draft")
    if run.campaign.on_unknown != "resend":
        return
    # Unknown orders may have been billed: they stay charged. The campaign may have them resent once.
    resend_drafts(run.ledger, run.run_id, begun_drafts(run.prepared, run.ledger))
    if run.planned("draft"):
        await make_pictures(run, "draft")


async def _decide_next(run: Session) -> bool:
    """Decide the first undecided round and plan the next; returns whether it could be decided."""
    decision = await allocate_task(run)
    if decision is None:
        return False
    await asyncio.to_thread(_plan_begun, run)
    run.display.say(describe_decision(decision, len(run.campaign.rounds)))
    return True


def _plan_begun(run: Session) -> None:
    plan_open(run.ledger, run.run_id, begun_drafts(run.prepared, run.ledger))


def describe_decision(decision: RoundDecision, n_rounds: int) -> str:
    """Describe which arms continue after a round of at most ``n_rounds``, and whether the last is next."""
    n_dropped = len(decision.standings) - len(decision.arms_going_on)
    dropped = f"{n_dropped or 'no'} {'arm is' if n_dropped == 1 else 'arms are'} dropped"
    going_on = " and ".join(decision.arms_going_on)
    sentence = f"Round {decision.number} of at most {n_rounds}: {going_on} continue, {dropped}."
    if decision.is_next_last and decision.number < n_rounds - 1:
        return f"{sentence} {SETTLED.format(arm=decision.arms_going_on[0])}"
    return sentence
