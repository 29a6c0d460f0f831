"""Campaigns that run by themselves: one deployment for each file, its schedule kept by a Prefect server.

``serve`` is the whole of it on one machine: it brings up (or finds) a server with a scheduler, hands it the
schedules and runs each campaign in a process of its own when its time comes. What a stopped ``serve`` missed
is not bought late, and a campaign whose last run still works skips its turn.
"""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.engine import Engine, start_engine
from flows.engine.launcher import Say
from tasks.campaign import Campaign
from tasks.campaign_file import load_campaign
from tasks.campaign_schedule import Schedule
from tasks.catalogue import Catalogue, load_catalogue
from tasks.day import today
from tasks.errors import CampaignError, CatalogueError
from tasks.providers import load_providers
from tasks.schedule import first_moment, interval_of, next_run
from tasks.succession import with_successors

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule as PrefectSchedule


def serve(files: Sequence[Path], home: Path, say: Say) -> None:
    """Serve campaigns on their schedules until interrupted; each run buys within its budgets.

    Args:
        files: Campaign files, each with a ``schedule`` and a name of its own.
        home: ``RUNOFF_HOME``.
        say: Takes a line for people.

    Raises:
        CampaignError: A file is wrong, has no schedule, or shares its name with another. Nothing was served.
        CatalogueError: A model is shut down and has no successor. Nothing was served.
        EngineError: The server did not come up or went away.
    """
    campaigns = _load_scheduled(files, home)
    with start_engine(home, say, with_schedules=True) as engine:
        deployments = [deployment_of(campaign, file, home) for file, campaign in campaigns.items()]
        engine.wait_ready()
        _skip_missed(deployments, say)
        _announce(engine, campaigns, home, say)
        _run(deployments)


def deployment_of(campaign: Campaign, file: Path, home: Path) -> "RunnerDeployment":
    """Describe to Prefect how and when a campaign runs.

    Args:
        campaign: A campaign with a schedule.
        file: Its file; it is read anew by each run.
        home: ``RUNOFF_HOME``.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.types.entrypoint import EntrypointType

    from flows.prototype import prototype

    assert campaign.schedule is not None
    return RunnerDeployment.from_flow(
        prototype,
        name=campaign.name,
        parameters={
            "campaign_file": str(file.absolute()),
            "home": str(home.absolute()),
            "is_scheduled": True,
        },
        schedule=schedule_of(campaign.schedule),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        tags=["runoff", campaign.name],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def schedule_of(schedule: Schedule) -> "PrefectSchedule":
    """Say a campaign's schedule in Prefect's words."""
    from prefect import schedules

    if schedule.cron is not None:
        return schedules.Cron(schedule.cron, timezone=schedule.timezone)
    if schedule.interval is not None:
        # In UTC: elapsed time, where Prefect would else count whole days by the clock on the wall.
        anchor = first_moment(schedule.timezone)
        return schedules.Interval(interval_of(schedule.interval), anchor_date=anchor, timezone="UTC")
    return schedules.RRule(str(schedule.rrule), timezone=schedule.timezone)


def _load_scheduled(files: Sequence[Path], home: Path) -> dict[Path, Campaign]:
    catalogue, providers = load_catalogue(home), load_providers(home)
    campaigns: dict[Path, Campaign] = {}
    for file in files:
        campaign = load_campaign(file, catalogue, providers)
        if campaign.schedule is None:
            raise CampaignError(
                str(file), ['schedule: missing, {cron: "0 6 * * 1-5", timezone: Europe/Paris}']
            )
        if campaign.name in {other.name for other in campaigns.values()}:
            raise CampaignError(
                str(file), [f"name: {campaign.name!r} is taken by another file, a name of its own"]
            )
        _warnings(campaign, file, catalogue)  # one whose models are gone is refused now, not every morning
        campaigns[file] = campaign
    return campaigns


def _warnings(campaign: Campaign, file: Path, catalogue: Catalogue) -> list[str]:
    try:
        return with_successors(campaign, catalogue, today())[1]
    except CatalogueError as error:
        raise error.at(str(file)) from error


def _skip_missed(deployments: "Sequence[RunnerDeployment]", say: Say) -> None:
    """Cancel the runs whose time passed while nothing served them: they would all be bought at once."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterName,
        FlowRunFilter,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import State, StateType
    from prefect.states import Cancelled

    missed = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": datetime.now(UTC)}),
    )
    served = DeploymentFilter(name=DeploymentFilterName(any_=[deployment.name for deployment in deployments]))
    with get_client(sync_client=True) as client:
        while runs := client.read_flow_runs(flow_run_filter=missed, deployment_filter=served):
            for run in runs:
                state: State[Any] = Cancelled(
                    message="Nothing served this campaign at that time; skipped, nothing bought."
                )
                client.set_flow_run_state(run.id, state, force=True)
                say(f"Skipped a run missed on {run.expected_start_time:%Y-%m-%d at %H:%M} UTC.")


def _announce(engine: Engine, campaigns: dict[Path, Campaign], home: Path, say: Say) -> None:
    catalogue = load_catalogue(home)
    for file, campaign in campaigns.items():
        assert campaign.schedule is not None
        start = next_run(campaign.schedule, datetime.now(UTC))
        say(f"{campaign.name} ({file}): next run {start:%a %Y-%m-%d %H:%M} {campaign.schedule.timezone}")
        for warning in _warnings(campaign, file, catalogue):
            say(f"! {warning}")
    say(f"Prefect's pages: {engine.api_url.removesuffix('/api')} · stop with Ctrl-C")


def _run(deployments: "Sequence[RunnerDeployment]") -> None:
    from prefect.runner import Runner

    class StoppableRunner(Runner):
        """Prefect's runner; its own answer to SIGTERM stops nothing in 3.8.8 (it awaits nobody)."""

        def handle_sigterm(self, *_: object, **__: object) -> None:
            if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job, or nohup
                signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.raise_signal(signal.SIGINT)

    async def run() -> None:
        # Schedules go on in the server's database; what is missed until the next start is skipped then.
        runner = StoppableRunner(pause_on_shutdown=False)
        for deployment in deployments:
            await runner.aadd_deployment(deployment)
        await runner.start()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
