"""What is looked after in Prefect's UI while campaigns are served: states of decided runs, and names.

A person decides about a run on the review page, by a command or by a form, often days after its flow run has
ended as `Awaiting review`. Such flow runs get the state that their run has by now. The next flow runs of a
schedule, which Prefect gives names such as ``wealthy-smilodon``, are named by their campaign.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from flows.prefect_ui.artifacts import report_link
from flows.prefect_ui.events import emit_finished
from flows.prefect_ui.flow_names import named_by_slot
from flows.prefect_ui.flow_states import AWAITING, state_name
from flows.runs.outcome import Outcome, outcome_of
from flows.runs.run import StoredRun
from tasks.errors import RunError, RunoffError
from tasks.ledger import Ledger, has_ledger, open_ledger
from tasks.money import format_usd
from tasks.settings import Settings
from tasks.storage.home import SUMMARY_FILE

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

    from flows.engine.start_server import Say

DECLINED = "Declined"
EVERY_S = 20.0
AHEAD = timedelta(hours=24)
WAIT_S = 5.0
"""How long the server may take for each answer: whoever stops meanwhile waits for it."""
_MOST = 200
_ENDED = ("done", "cancelled")


async def keep_looking_after(settings: Settings, say: "Say") -> None:
    """Look after the flow runs of a server until cancelled; one that is away is told once and asked again.

    Args:
        settings: The home and the environment.
        say: Prints one line for the user.
    """
    from prefect.exceptions import PrefectException

    is_told = False
    while True:
        try:
            for line in await asyncio.to_thread(look_after, settings):
                say(line)
            is_told = False
        # A server or a ledger that is away, or a flow run that somebody has deleted meanwhile.
        except (RunoffError, httpx.HTTPError, PrefectException) as error:
            if not is_told:
                say(f"! Prefect's pages could not be brought up to date: {error}")
            is_told = True
        await asyncio.sleep(EVERY_S)


def look_after(settings: Settings) -> list[str]:
    """Name the planned flow runs and give those of decided runs their states. Buys nothing.

    Args:
        settings: The home and the environment, with Prefect's server in it.

    Returns:
        A sentence for each run that was decided.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),  # it is asked again soon
        get_client(sync_client=True, httpx_settings={"timeout": WAIT_S}) as client,
    ):
        _name_planned(client)
        awaiting = _awaiting(client)
        if not awaiting or not has_ledger(settings.home, settings.environ):
            return []
        with open_ledger(settings.home, settings.environ) as ledger:
            return list(_tell_decided(client, settings, ledger, awaiting))


def _tell_decided(
    client: "SyncPrefectClient", settings: Settings, ledger: Ledger, awaiting: "list[FlowRun]"
) -> Iterator[str]:
    """Give each flow run that awaits review the state of its run, if that has ended."""
    from prefect.states import Completed

    for flow_run in awaiting:
        run_id = flow_run.parameters.get("run_id") or ledger.slots.run_of(str(flow_run.id))
        try:
            run = StoredRun.find(settings, ledger, run_id) if run_id else None
        except RunError:  # of another home
            continue
        if run is None or run.run_id != run_id or run.record.state not in _ENDED:
            continue
        outcome, last = outcome_of(run), ledger.shortlists.last(run_id)
        who = (last.confirmed_by or "") if last is not None else ""
        is_declined = last is not None and last.confirmed_at is not None and not last.candidate_ids
        name = DECLINED if is_declined else state_name(outcome)
        message = _message(settings, run, outcome, _decision(run, outcome, who, is_declined=is_declined))
        state: Any = Completed(name=name, message=message)
        client.set_flow_run_state(flow_run.id, state, force=True)
        tags = {*flow_run.tags, name.lower() if is_declined else outcome.state} - {AWAITING.lower()}
        client.update_flow_run(flow_run.id, tags=sorted(tags))
        if is_declined:  # a purchase tells of its end itself
            emit_finished(outcome, report_link(outcome.folder, settings))
        yield f"{outcome.campaign} {run_id}: {name.lower()}{f' by {who}' if who else ''}."


def _decision(run: StoredRun, outcome: Outcome, who: str, *, is_declined: bool) -> str:
    """Say what was decided, by whom, and why if that was given."""
    by = f" by {who}" if who else ""
    if is_declined:
        reasons = [line for line in run.record.warnings if line.startswith(f"{DECLINED}{by}")]
        return reasons[-1] if reasons else f"{DECLINED}{by}."
    if outcome.state == "cancelled":
        return "Cancelled for good."
    return f"Decided{by}: {outcome.accepted} of {len(outcome.finalists)} finals accepted."


def _message(settings: Settings, run: StoredRun, outcome: Outcome, decision: str) -> str:
    """Say what was decided, the verdict where its report is at hand, the spend, and where to see it."""
    verdict = ""
    with suppress(OSError, ValueError, KeyError, TypeError):
        verdict = str(json.loads((run.folder / SUMMARY_FILE).read_text(encoding="utf-8"))["verdict"] or "")
    spent = f"Spent {format_usd(outcome.spent_usd)}."
    return " ".join(filter(None, (decision, verdict, spent, report_link(outcome.folder, settings))))


def _awaiting(client: "SyncPrefectClient") -> "list[FlowRun]":
    wanted = {"state": {"name": {"any_": [AWAITING]}}, "tags": {"all_": ["runoff"]}}
    return _read(client, wanted)


def _name_planned(client: "SyncPrefectClient") -> None:
    """Name the flow runs that schedules have planned for the next day, by campaign and slot."""
    from prefect.client.schemas.filters import DeploymentFilter

    now = datetime.now(UTC)
    wanted = {
        "state": {"type": {"any_": ["SCHEDULED"]}},
        "tags": {"all_": ["runoff"]},
        "expected_start_time": {"before_": now + AHEAD},
    }
    planned = [run for run in _read(client, wanted) if run.auto_scheduled and "·" not in run.name]
    if not planned:
        return
    ids = sorted({str(run.deployment_id) for run in planned if run.deployment_id})
    known = client.read_deployments(deployment_filter=DeploymentFilter.model_validate({"id": {"any_": ids}}))
    campaigns = {deployment.id: deployment.name for deployment in known}
    for run in planned:
        if run.deployment_id in campaigns and run.expected_start_time is not None:
            name = named_by_slot(campaigns[run.deployment_id], run.expected_start_time)
            client.update_flow_run(run.id, name=name)


def _read(client: "SyncPrefectClient", wanted: dict[str, Any]) -> "list[FlowRun]":
    from prefect.client.schemas.filters import FlowRunFilter

    return client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(wanted), limit=_MOST)
