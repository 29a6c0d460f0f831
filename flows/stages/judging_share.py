"""The share of the drafts' cost that judging them may take: what does not fit any more is not asked.

What is reserved for a question is more than it costs, so questions are asked in several goes, each as large
as what is left. Pictures come in turns of all arms and rows, so what is left out favours none of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from flows.session.session import Session
from tasks.order import Order

Group = Sequence[Order]
"""Questions of which one says nothing without the others: about one picture, or one pair in both orders."""


def left_usd(run: Session) -> Decimal | None:
    """Return what judging drafts may still cost; ``None`` without a limit.

    Questions about finals are not counted: they belong to the price of the finals.
    """
    share = run.campaign.score.max_share
    if share is None:
        return None
    records = run.ledger.orders.of_run(run.run_id)
    finals = {one.candidate_id for one in run.ledger.candidates.of_run(run.run_id, "final")}
    drafts_usd = sum((one.charged_usd for one in records if one.order.is_draft), Decimal(0))
    judging_usd = sum(
        (one.charged_usd for one in records if one.order.is_question and one.order.draft_id not in finals),
        Decimal(0),
    )
    return Decimal(str(share)) * drafts_usd - judging_usd


async def ask_within_share(
    run: Session, groups: Sequence[Group], ask: Callable[[Session, Sequence[Order]], Awaitable[int]]
) -> int:
    """Ask as many questions as the limit allows, in their sequence. This spends money.

    Args:
        run: The run.
        groups: The questions.
        ask: Buys the answers to some of them.

    Returns:
        How many groups were left out because of the limit.
    """
    known = run.ledger.answers.find([order.question for group in groups for order in group])
    waiting = [group for group in groups if any(order.question not in known for order in group)]
    while waiting and run.judging.closed_by is None:
        n_fitting = _n_fitting(waiting, left_usd(run))
        if not n_fitting:
            return len(waiting)
        await ask(run, [order for group in waiting[:n_fitting] for order in group])
        waiting = waiting[n_fitting:]
    return 0


def _n_fitting(groups: Sequence[Group], most_usd: Decimal | None) -> int:
    if most_usd is None:
        return len(groups)
    needed_usd = Decimal(0)
    for place, group in enumerate(groups):
        needed_usd += sum((order.estimate_usd for order in group), Decimal(0))
        if needed_usd > most_usd:
            return place
    return len(groups)
