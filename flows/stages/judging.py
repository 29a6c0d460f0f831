"""Asking judging models about a run's survivors: the only stage that buys opinions.

Judging has a buyer of its own. When the judge is down, asking stops and the run goes on without its opinions;
only what ends all buying, a used-up budget or somebody's interruption, ends the run's own buyer too. Pictures
are asked about once; pairs round by round, because each round decides what the next one can teach.
"""

from collections.abc import Sequence

from flows.evaluation.judge_answers import Opinions, pools, read_opinions
from flows.runs.progress import JUDGE
from flows.session.session import Session
from flows.stages.buy import ORDERS_PER_TASK
from flows.stages.prefect_task import as_task
from tasks.candidate import Candidate
from tasks.catalogue.estimates import Estimates
from tasks.errors import BudgetError, InterruptError
from tasks.generate import generate
from tasks.judging.duels import in_both_orders, most_pairs, next_pairs
from tasks.order import Order
from tasks.orders.questions import Questions, worth_judging

judge_task = as_task("judge")(generate)


async def judge_drafts(run: Session) -> None:
    """Have the survivors judged and compared, as the campaign weighs it. This spends money.

    Nothing is asked twice: answers of this run and of earlier ones count. What has no answer in the end has
    no opinion; the run goes on.
    """
    if run.buyer.closed_by is not None:
        return
    wishes, prepared = run.campaign.score, run.prepared
    estimates = Estimates(prepared.catalogue, prepared.terms.provider)
    questions = Questions(run.campaign, run.run_id, str(run.folder), estimates)
    worthy = worth_judging(run.ledger.candidates.of_run(run.run_id, "draft"))
    if "judge" in wishes.weights and wishes.judge is not None:
        await _ask(run, [questions.about(draft) for draft in worthy])
    if "duel" in wishes.weights and wishes.duel is not None:
        await _hold_duels(run, questions, worthy, wishes.duel.per_row)
    stop = run.judging.closed_by
    if isinstance(stop, BudgetError | InterruptError):
        run.buyer.close(stop)
    elif stop is not None:
        run.display.say(f"The judge is not asked any more, the run goes on without it. {stop}")


async def _hold_duels(run: Session, questions: Questions, worthy: Sequence[Candidate], per_row: int) -> None:
    """Ask round by round until every row has its pairs."""
    by_id = {draft.candidate_id: draft for draft in worthy}
    while run.judging.closed_by is None:
        known = read_opinions(run.ledger, questions, worthy)
        pairs = [
            pair for row, pool in pools(worthy).items() for pair in next_round(known, row, pool, per_row)
        ]
        if not pairs:
            return
        await _ask(run, [questions.between(by_id[first], by_id[second]) for first, second in pairs])


def next_round(known: Opinions, row: int, pool: Sequence[Candidate], per_row: int) -> list[tuple[str, str]]:
    """Choose what is asked next of one row: first what a killed run left half asked.

    Args:
        known: What came back so far.
        row: The row.
        pool: Its survivors.
        per_row: How many pairs may be asked in all.

    Returns:
        Who is shown first and second, one entry for each order; empty when the row has its pairs.
    """
    asked = known.asked(row)
    halves = sorted((second, first) for first, second in asked if (second, first) not in asked)
    if halves:
        return halves
    ids = [draft.candidate_id for draft in pool]
    n_left = most_pairs(len(ids), per_row) - len({frozenset(pair) for pair in asked})
    duels = [duel for duel in known.duels if duel.row == row]
    return list(in_both_orders(next_pairs(ids, asked, duels, n_left)))


async def _ask(run: Session, orders: Sequence[Order]) -> None:
    """Buy the answers to questions that nobody has answered yet."""
    if run.judging.closed_by is not None:
        return
    known = run.ledger.answers.find([order.question for order in orders])
    new = {order.question: order for order in orders if order.question not in known}
    run.ledger.orders.plan(list(new.values()))
    waiting = [order for order in run.planned(JUDGE) if order.question in new]
    run.display.start(JUDGE, len(waiting))
    try:
        for start in range(0, len(waiting), ORDERS_PER_TASK):
            await judge_task(waiting[start : start + ORDERS_PER_TASK], run.judging)
    finally:
        run.display.finish()
