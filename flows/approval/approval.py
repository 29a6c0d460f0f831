"""Approval in Prefect's UI: the flow run is suspended with a form and occupies no worker.

When a person answers, the flow starts again, finds its run by its slot and the answer on the server, and
records it in the ledger as the review page does. A list is bought once: the first confirmation counts,
here or on the page. An answer that cannot be used buys nothing, and the form is shown again with the reason.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect.client.schemas.objects import FlowRunInput
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.flow_runs import asuspend_flow_run
from prefect.input.actions import afilter_flow_run_input
from prefect.logging import get_run_logger
from pydantic import ValidationError

from flows.approval.form import Answer, form_of, offer_of
from flows.decline import declined_line
from flows.evaluation.drafts import select_finalists
from flows.prefect_ui.flow_states import name_suspended, state_message
from flows.promote import promote_run
from flows.promotion.plan import promotion_plan
from flows.runs.lock import locked_run
from flows.runs.outcome import Outcome, Skipped
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.decisions import Shortlist
from tasks.errors import RunError
from tasks.ledger import RunRecord, has_ledger, open_ledger
from tasks.ledger.replanning import add_warnings
from tasks.money import format_usd
from tasks.settings import Settings

FORM_LIFETIME_S = 30 * 24 * 3600
"""How long a form can be answered. The run then stays ``awaiting review``, for the page or ``promote``."""

_MOST_INPUTS = 200
_PREFIX = "suspended-approval-"
_KEY = re.compile(_PREFIX + r"(\d+)-(\d+)-(schema|response|description)")


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form that this flow run showed.

    Args:
        number: 1 for the first form of this flow run.
        revision: The revision of the finalists that it showed.
        response: The answer, not validated; ``None`` before there is one.
    """

    number: int = 0
    revision: int = 0
    response: dict[str, Any] | None = None


def can_ask() -> bool:
    """Whether the flow run can be suspended: it belongs to a deployment and has no parent flow."""
    context = FlowRunContext.get()
    flow_run = context.flow_run if context else None
    return bool(flow_run and flow_run.deployment_id and not flow_run.parent_task_run_id)


def why_not_asked(campaign: Campaign) -> str:
    """Return why no form is shown although the campaign has ``approval: prefect``; else empty."""
    if campaign.finalists.approval != "prefect" or can_ask():
        return ""
    return (
        "approval: prefect asks in Prefect's UI, for which the run must be a deployment's "
        "(runoff serve, runoff deploy). This one awaits review: runoff review, or runoff promote."
    )


async def last_form() -> ShownForm:
    """Read the last form that this flow run showed, and the answer to it."""
    if not can_ask():
        return ShownForm()
    found: list[FlowRunInput] = await afilter_flow_run_input(key_prefix=_PREFIX, limit=_MOST_INPUTS)
    kept = {parts: one for one in found if (parts := _KEY.fullmatch(one.key))}
    if not kept:
        return ShownForm()
    number, revision = max((int(parts[1]), int(parts[2])) for parts in kept)
    last = {parts[3]: one.decoded_value for parts, one in kept.items() if int(parts[1]) == number}
    response = last.get("response")
    if response is None:
        return ShownForm(number, revision)
    # The server stores only what was sent: an unchanged field may be missing.
    fields = last["schema"]["properties"]
    shown = {name: field["default"] for name, field in fields.items() if "default" in field}
    return ShownForm(number, revision, shown | response)


async def ask_if_wanted(outcome: Outcome, settings: Settings) -> None:
    """Suspend the flow run with a form if the run awaits review and its campaign says ``prefect``.

    Args:
        outcome: The outcome of the run.
        settings: The home and the environment.

    Raises:
        Pause: The flow run is suspended; Prefect catches it.
    """
    if outcome.state != "awaiting review" or not can_ask():
        return
    with open_ledger(settings.home, settings.environ) as ledger:
        rules = StoredRun.find(settings, ledger, outcome.run_id).campaign
    if rules.finalists.approval == "prefect":
        await _ask(settings, outcome.run_id, message=state_message(outcome, settings))


async def _ask(settings: Settings, run_id: str, trouble: str = "", message: str = "") -> None:
    offer = await asyncio.to_thread(offer_of, settings, run_id)
    number = (await last_form()).number + 1
    key = f"approval-{number}-{offer.revision}"
    try:
        await asuspend_flow_run(form_of(offer, trouble), timeout=FORM_LIFETIME_S, key=key)
    except Pause as pause:
        await name_suspended(pause, message or offer.sentence)
        raise


def run_of_form(settings: Settings, run_id: str | None) -> str | None:
    """Find the run of this flow run: the given one, or the one of its slot."""
    context = FlowRunContext.get()
    if (
        run_id
        or context is None
        or context.flow_run is None
        or not has_ledger(settings.home, settings.environ)
    ):
        return run_id
    with open_ledger(settings.home, settings.environ) as ledger:
        return ledger.slots.run_of(str(context.flow_run.id))


async def act_on_answer(form: ShownForm, settings: Settings, run_id: str) -> Outcome | Skipped:
    """Act on an answer: buy the finalists, or end the run without finals. May spend, within the budgets.

    Args:
        form: The form and its answer.
        settings: The home and the environment.
        run_id: The run.

    Raises:
        Pause: The answer cannot be used; the form is shown again with the reason. Nothing was bought.
        RunError: Another process works on the run. Nothing was bought.
    """
    try:
        answer = _checked(form.response)
        earlier = await asyncio.to_thread(record_decision, settings, run_id, answer, form.revision)
    except UnusableAnswer as error:
        get_run_logger().warning("The answer was not accepted: %s", error)
        await _ask(settings, run_id, str(error))
        raise
    if earlier:
        return Skipped(earlier, name="Decided before")
    by = answer.decided_by
    note = "" if answer.approve == "yes" else declined_line(f"{by}, in Prefect", answer.reason)
    return await promote_run(run_id, settings, note=note)


class UnusableAnswer(Exception):  # noqa: N818 - the next form shows it
    """An answer that cannot be used, with the reason."""


def _checked(response: object) -> Answer:
    try:
        return Answer.model_validate(response)
    except ValidationError as error:
        fault = error.errors()[0]
        message = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        raise UnusableAnswer(message) from error


def record_decision(settings: Settings, run_id: str, answer: Answer, revision: int) -> str:
    """Record the decision in the ledger, once. Buys nothing.

    Args:
        settings: The home and the environment.
        run_id: The run.
        answer: The answer.
        revision: The revision of the finalists that the form showed.

    Returns:
        An earlier decision that counts instead; empty if this one is recorded, now or by an earlier start.

    Raises:
        UnusableAnswer: It cannot be used. Nothing was confirmed.
        RunError: Another process works on the run.
    """
    by = f"{answer.decided_by}, in Prefect"
    with open_ledger(settings.home, settings.environ) as ledger:
        run, last = StoredRun.find(settings, ledger, run_id), ledger.shortlists.last(run_id)
        if last is not None and last.confirmed_by == by:
            return ""  # started again after it was recorded: buy what is still open
        if earlier := _decided_before(run.record, last):
            return earlier
        with locked_run(ledger, run.folder):
            ids = _ids(run, answer)
            try:
                _confirm(run, ids, answer, by=by, revision=revision)
            except RunError as error:
                raise UnusableAnswer(error.what) from error
            if answer.approve == "no":
                add_warnings(ledger, run_id, [declined_line(by, answer.reason)])
    return ""


def _decided_before(run: RunRecord, last: Shortlist | None) -> str:
    if last is not None and last.confirmed_at is not None:
        when = f"{last.confirmed_at:%Y-%m-%d %H:%M} UTC"
        return f"{run.run_id}: already confirmed, by {last.confirmed_by} at {when}. Nothing more was bought."
    if run.state == "awaiting review":
        return ""
    return f"{run.run_id}: already decided; the run is {run.state}. Nothing more was bought."


def _ids(run: StoredRun, answer: Answer) -> list[str]:
    """Return the ids of the named drafts; none if the answer is no."""
    if answer.approve == "no":
        return []
    drafts = run.read_candidates("draft")
    fit = {draft.name: draft.candidate_id for draft in drafts if draft.is_fit}
    unknown = [name for name in answer.finalists if name not in fit]
    if unknown:
        message = f"not a selectable draft of this run: {', '.join(unknown)}; choose among those listed"
        raise UnusableAnswer(message)
    if not answer.finalists or len(set(answer.finalists)) < len(answer.finalists):
        message = "yes needs at least one finalist, each named once; no ends the run without finals"
        raise UnusableAnswer(message)
    return [fit[name] for name in answer.finalists]


def _confirm(run: StoredRun, ids: list[str], answer: Answer, *, by: str, revision: int) -> None:
    """Record the choice and confirm it, unless it costs more than was agreed to.

    Raises:
        RunError: The list was changed in the meantime.
        UnusableAnswer: It costs more. The choice is recorded, unconfirmed.
    """
    shortlists = run.ledger.shortlists
    last = shortlists.last(run.run_id)
    if last is None or revision != last.revision or list(last.candidate_ids) != ids:
        last = shortlists.choose(run.run_id, ids, after=revision, by=by, now=datetime.now(UTC))
        select_finalists(run)
    all_usd = promotion_plan(run.settings, run.run_id).all_usd
    if all_usd > answer.most_usd:
        message = f"this can cost {format_usd(all_usd)}, and {format_usd(answer.most_usd)} was agreed to"
        raise UnusableAnswer(message)
    shortlists.confirm(run.run_id, last.revision, by=by, now=datetime.now(UTC))
