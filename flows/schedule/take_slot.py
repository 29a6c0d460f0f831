"""Scheduled slots: at most one run for each, and none while too many runs await review or money is short.

A slot is recorded in the ledger before anything is bought, so that a retry, a second worker or a restarted
machine finds the run that it made. If a killed process left a run of the campaign unfinished, the next slot
resumes it instead of making a new one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from flows.evaluation.nights import compare_nights_of_campaign
from flows.runs.budgets import BudgetOf, remaining_of_month
from flows.runs.lock import fetch_campaign, is_free, is_resumable
from flows.session.prepare import Prepared
from tasks.errors import CampaignError, RunoffError
from tasks.ledger import Ledger, has_ledger, open_ledger
from tasks.ledger.runs import new_run_id
from tasks.ledger.slots import Slot
from tasks.limits import YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml
from tasks.money import count_of, format_usd
from tasks.settings import Settings
from tasks.storage.home import CAMPAIGN_FILE, prepare_home, run_folder
from tasks.storage.regular_file import read_regular_text

MOST_SLOTS_PER_RUN = 3
"""How many slots in a row may resume a run that never ends; the next one makes a new run."""

NOTHING_LEFT = "Nothing was left over: no run of {campaign} is unfinished. Nothing was bought."


@dataclass(frozen=True, slots=True)
class Starter:
    """What starts a run automatically.

    Args:
        name: The owner of the slot, such as a deployment.
        due_at: When it was to start, aware.
        flow_run_id: The flow run.
        only_resumes: It resumes a run that was left unfinished, and never begins one.
    """

    name: str
    due_at: datetime
    flow_run_id: str
    only_resumes: bool = False

    @property
    def slot(self) -> str:
        """The slot's name: the same for everything that starts the same slot."""
        return f"{self.name}@{self.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A slot, and what to do in it.

    Args:
        slot: As the ledger knows it.
        file: The campaign file to run: the run's own if it has begun.
        is_begun: The run has begun, in this slot or an earlier one.
        reason: Why there is nothing to do; empty otherwise.
    """

    slot: Slot
    file: Path
    is_begun: bool
    reason: str = ""


def take_slot(file: Path, settings: Settings, starter: Starter) -> TakenSlot:
    """Claim a slot, or find its run if it was claimed before. Buys nothing.

    Args:
        file: The campaign file.
        settings: The home and the environment.
        starter: What starts the run.
    """
    home = settings.home
    prepare_home(home)
    campaign = campaign_name(file)
    with open_ledger(settings.home, settings.environ) as ledger:
        left = unfinished_run(ledger, home, campaign)
        run_id = left or new_run_id(datetime.now(UTC))
        if starter.only_resumes and left is None:
            slot = Slot(starter.slot, campaign, starter.due_at, "skipped", run_id)
            return TakenSlot(slot, file, is_begun=False, reason=NOTHING_LEFT.format(campaign=campaign))
        wanted = Slot(starter.slot, campaign, starter.due_at, "open", run_id, started_by=starter.flow_run_id)
        slot = ledger.slots.claim(wanted)
        begun = {run.run_id: run for run in ledger.runs.all()}.get(slot.run_id)
        if begun is None:
            reason = slot.reason if slot.state == "skipped" else ""
            return TakenSlot(slot, file, is_begun=False, reason=reason)
        folder = run_folder(home, begun.campaign, begun.run_id)
        reason = ""
        if slot.state == "ended":
            reason = f"This slot already has its run: {slot.run_id}, {begun.state}. Nothing was bought."
        elif not is_free(ledger, folder):
            reason = f"Another process is working on this slot's run, {slot.run_id}. Nothing was bought here."
    return TakenSlot(slot, fetch_campaign(folder), is_begun=True, reason=reason)


def fail_slot(settings: Settings, slot: Slot, fault: RunoffError) -> None:
    """Record that no run could be made in a slot; ``runoff runs`` lists it.

    Args:
        settings: The home and the environment.
        slot: The slot.
        fault: Why no run could be made.
    """
    why = f"{fault.where}: {fault.what}".partition("\n")[0].removeprefix(f"{slot.campaign}: ")
    if isinstance(fault, CampaignError):
        n_more = len(fault.faults) - 1
        why = f"{fault.file}: {fault.faults[0]}{f' (and {n_more} more)' if n_more else ''}"
    with open_ledger(settings.home, settings.environ) as ledger:
        ledger.slots.change(slot.name, "failed", reason=f"{why.rstrip('.')}. {fault.money}")


def skip_slot(settings: Settings, slot: Slot, reason: str) -> None:
    """Record that a slot is skipped, and why.

    Args:
        settings: The home and the environment.
        slot: The slot.
        reason: Why it is skipped, for people.
    """
    with open_ledger(settings.home, settings.environ) as ledger:
        ledger.slots.change(slot.name, "skipped", reason=reason)


def unfinished_run(ledger: Ledger, home: Path, campaign: str) -> str | None:
    """Find the oldest run of a campaign that a slot began and that has no process; ``None`` if there is none.

    A run that was resumed several times without coming to its end is given up.

    Args:
        ledger: The ledger.
        home: Runoff's home.
        campaign: The campaign's name.
    """
    for run_id, n_slots in ledger.slots.open_runs([campaign]).items():
        if not is_resumable(ledger, run_folder(home, campaign, run_id)):
            continue
        if n_slots < MOST_SLOTS_PER_RUN:
            return run_id
        ledger.slots.end_run(run_id)
    return None


def waiting_runs(settings: Settings, campaign: str) -> list[tuple[Path, str]]:
    """Find the runs of a campaign that have a batch at the provider, oldest first: campaign file and run."""
    if not has_ledger(settings.home, settings.environ):
        return []
    with open_ledger(settings.home, settings.environ) as ledger:
        folders = [
            run_folder(settings.home, campaign, run_id) for run_id in ledger.batches.runs_out(campaign)
        ]
        return [(folder / CAMPAIGN_FILE, folder.name) for folder in folders if is_resumable(ledger, folder)]


def reason_to_skip(prepared: Prepared, now: datetime) -> str:
    """Return why a scheduled run is skipped; empty if it is not.

    Too many runs await review, a month's budget is below the least that a run costs, or the campaign is
    decided and wants to stop then.
    """
    with open_ledger(prepared.home, prepared.settings.environ) as ledger:
        return (
            _unreviewed(prepared, ledger)
            or _too_little_money(prepared, ledger, now)
            or _decided(prepared, ledger)
        )


def _decided(prepared: Prepared, ledger: Ledger) -> str:
    if prepared.campaign.verdict.stop_when != "decided":
        return ""
    found = compare_nights_of_campaign(prepared.settings, ledger, prepared.campaign)
    if found is None or found.winner is None:
        return ""
    return f"Decided: {found.headline} Nothing was bought."


def _unreviewed(prepared: Prepared, ledger: Ledger) -> str:
    campaign = prepared.campaign
    limit = campaign.schedule.pause_when_unreviewed if campaign.schedule else None
    runs = [run for run in ledger.runs.all() if run.campaign == campaign.name]
    n_waiting = sum(run.state == "awaiting review" for run in runs)
    if limit is None or n_waiting < limit:
        return ""
    return f"Awaiting review at {campaign.name}: {count_of(n_waiting, 'run')}. Nothing was bought."


def _too_little_money(prepared: Prepared, ledger: Ledger, now: datetime) -> str:
    least_usd = least_usd_of(prepared)
    for budget in remaining_of_month(ledger, prepared.campaign, prepared.ledger_per_month_usd, now):
        if budget.left_usd < least_usd:
            return (
                f"This month's budget of {whose_budget(budget.of, prepared.campaign.name)} has "
                f"{format_usd(budget.left_usd)} left of {format_usd(budget.limit_usd)}, "
                f"and a run costs at least {format_usd(least_usd)}. Nothing was bought."
            )
    return ""


def least_usd_of(prepared: Prepared) -> Decimal:
    """Return the least that a run costs before a person decides: without finals if a person chooses them."""
    is_auto = prepared.campaign.finalists.approval == "auto"
    return prepared.plan.low_usd if is_auto else prepared.plan.drafts_low_usd


def whose_budget(of: BudgetOf, campaign: str) -> str:
    """Name a month's budget for people: by its campaign, or as the whole ledger's."""
    return campaign if of == "campaign" else "the whole ledger"


def campaign_name(file: Path) -> str:
    """Read a campaign's name even if the rest of the file is invalid; otherwise use the file's name."""
    try:
        return str(read_yaml(read_regular_text(file, YAML_BYTES)).data["name"])[:64]
    except (OSError, YamlFaultError, TypeError, KeyError):
        return file.stem[:64]
