"""The maker of a run's questions to judging models, with what its drafts were made from."""

from flows.runs.run import StoredRun
from tasks.attachments.sent_before import Sent
from tasks.candidate import candidate_id
from tasks.catalogue.estimates import Estimates
from tasks.orders.questions import Questions


def questions_of(run: StoredRun, estimates: Estimates | None = None) -> Questions:
    """Make what builds a run's questions.

    Args:
        run: The run.
        estimates: The cost of orders, if they are to be bought.
    """
    judge = run.campaign.score.judge
    sent = sent_with_drafts(run) if judge is not None and judge.sees else {}
    return Questions(run.campaign, run.run_id, str(run.folder), estimates, sent)


def sent_with_drafts(run: StoredRun) -> dict[str, Sent]:
    """Find what each draft's order sent along, by candidate id; only of those that sent something."""
    orders = [record.order for record in run.ledger.orders.of_run(run.run_id)]
    return {
        candidate_id(order.order_id, index): Sent(tuple(order.references), order.mask)
        for order in orders
        if order.is_draft and order.references
        for index in range(order.n)
    }
