"""Asking a run's judge once more about some pictures, to see how often it answers otherwise.

Nothing is decided by these answers: they tell the judge's noise. They are orders of the run like any other
question, within its budgets, and are asked once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.evaluation.judge_answers import read_judge_answers
from flows.evaluation.judge_check import AGAIN, can_be_asked_again, has_judge
from flows.evaluation.run_questions import questions_of
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from flows.session.prepare import Prepared
from flows.session.session import open_session
from flows.stages.answers import buy_answers
from tasks.catalogue.estimates import Estimates
from tasks.errors import RunError
from tasks.judging.drawn_pictures import draw_pictures
from tasks.judging.statement_answers import statement_answers
from tasks.ledger.runs import RunState
from tasks.order import Order
from tasks.orders.questions import worth_judging

DONE = ("done", "awaiting review")
"""The states of a run that has nothing else to buy by itself."""


def questions_again(run: StoredRun, prepared: Prepared, n: int) -> list[Order]:
    """Build the questions by which the judge is asked again about pictures that it answered. Asks nothing.

    Args:
        run: The run.
        prepared: The same run, prepared.
        n: About how many pictures.

    Raises:
        RunError: The run has no judge, still has to be finished, or has several answers to each question.
    """
    _require_done(run)
    estimates = Estimates(prepared.catalogue, prepared.terms.provider, prepared.providers)
    questions = questions_of(run, estimates)
    pictures = {one.candidate_id: one for one in worth_judging(run.read_candidates("draft"))}
    replies = read_judge_answers(run.ledger, questions, list(pictures.values())).replies
    able = {name: reply for name, reply in replies.items() if can_be_asked_again(reply)}
    if not able:
        raise _nothing_to_ask(run.run_id, "the judge answered about no picture, or several times about each")
    judged = statement_answers(run.campaign, [pictures[name] for name in able], able)
    drawn = draw_pictures(judged, f"{run.run_id} again", n)
    orders = [questions.about(pictures[name], able[name].form, AGAIN) for name in drawn]
    known = run.ledger.answers.find([order.question for order in orders])
    return [order for order in orders if order.question not in known]


async def ask_again(prepared: Prepared, orders: Sequence[Order], state: RunState) -> int:
    """Ask the judge again, and write the run's report. This spends money, within the run's budgets.

    Args:
        prepared: The run.
        orders: From ``questions_again``.
        state: The run's state, which it keeps.

    Returns:
        How many questions were to be asked.

    Raises:
        RunoffError: Nothing more can be asked; what came is kept.
    """
    async with open_session(prepared) as run:
        n_asked = await buy_answers(run, orders)
        run.ledger.runs.end(run.run_id, state, datetime.now(UTC))
        write_run_report(StoredRun.find(prepared.settings, run.ledger, run.run_id))
        if (stop := run.judging.stopped_by) is not None:
            raise stop
        return n_asked


def _require_done(run: StoredRun) -> None:
    if not has_judge(run):
        raise _nothing_to_ask(run.run_id, "its campaign has no judge")
    if run.record.state not in DONE:
        raise RunError(
            where=f"run {run.run_id}",
            what=f"is {run.record.state}, and its judge can be asked again once it is over",
            money="Nothing was bought.",
            next_step=f"Finish it with: runoff run --resume {run.run_id}",
        )


def _nothing_to_ask(run_id: str, why: str) -> RunError:
    return RunError(
        where=f"run {run_id}",
        what=f"has no question to ask again: {why}",
        money="Nothing was bought.",
        next_step=f"See what is known of its judge: runoff judge {run_id}",
    )
