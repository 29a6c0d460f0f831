"""Statements from briefs: a model writes them once, before anything else is bought.

The answers are orders of the run, kept in the ledger like any question's, so that a killed run, and every
later one, finds them there. What they say is written into the run's own campaign, and into ``questions.yaml``
beside the campaign's file, where people edit it and the next run reads it.
"""

from dataclasses import replace
from datetime import UTC, datetime

from flows.session.prepare import Prepared
from flows.session.session import Session, open_session
from flows.stages.answers import buy_answers
from tasks.campaign import Campaign
from tasks.campaign.briefs import missing_briefs, with_statements
from tasks.campaign.choice import Statement
from tasks.campaign_file.questions_file import QUESTIONS_FILE, QuestionsFaultError, add_questions
from tasks.catalogue.estimates import Estimates
from tasks.errors import SettingError
from tasks.judging.brief_questions import read_statements
from tasks.judging.replies import reply_of
from tasks.ledger.replanning import add_warnings
from tasks.money import count_of
from tasks.order import Order
from tasks.orders.questions import Questions
from tasks.storage.atomic import write_atomically
from tasks.storage.home import CAMPAIGN_FILE

ATTEMPTS = 2
"""How often a model is asked about a brief whose answer cannot be read."""


async def with_written_statements(run: Session) -> Session:
    """Have the statements written that are missing, if a campaign wants that. This spends money.

    Nothing is asked twice: answers of this run and of earlier ones count. A brief without a readable answer
    has no statements, and its pictures are not judged; the run continues and reports it.

    Returns:
        The run with its statements.
    """
    if not missing_briefs(run.campaign) or run.buyer.closed_by is not None:
        return run
    for attempt in range(ATTEMPTS):
        orders = _orders(run, attempt)
        await buy_answers(run, list(orders.values()))
        answers = run.ledger.answers.find([order.question for order in orders.values()])
        read = {
            brief: read_statements(reply_of(answers[order.question]).content or "")
            for brief, order in orders.items()
            if order.question in answers
        }
        run = _keeping(run, {brief: statements for brief, statements in read.items() if statements})
        if not missing_briefs(run.campaign) or run.judging.stopped_by is not None:
            break
    _say_what_is_missing(run)
    return run


async def write_statements(prepared: Prepared) -> Campaign:
    """Have a campaign's missing statements written in a run of their own, which buys nothing else.

    This spends money, within the campaign's budgets.

    Args:
        prepared: A run of the campaign, which is begun and ended here.

    Returns:
        The campaign with its statements; without some if a question had no answer.
    """
    alone = replace(prepared, plan=replace(prepared.plan, orders=()))
    async with open_session(alone) as begun:
        run = await with_written_statements(begun)
        run.ledger.runs.end(run.run_id, "done", datetime.now(UTC))
        if (stop := run.judging.stopped_by) is not None:
            raise stop
        return run.campaign


def _orders(run: Session, attempt: int) -> dict[str, Order]:
    estimates = Estimates(run.prepared.catalogue, run.prepared.terms.provider, run.prepared.providers)
    questions = Questions(run.campaign, run.run_id, str(run.folder), estimates)
    return {
        brief: questions.of_brief(brief, row, attempt) for brief, row in missing_briefs(run.campaign).items()
    }


def _keeping(run: Session, found: dict[str, tuple[Statement, ...]]) -> Session:
    """Keep statements in the run's campaign and beside the campaign's file."""
    if not found:
        return run
    campaign = with_statements(run.campaign, found)
    write_atomically(run.folder / CAMPAIGN_FILE, campaign.as_yaml().encode())
    if (folder := run.prepared.questions_folder) is not None:
        try:
            file = add_questions(folder, found)
            run.display.say(f"The statements of {count_of(len(found), 'brief')} are in {file}.")
        except (SettingError, QuestionsFaultError) as error:
            run.display.say(f"{folder / QUESTIONS_FILE} was not written; the ledger has it all. {error}")
    return of_campaign(run, campaign)


def of_campaign(run: Session, campaign: Campaign) -> Session:
    """Return a run that works by another campaign."""
    prepared = run.prepared
    requested = with_statements(prepared.requested, campaign.score.judge.statements_by_brief)  # type: ignore[union-attr]
    planned = replace(prepared.plan, campaign=campaign)
    return replace(
        run,
        prepared=replace(prepared, plan=planned, requested=requested),
        stored=run.stored.decided_by(campaign),
    )


def _say_what_is_missing(run: Session) -> None:
    missing = missing_briefs(run.campaign)
    if not missing:
        return
    named = "; ".join(f"“{brief}”" for brief in list(missing)[:3])
    warning = (
        f"score.judge: no statements for {count_of(len(missing), 'brief')} ({named}); their pictures are"
        f" not judged. Write them into {QUESTIONS_FILE} beside the campaign; if the judge was down, resume."
    )
    run.display.say(warning)
    add_warnings(run.ledger, run.run_id, [warning])
