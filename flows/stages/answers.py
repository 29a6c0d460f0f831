"""Buying answers: questions to judging models that have none yet, each once, by the judge's own buyer."""

from collections.abc import Awaitable, Callable, Sequence

from flows.runs.progress import JUDGE
from flows.session.session import Session
from tasks.errors import BudgetError, InterruptError
from tasks.generate import generate
from tasks.images_api.buyer import Buyer
from tasks.images_api.sellers import Sellers
from tasks.order import Order

QUESTIONS_AT_ONCE = 50
Send = Callable[[Sequence[Order], Buyer | Sellers], Awaitable[object]]


async def buy_answers(run: Session, orders: Sequence[Order], send: Send = generate) -> int:
    """Buy the answers to questions that have none yet. This spends money, within the run's budgets.

    If the money is used up, or the run is interrupted, its own buyer is closed too.

    Args:
        run: The run.
        orders: The questions.
        send: Buys some of them; in a flow, a Prefect task.

    Returns:
        How many were to be asked.
    """
    if run.judging.closed_by is not None or not orders:
        return 0
    known = run.ledger.answers.find([order.question for order in orders])
    new = {order.question: order for order in orders if order.question not in known}
    run.ledger.orders.plan(list(new.values()))
    waiting = [order for order in run.planned(JUDGE) if order.question in new]
    run.display.start(JUDGE, len(waiting))
    try:
        for start in range(0, len(waiting), QUESTIONS_AT_ONCE):
            await send(waiting[start : start + QUESTIONS_AT_ONCE], run.judging)
    finally:
        run.display.finish()
    if isinstance(stop := run.judging.closed_by, BudgetError | InterruptError):
        run.buyer.close(stop)
    return len(waiting)
