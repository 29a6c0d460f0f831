"""Campaigns as Prefect deployments, each with its schedule and one run at a time.

``deploy`` registers them with a work pool, whose workers on other machines run them; ``flows.serving``
serves them in this process. A file with errors is skipped and does not stop the others.
"""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from flows.engine import start_engine
from flows.engine.prefect_server import PrefectServer
from flows.engine.start_server import Say
from flows.runs.reconciling import user_name
from tasks.campaign import Campaign
from tasks.campaign.cheapest import with_cheapest
from tasks.campaign.recurrence import first_moment, interval_of, next_run
from tasks.campaign.schedule import Schedule
from tasks.campaign.succession import with_successors
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.clock import today
from tasks.errors import CampaignError, CatalogueError, RunoffError, SettingError
from tasks.limits import YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml
from tasks.settings import Settings
from tasks.storage.mirror import home_address
from tasks.storage.regular_file import UnusableFileError, read_regular_text

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule as PrefectSchedule

ENTRYPOINT = "runoff.entrypoints.prototype"
SCHEDULE_WANTED = 'schedule: missing, accepted: a mapping such as {cron: "0 6 * * 1-5", timezone: UTC}'


@dataclass(frozen=True)
class Scheduled:
    """Campaign files read for their schedules.

    Args:
        campaigns: The campaign of each valid file.
        warnings: Warnings about the models of each valid file.
        faults: The error of each invalid file.
    """

    campaigns: Mapping[Path, Campaign]
    warnings: Mapping[Path, Sequence[str]]
    faults: Mapping[Path, RunoffError]


def read_scheduled(files: Sequence[Path], home: Path, *, needs_schedule: bool = True) -> Scheduled:
    """Read campaign files that have a schedule.

    Args:
        files: The files.
        home: ``RUNOFF_HOME``.
        needs_schedule: A file without a schedule is an invalid one.

    Raises:
        CampaignError: No file is valid; this is the error of the first.
        CatalogueError: The same, if its models were shut down and have no successor.
    """
    campaigns: dict[Path, Campaign] = {}
    warnings: dict[Path, Sequence[str]] = {}
    faults: dict[Path, RunoffError] = {}
    for file in files:
        try:
            used_names = {campaign.name for campaign in campaigns.values()}
            campaigns[file], warnings[file] = _read(file, home, used_names, needs_schedule)
        except RunoffError as error:
            faults[file] = error
    if not campaigns:
        raise next(iter(faults.values()))
    return Scheduled(campaigns, warnings, faults)


def _read(file: Path, home: Path, used_names: set[str], needs_schedule: bool) -> tuple[Campaign, list[str]]:
    catalogue, providers = load_catalogue(home, os.environ), load_providers(home, os.environ)
    try:
        campaign = load_campaign(file, catalogue, providers)
    except CampaignError as error:
        raise CampaignError(
            str(file), [*error.faults, *_faults_in_use(file, used_names, needs_schedule)]
        ) from error
    if faults := _faults_in_use(file, used_names, needs_schedule):
        raise CampaignError(str(file), faults)
    day = today(os.environ)
    try:  # report retired models now, not at every scheduled run
        provider = providers.provider(campaign.provider)
        known, notes = with_cheapest(campaign, catalogue, provider, day, providers)
        return campaign, [*notes, *with_successors(known, catalogue, day)[1]]
    except CatalogueError as error:
        raise error.at(str(file)) from error


def _faults_in_use(file: Path, used_names: set[str], needs_schedule: bool) -> list[str]:
    """Find what only scheduled runs ask of a file; nothing in one that has no keys at all."""
    try:
        keys = read_yaml(read_regular_text(file, YAML_BYTES)).data
    except (OSError, UnusableFileError, YamlFaultError):
        return []
    if not isinstance(keys, dict):
        return []
    faults = [SCHEDULE_WANTED] if needs_schedule and keys.get("schedule") is None else []
    if keys.get("name") in used_names:
        faults.append(f"name: {keys['name']!r} is used by another file, accepted: a unique name")
    return faults


def announce(scheduled: Scheduled, say: Say) -> None:
    """Report when each campaign runs next, warnings about its models, and invalid files."""
    for file, campaign in scheduled.campaigns.items():
        if campaign.schedule is None:
            say(f"{campaign.name} ({file}): runs when somebody starts it")
        else:
            start = next_run(campaign.schedule, datetime.now(UTC))
            say(f"{campaign.name} ({file}): next run {start:%a %Y-%m-%d %H:%M} {campaign.schedule.timezone}")
        for warning in scheduled.warnings[file]:
            say(f"! {warning}")
    for error in scheduled.faults.values():
        say(f"! Skipped; the others are not affected: {error}")


def deployment_of(
    campaign: Campaign, file: Path, home: Path, *, pool: str | None = None
) -> "RunnerDeployment":
    """Describe a campaign as a Prefect deployment.

    Args:
        campaign: A campaign; without a schedule, people start its runs.
        file: Its file; each run reads it again.
        home: ``RUNOFF_HOME``.
        pool: The work pool whose workers run it; ``None`` for the process that serves it.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.types.entrypoint import EntrypointType

    from flows.prototype import prototype

    # A slot is skipped while another run works; a person's answer is not, it waits in the queue.
    is_asking = campaign.finalists.approval == "prefect"
    on_collision = ConcurrencyLimitStrategy.ENQUEUE if is_asking else ConcurrencyLimitStrategy.CANCEL_NEW
    described = RunnerDeployment.from_flow(
        prototype,
        name=campaign.name,
        parameters={
            "campaign_file": str(file.absolute()),
            "home": home_address(home),
            "is_scheduled": campaign.schedule is not None,
        },
        schedule=schedule_of(campaign.schedule) if campaign.schedule is not None else None,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=on_collision),
        tags=["runoff", campaign.name, f"by {user_name()}"],
        entrypoint_type=EntrypointType.MODULE_PATH,
        work_pool_name=pool,
    )
    described.entrypoint = ENTRYPOINT
    return described


def schedule_of(schedule: Schedule) -> "PrefectSchedule":
    """Convert a campaign's schedule to a Prefect schedule."""
    from prefect import schedules

    if schedule.cron is not None:
        return schedules.Cron(schedule.cron, timezone=schedule.timezone)
    if schedule.interval is not None:
        # In UTC: in a local time zone Prefect counts whole days by the wall clock, not elapsed time.
        anchor = first_moment(schedule.timezone)
        return schedules.Interval(interval_of(schedule.interval), anchor_date=anchor, timezone="UTC")
    return schedules.RRule(str(schedule.rrule), timezone=schedule.timezone)


def deploy(files: Sequence[Path], home: Path, pool: str, say: Say) -> Scheduled:
    """Deploy campaigns to a work pool, replacing earlier deployments. Buys nothing.

    Args:
        files: Campaign files, each with a unique name; workers must find them there too. One without a
            ``schedule`` is run when somebody starts it.
        home: ``RUNOFF_HOME``, at the same path or address as for the workers.
        pool: A work pool of the server.
        say: Prints one line for the user.

    Raises:
        SettingError: ``PREFECT_API_URL`` is not set, or the server has no such pool. Nothing was deployed.
        CampaignError: No file is valid. Nothing was deployed.
        EngineError: The server does not answer. Nothing was deployed.
    """
    require_server()
    scheduled = read_scheduled(files, home, needs_schedule=False)
    with start_engine(home, say) as engine:
        engine.wait_ready()
        _find_pool(pool)
        for file, campaign in scheduled.campaigns.items():
            deployment_id = deployment_of(campaign, file, home, pool=pool).apply()
            if campaign.schedule is None and isinstance(deployment_id, UUID):
                _remove_schedules(deployment_id)
    announce(scheduled, say)
    say(f"Workers run them: runoff worker --pool {pool}")
    return scheduled


def _remove_schedules(deployment_id: UUID) -> None:
    """Remove the schedules that an earlier version of a campaign had: Prefect keeps what is not named."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        for schedule in client.read_deployment_schedules(deployment_id):
            if schedule.id is not None:
                client.delete_deployment_schedule(deployment_id, schedule.id)


def work(pool: str, home: Path, say: Say, *, limit: int | None = None, name: str | None = None) -> None:
    """Run the flow runs of a work pool until interrupted; each buys within its budgets.

    Args:
        pool: A work pool of the server, of the type ``process``; it is created if there is none.
        home: ``RUNOFF_HOME``.
        say: Prints one line for the user.
        limit: The most flow runs at once; ``None`` for no limit.
        name: The worker's name in Prefect's UI; ``None`` for that of this machine and process.

    Raises:
        SettingError: ``PREFECT_API_URL`` is not set. Nothing was started.
        EngineError: The server does not answer. Nothing was started.
    """
    require_server()
    with start_engine(home, say, with_schedules=True) as engine:
        engine.wait_ready()
        from flows.prefect_ui.looked_after import keep_looking_after
        from flows.schedule.draining_worker import DrainingWorker

        async def working() -> None:
            named = name or f"{socket.gethostname()} {os.getpid()}"
            looking = asyncio.create_task(keep_looking_after(Settings(home, os.environ), say))
            try:
                await DrainingWorker(pool, say, engine.give_up, limit=limit, name=named).work()
            finally:
                looking.cancel()

        asyncio.run(working())


def require_server() -> PrefectServer:
    """Find the server at ``PREFECT_API_URL``.

    Raises:
        SettingError: It is not set.
        EngineError: It is no address.
    """
    server = PrefectServer.of(os.environ)
    if server is None:
        raise SettingError(
            where="PREFECT_API_URL",
            what="is not set, and a work pool needs a running Prefect server",
            accepted="the server's address, ending in /api",
            next_step="prefect server start; export PREFECT_API_URL=http://127.0.0.1:4200/api. "
            "Without a work pool: runoff serve FILE",
        )
    return server


def _find_pool(pool: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound as error:
            raise SettingError(
                where=f"work pool {pool!r}",
                what="the Prefect server has no work pool of this name",
                accepted=", ".join(known.name for known in client.read_work_pools()),
                next_step=f"prefect work-pool create {pool} --type process",
            ) from error
