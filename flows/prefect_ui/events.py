"""Prefect events that Runoff emits, each about a run, a budget or a model.

    runoff.run.finished          a run ended, in whatever state
    runoff.run.skipped           a scheduled run was not made, and why
    runoff.finalists.approved    somebody agreed to buy a run's finalists
    runoff.verdict.decided       a campaign that stops when it is decided is decided
    runoff.arm.retired           an arm lost over all nights, and is not bought any more
    runoff.budget.low            the month's budget is low, or less than the next run costs
    runoff.model.retiring        a model that a campaign uses is about to be shut down

Dollars are text, so that they are not rounded. ``docs/automations.md`` has an automation for each event.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from prefect.events import emit_event

from flows.runs.budgets import remaining_of_month
from flows.runs.outcome import Outcome
from flows.schedule.take_slot import least_usd_of, whose_budget

if TYPE_CHECKING:
    from flows.session.prepare import Prepared
    from flows.session.session import Session
    from tasks.ledger import Ledger

LOW_SHARE = Decimal("0.2")
"""The share of a month's budget below which it is low."""


def emit_finished(outcome: Outcome, report: str) -> None:
    """Emit that a run ended: ``runoff.run.finished``."""
    payload = {
        "run_id": outcome.run_id,
        "campaign": outcome.campaign,
        "state": outcome.state,
        "verdict": outcome.verdict,
        "message": outcome.message,
        "decide": outcome.decide,
        "report": report,
        "drafts": outcome.pictures,
        "copies": outcome.duplicates,
        "finalists": [finalist["candidate_id"] for finalist in outcome.finalists],
        "without_finalist": dict(outcome.without_finalist),
        "finals_accepted": outcome.accepted,
        "spent_usd": f"{outcome.spent_usd:f}",
        "exit_code": outcome.exit_code,
    }
    resource = _run(outcome.campaign, outcome.run_id) | {
        "runoff.state": outcome.state,
        "runoff.spent_usd": f"{outcome.spent_usd:f}",
        "runoff.link": report,
    }
    _emit("runoff.run.finished", resource, outcome.campaign, payload)


def emit_skipped(campaign: str, due_at: datetime, reason: str) -> None:
    """Emit that a scheduled run was skipped: ``runoff.run.skipped``.

    Args:
        campaign: The campaign's name.
        due_at: When it was to start, aware.
        reason: Why it was skipped.
    """
    slot = f"{due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    resource = {
        "prefect.resource.id": f"runoff.slot.{campaign}.{slot}",
        "prefect.resource.name": f"{campaign} {slot}",
        "runoff.campaign": campaign,
        "runoff.state": "skipped",
    }
    _emit("runoff.run.skipped", resource, campaign, {"campaign": campaign, "due_at": slot, "message": reason})


def emit_approved(campaign: str, run_id: str, finalists: Sequence[str], by: str) -> None:
    """Emit that somebody agreed to buy a run's finalists: ``runoff.finalists.approved``.

    Args:
        campaign: The campaign's name.
        run_id: The run.
        finalists: The finalists' candidate ids.
        by: Who approved.
    """
    payload = {"run_id": run_id, "campaign": campaign, "finalists": list(finalists), "approved_by": by}
    _emit("runoff.finalists.approved", _run(campaign, run_id), campaign, payload)


def emit_decided(campaign: str, run_id: str, nights: Mapping[str, Any]) -> None:
    """Emit that a campaign is decided over all its nights: ``runoff.verdict.decided``.

    Args:
        campaign: The campaign's name.
        run_id: The run that decided it.
        nights: The verdict over all nights, as ``tasks.ab_test.night_verdicts.NightsTest.as_dict`` gives it.
    """
    payload = {
        "run_id": run_id,
        "campaign": campaign,
        "winner": nights["winner"],
        "nights": nights["nights"],
        "verdict": nights["headline"],
    }
    _emit("runoff.verdict.decided", _run(campaign, run_id), campaign, payload)


def emit_retired(campaign: str, run_id: str, nights: Mapping[str, Any], arm: str, why: str) -> None:
    """Emit that an arm is left out from the next run on: ``runoff.arm.retired``.

    Args:
        campaign: The campaign's name.
        run_id: The run that decided it.
        nights: The verdict over all nights, as above.
        arm: The arm.
        why: Which arm beat it, and over how many nights.
    """
    payload = {"run_id": run_id, "campaign": campaign, "arm": arm, "why": why}
    payload |= {"nights": nights["nights"], "verdict": nights["headline"]}
    _emit("runoff.arm.retired", _run(campaign, run_id), campaign, payload)


def emit_low_budgets(prepared: "Prepared", ledger: "Ledger", now: datetime | None = None) -> None:
    """Emit ``runoff.budget.low`` for each of the month's budgets that is low.

    Args:
        prepared: The prepared run.
        ledger: The ledger.
        now: Aware time, whose UTC month counts; default: now.
    """
    now, least_usd = now or datetime.now(UTC), least_usd_of(prepared)
    name = prepared.campaign.name
    for budget in remaining_of_month(ledger, prepared.campaign, prepared.ledger_per_month_usd, now):
        if budget.left_usd >= max(budget.limit_usd * LOW_SHARE, least_usd):
            continue
        whose = whose_budget(budget.of, name)
        payload = {
            "campaign": name,
            "budget": whose,
            "month": f"{now.astimezone(UTC):%Y-%m}",
            "left_usd": f"{budget.left_usd:f}",
            "limit_usd": f"{budget.limit_usd:f}",
            "next_run_usd": f"{least_usd:f}",
            "pays_next_run": budget.left_usd >= least_usd,
        }
        place = name if budget.of == "campaign" else "ledger"
        resource = {"prefect.resource.id": f"runoff.budget.{place}", "prefect.resource.name": whose}
        _emit("runoff.budget.low", resource, name, payload)


def emit_retiring_models(prepared: "Prepared", today: date) -> None:
    """Emit ``runoff.model.retiring`` for each model of a campaign that is about to be shut down."""
    from tasks.campaign.succession import models_of

    for model in models_of(prepared.campaign):
        life = prepared.catalogue.model(model).lifecycle(today)
        if life.state != "retiring":
            continue
        payload = {
            "campaign": prepared.campaign.name,
            "model": model,
            "shutdown_on": str(life.shutdown_on),
            "days_left": life.days_left,
            "successors": list(life.successors),
        }
        resource = {"prefect.resource.id": f"runoff.model.{model}", "prefect.resource.name": model}
        _emit("runoff.model.retiring", resource, prepared.campaign.name, payload)


def emit_run_end(run: "Session", outcome: Outcome, report: str, today: date) -> None:
    """Emit all events of a run's end.

    Args:
        run: The session.
        outcome: The outcome of the run.
        report: The report's address.
        today: Today's date, for shutdowns of models.
    """
    emit_finished(outcome, report)
    emit_low_budgets(run.prepared, run.ledger)
    emit_retiring_models(run.prepared, today)


def _run(campaign: str, run_id: str) -> dict[str, str]:
    return {
        "prefect.resource.id": f"runoff.run.{run_id}",
        "prefect.resource.name": f"{campaign} {run_id}",
        "runoff.campaign": campaign,
        "runoff.run": run_id,
    }


def _emit(event: str, resource: dict[str, str], campaign: str, payload: dict[str, Any]) -> None:
    about = {"prefect.resource.id": f"runoff.campaign.{campaign}", "prefect.resource.role": "campaign"}
    emit_event(event, resource=resource, related=[about], payload=payload)
