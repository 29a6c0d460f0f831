"""Scheduled campaigns on one machine: Prefect's server with its scheduler, and a runner.

Each scheduled run has a process of its own. Slots that passed while ``serve`` was stopped are skipped, a run
that it left unfinished is resumed when it starts again, a server that stopped is restarted, reviews end when
their campaign says so, and files are deleted when it no longer keeps them. One process of a home serves a
campaign: a second one would take the flow runs that the first has under way for dead, and those that wait for
their turn for missed. It waits until the first has ended.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from filelock import FileLock, Timeout

from flows.deployments import Scheduled, announce, deployment_of, read_scheduled
from flows.engine import Engine, start_engine
from flows.engine.start_server import Say
from flows.overdue import decide_overdue
from flows.runs.lock import is_resumable
from flows.runs.recovery import lost_line, settle_dead_run
from flows.runs.retention import keep_to_retention
from flows.schedule.flow_run_process import is_at_work
from flows.schedule.take_slot import unfinished_run
from tasks.errors import RunoffError
from tasks.ledger import Ledger, open_ledger
from tasks.money import count_of
from tasks.settings import Settings
from tasks.storage.home import CAMPAIGN_FILE, run_folder

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.deployments.runner import RunnerDeployment

CHECK_SERVER_S = 2.0
LOOK_AGAIN_S = 0.5
CHECK_REVIEWS_S = 60.0
KEEP_EVERY_S = 24 * 3600.0
RUNS_AT_ONCE = 5
"""How many runs are made at once unless told otherwise; each is a process that needs some 300 MB."""


def serve(files: Sequence[Path], home: Path, say: Say, *, limit: int = RUNS_AT_ONCE) -> Scheduled:
    """Serve campaigns on their schedules until interrupted; each run buys within its budgets.

    Args:
        files: Campaign files, each with a ``schedule`` and a unique name. An invalid one is reported and
            skipped.
        home: ``RUNOFF_HOME``.
        say: Prints one line for the user.
        limit: The most runs at once; others wait until one has ended.

    Returns:
        What was served and what was skipped.

    Raises:
        CampaignError: No file is valid. Nothing was served.
        CatalogueError: The same, if models were shut down and have no successor.
        EngineError: The server did not start.
    """
    scheduled = read_scheduled(files, home)
    names = [campaign.name for campaign in scheduled.campaigns.values()]
    with served_alone(names, home, say), start_engine(home, say, with_schedules=True) as engine:
        deployments = [deployment_of(campaign, file, home) for file, campaign in scheduled.campaigns.items()]
        engine.wait_ready()
        skip_missed(deployments, say)
        announce(scheduled, say)
        if len(deployments) > limit:
            say(f"At most {count_of(limit, 'run')} at once; others wait until one has ended (--limit).")
        _run(deployments, engine, home, say, limit)
    return scheduled


@contextmanager
def served_alone(names: Sequence[str], home: Path, say: Say) -> Iterator[None]:
    """Wait until no other process of this home serves any of these campaigns, and let none until the end.

    Args:
        names: The campaigns' names.
        home: Runoff's home.
        say: Prints one line for the user.
    """
    folder = home / ".prefect"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        for name in sorted(names):  # in one sequence, so that two processes never wait for one another
            lock = FileLock(folder / f"serving-{name}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                say(f"{name} is served by another process in this home: waiting until that has ended …")
                lock.acquire(poll_interval=LOOK_AGAIN_S)
            held.callback(lock.release)
        yield


def skip_missed(deployments: "Sequence[RunnerDeployment]", say: Say) -> None:
    """Cancel the scheduled runs whose time passed while nothing served them: all would be bought at once."""
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelled

    with get_client(sync_client=True) as client:
        while runs := _flow_runs(client, deployments, ["SCHEDULED"], before=datetime.now(UTC)):
            for run in runs:
                state: State[Any] = Cancelled(message="Not served at that time: skipped, nothing was bought.")
                client.set_flow_run_state(run.id, state, force=True)
                say(f"Skipped a run missed on {run.expected_start_time:%Y-%m-%d at %H:%M} UTC.")


def resume_unfinished(deployments: "Sequence[RunnerDeployment]", home: Path, say: Say) -> None:
    """Resume the runs that an earlier ``serve`` left unfinished.

    Args:
        deployments: The deployments that are served.
        home: Runoff's home.
        say: Prints one line for the user.
    """
    from prefect.client.orchestration import get_client

    with open_ledger(home, os.environ) as ledger, get_client(sync_client=True) as client:
        for flow_run in _flow_runs(client, deployments, ["RUNNING", "PENDING", "CANCELLING"]):
            folder = _folder_of(ledger, home, flow_run)
            if _is_dead(ledger, folder, flow_run):
                is_cancelled = _give_up_if_cancelled(home, flow_run, say)
                _report_dead(client, flow_run, is_cancelled, has_begun=folder is not None)
        unfinished = {d.name: run for d in deployments if (run := unfinished_run(ledger, home, d.name))}
        for name, run_id in unfinished.items():
            if n_unknown := settle_dead_run(ledger, Settings(home, os.environ), run_id):
                say(f"{name}: {lost_line(n_unknown)}")
            deployment = client.read_deployment_by_name(f"prototype/{name}")
            file = run_folder(home, name, run_id) / CAMPAIGN_FILE
            parameters = {"campaign_file": str(file), "home": str(home), "run_id": run_id}
            client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
            say(f"{name}: resuming {run_id}, which was not finished; nothing is bought twice.")


def _folder_of(ledger: Ledger, home: Path, flow_run: "FlowRun") -> Path | None:
    """Return the folder of a flow run's run; ``None`` if that never began."""
    run_id = flow_run.parameters.get("run_id") or ledger.slots.run_of(str(flow_run.id))
    campaigns = {run.run_id: run.campaign for run in ledger.runs.all()}
    return run_folder(home, campaigns[run_id], run_id) if run_id in campaigns else None


def _is_dead(ledger: Ledger, folder: Path | None, flow_run: "FlowRun") -> bool:
    """Whether a flow run is dead: its process has gone, and none works on its run."""
    if is_at_work(str(flow_run.id)):
        return False
    return folder is None or is_resumable(ledger, folder)


def _give_up_if_cancelled(home: Path, flow_run: "FlowRun", say: Say) -> bool:
    """Give up the run of a flow run whose process died while it was cancelled; returns whether it was."""
    from flows.runs.recovery import run_of_flow_run
    from flows.session.cancelling import give_up

    if flow_run.state is None or not flow_run.state.is_cancelling():
        return False
    settings = Settings(home, os.environ)
    if run_id := run_of_flow_run(settings, flow_run):
        say(give_up(settings, run_id).sentence)
    return True


def _report_dead(
    client: "SyncPrefectClient", flow_run: "FlowRun", is_cancelled: bool, *, has_begun: bool
) -> None:
    """Mark a flow run as ended: it would otherwise seem to run for ever, and block others."""
    from prefect.states import Cancelled, Crashed

    after = "Another flow run resumes it." if has_begun else "It had not begun, so nothing was bought."
    state: State[Any] = Crashed(message=f"The process of this run died. {after}")
    if is_cancelled:
        state = Cancelled(message="The process of this run died while it was being cancelled.")
    client.set_flow_run_state(flow_run.id, state, force=True)


def _flow_runs(
    client: "SyncPrefectClient",
    deployments: "Sequence[RunnerDeployment]",
    states: Sequence[str],
    before: datetime | None = None,
) -> "list[FlowRun]":
    """List the flow runs of deployments that are in one of the states, and were due before a moment."""
    from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter

    wanted: dict[str, Any] = {"state": {"type": {"any_": list(states)}}}
    if before is not None:
        wanted["expected_start_time"] = {"before_": before}
        wanted["state"]["name"] = {"not_any_": ["Resuming"]}  # a person's answer is not a missed slot
    names = [deployment.name for deployment in deployments]
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate(wanted),
        deployment_filter=DeploymentFilter.model_validate({"name": {"any_": names}}),
    )


def _run(deployments: "Sequence[RunnerDeployment]", engine: Engine, home: Path, say: Say, limit: int) -> None:
    from flows.prefect_ui.looked_after import keep_looking_after
    from flows.schedule.draining_runner import DrainingRunner

    async def run() -> None:
        # Schedules stay active in the server's database; slots missed until the next start are skipped then.
        runner = DrainingRunner(say, engine.give_up, limit=limit)
        for deployment in deployments:
            await runner.aadd_deployment(deployment)
        await asyncio.to_thread(resume_unfinished, deployments, home, say)
        say(f"Prefect's UI: {engine.shown_url.removesuffix('/api')} · stop with Ctrl-C")
        watchers = [
            asyncio.create_task(_keep_server_running(engine)),
            asyncio.create_task(_keep_deadlines(deployments, home, say)),
            asyncio.create_task(_keep_to_retention(deployments, home, say)),
            asyncio.create_task(keep_looking_after(Settings(home, os.environ), say)),
        ]
        try:
            await runner.start()
        finally:
            for watcher in watchers:
                watcher.cancel()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


async def _keep_server_running(engine: Engine) -> None:
    """Restart the server at its old address whenever it stops; the runner and the runs wait for it."""
    while True:
        await asyncio.sleep(CHECK_SERVER_S)
        await asyncio.to_thread(engine.mend)


async def _keep_to_retention(deployments: "Sequence[RunnerDeployment]", home: Path, say: Say) -> None:
    """Delete the files that the campaigns no longer keep, each day; runs do so too, but one may be paused."""
    settings, names = Settings(home, os.environ), [deployment.name for deployment in deployments]
    while True:
        await asyncio.to_thread(keep_to_retention, settings, names, say)
        await asyncio.sleep(KEEP_EVERY_S)


async def _keep_deadlines(deployments: "Sequence[RunnerDeployment]", home: Path, say: Say) -> None:
    """End the reviews whose time is up, each minute."""
    begun: set[str] = set()
    while True:
        try:
            await asyncio.to_thread(end_reviews, deployments, home, say, begun)
        except (RunoffError, httpx.HTTPError) as error:  # a server or a ledger that is away: the next minute
            say(f"! Reviews could not be looked at: {error}")
        await asyncio.sleep(CHECK_REVIEWS_S)


def end_reviews(
    deployments: "Sequence[RunnerDeployment]",
    home: Path,
    say: Say,
    begun: set[str],
    now: datetime | None = None,
) -> None:
    """Decide about runs whose review has ended, and begin to buy what their campaigns say, by flow runs.

    Args:
        deployments: The deployments that are served.
        home: Runoff's home.
        say: Prints one line for the user.
        begun: The runs whose purchase began here: those are not begun again.
        now: Aware time; default: now.
    """
    from prefect.client.orchestration import get_client

    settings, names = Settings(home, os.environ), [deployment.name for deployment in deployments]
    for run in decide_overdue(settings, names, now or datetime.now(UTC)):
        if run.run_id in begun:
            continue
        if not run.is_to_buy:
            say(run.sentence)
            continue
        served = [deployment for deployment in deployments if deployment.name == run.campaign]
        with get_client(sync_client=True) as client:
            if _flow_runs(client, served, ["RUNNING", "PENDING"]):
                continue  # one run at a time: the server would cancel it
            deployment = client.read_deployment_by_name(f"prototype/{run.campaign}")
            file = run_folder(home, run.campaign, run.run_id) / CAMPAIGN_FILE
            parameters = {"campaign_file": str(file), "home": str(home), "run_id": run.run_id}
            client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        begun.add(run.run_id)
        say(run.sentence)
