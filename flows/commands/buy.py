"""The commands ``demo``, ``run`` and ``promote``, which run flows.

They print the first line before anything slow is loaded. Prefect's server starts in the background while the
campaign is priced and shown.
"""

import contextlib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.buying import (
    begin,
    confirmed,
    loaded,
    loading,
    report_outcome,
    run_shown,
    started_engine,
)
from flows.commands.campaign_choice import chosen_campaign
from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    opened_ledger,
    read_settings,
    yes_option,
)
from flows.commands.overriding import finals_option, is_of_models, override_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType

    from flows.engine import Engine
    from flows.runs.outcome import Outcome
    from flows.session.prepare import Prepared
    from tasks.campaign_file.overrides import Overrides
    from tasks.settings import Settings

DEMO = "campaigns/demo.yaml"


@click.command()
@home_option
@json_option
def demo(*, home: Path | None, as_json: bool) -> None:
    """Run a whole campaign with the emulator: no key, no cost.

    The emulator runs in this process and needs no network.
    """
    from tasks.catalogue import configs_folder

    _run(_Wanted(configs_folder() / DEMO, is_agreed=True, as_json=as_json), home)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--resume",
    "resumed",
    metavar="RUN",
    shell_complete=completing.runs,
    help="Resume a run: its id, the beginning of it, or latest.",
)
@click.option("--smoke", is_flag=True, help="Make one picture of each arm first, then ask again.")
@click.option("--again", is_flag=True, help="Buy once more what was bought before, unchanged.")
@override_options
@home_option
@yes_option
@json_option
def run(
    file: Path | None,
    *,
    resumed: str | None,
    smoke: bool,
    again: bool,
    overrides: "Overrides",
    home: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Run a campaign: drafts, duplicates, scores, report, finals.

    Finals are bought within the run if the campaign has approval: auto. Shows the plan and asks once
    before it spends. Without a terminal it does not ask; the budget limits it. Without FILE it is the only
    campaign file in this folder. What --set and its like change is kept in the run's own campaign.yaml.
    """
    if resumed is None:
        file = chosen_campaign(file, Path.cwd())
    elif file is not None or smoke or not is_of_models(overrides):
        message = (
            "A run that is resumed goes on as it began: name it with --resume, and nothing else. Only its"
            " finals and its models can be others: --set finals.model=NAME, --set drafts.model=NAME."
        )
        raise click.UsageError(message)
    is_agreed = yes or not sys.stdin.isatty()
    _run(_Wanted(file, resumed, overrides, is_agreed, as_json, smokes=smoke, is_again=again), home)


@dataclass(frozen=True)
class _Wanted:
    """What somebody asked of ``run``: a file or a run to resume, and how.

    Args:
        file: The campaign file.
        resumed: The run to resume.
        overrides: What is otherwise than in the file.
        is_agreed: Nobody is asked.
        as_json: Standard output is for JSON.
        smokes: One picture of each arm is made first.
        is_again: It may have been bought before, unchanged.
    """

    file: Path | None = None
    resumed: str | None = None
    overrides: "Overrides | None" = None
    is_agreed: bool = False
    as_json: bool = False
    smokes: bool = False
    is_again: bool = False


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@finals_option
@home_option
@yes_option
@json_option
def promote(run: str, *, overrides: "Overrides", home: Path | None, yes: bool, as_json: bool) -> None:
    """Buy a run's finalists again at high quality. Shows the price and asks first.

    What --set changes is kept in the run's own campaign.yaml once something is bought by it.
    """
    console = begin(as_json=as_json)
    from flows.promotion.plan import prepare_promotion
    from flows.runs.outcome import INCOMPLETE
    from flows.runs.run import StoredRun
    from flows.session.asking import ask_provider
    from flows.session.prepare import with_prepared
    from tasks.ledger.runs import cancelled_error

    settings = read_settings(home)
    with opened_ledger(settings) as ledger:
        known = StoredRun.find(settings, ledger, run)
        run_id = known.run_id
        if known.record.state == "cancelled":
            raise cancelled_error(run_id)
        ledger.require_fit_to_spend(settings.home)
        prepared, priced = prepare_promotion(ledger, known, overrides)
    console.print(priced.sentence, markup=False)
    if not priced.has_work or (priced.n_finals and not confirmed(yes=yes)):
        if priced.n_finals:
            console.print("Nothing was bought.")
        if as_json:
            answer_json(_stored_outcome(settings, run_id))
        if priced.left_out and not priced.n_finals:
            sys.exit(INCOMPLETE)
        return
    prepared = ask_provider(prepared, is_needed=bool(priced.n_finals))
    with started_engine(settings.home, console) as engine:
        from flows.engine.recorded_run import run_recorded
        from flows.promote import promote as flow

        loaded()
        engine.wait_ready()
        with with_prepared(prepared):
            outcome = run_shown(lambda: run_recorded(engine, flow, run_id, str(settings.home)), console)
        report_outcome(outcome, console, as_json=as_json)  # before the server ends


def _stored_outcome(settings: "Settings", run_id: str) -> "Outcome":
    """Return the state of a run without working on it."""
    from flows.runs.outcome import outcome_of
    from flows.runs.run import StoredRun

    with opened_ledger(settings) as ledger:
        return outcome_of(StoredRun.find(settings, ledger, run_id))


def _run(wanted: _Wanted, home: Path | None) -> None:
    console = begin(as_json=wanted.as_json)
    from flows.runs.checking import require_fit_ledger
    from flows.session.asking import ask_provider, has_orders_left
    from flows.session.composition import check_sellers
    from flows.session.pace import with_found_pace
    from flows.session.prepare import prepare
    from flows.session.taken_up import prepare_again
    from tasks.campaign.succession import NO_PART
    from tasks.campaign_file.overrides import NO_OVERRIDES
    from tasks.errors import CatalogueError
    from tasks.storage.home import prepare_home

    settings = read_settings(home)
    file, run_id = _file_and_run(wanted, settings)
    # Errors are reported before anything is started or written; the server starts while the SDK is loaded.
    try:
        overrides = wanted.overrides or NO_OVERRIDES
        if wanted.resumed is None:
            prepared = prepare(file, settings, run_id, overrides=overrides)
        else:
            prepared = prepare_again(file, settings, run_id, overrides)
    except CatalogueError:  # a finished run may be of a model that was shut down
        ended = None
        with contextlib.suppress(CatalogueError):
            if wanted.resumed:
                ended = _finished(prepare(file, settings, run_id, needed=NO_PART))
        if ended is None:
            raise
        report_outcome(ended, console, as_json=wanted.as_json)
        return
    check_sellers(prepared)
    require_fit_ledger(settings)
    if wanted.resumed is not None and (finished := _finished(prepared)):
        report_outcome(finished, console, as_json=wanted.as_json)
        return
    prepared = ask_provider(prepared, is_needed=wanted.resumed is None or has_orders_left(prepared))
    prepare_home(settings.home)
    with started_engine(settings.home, console) as engine:
        prepared = with_found_pace(prepared)
        is_repeat = _show_plan(prepared, wanted, console)
        question = "Bought before: buy it once more?" if is_repeat else "Buy it?"
        if not wanted.is_agreed:
            with loading("flows.prototype"):
                if not confirmed(yes=False, question=question):
                    console.print("Nothing was bought.")
                    return
        made = partial(_make, engine, file, takes_up_cancelled=wanted.resumed is not None, console=console)
        outcome = _smoked(prepared, made, wanted, console) if wanted.smokes else made(prepared)
        report_outcome(outcome, console, as_json=wanted.as_json)  # before the server ends


def _finished(prepared: "Prepared") -> "Outcome | None":
    """Return the outcome of a run of which nothing is left; no server is started for it."""
    from flows.finished import finished_outcome

    return finished_outcome(prepared)


def _file_and_run(wanted: _Wanted, settings: "Settings") -> tuple[Path, str]:
    """Return the campaign file and the run's id: a new one, or those of the run to resume."""
    from flows.runs.run import StoredRun
    from tasks.ledger.runs import cancelled_error, new_run_id

    if wanted.file is not None:
        return wanted.file, new_run_id(datetime.now(UTC))
    with opened_ledger(settings) as ledger:
        known = StoredRun.find(settings, ledger, str(wanted.resumed))
        if known.record.state == "cancelled" and wanted.resumed == "latest":
            raise cancelled_error(known.run_id)  # to go on with it, a person must name it
        return known.campaign_file(), known.run_id


def _show_plan(prepared: "Prepared", wanted: _Wanted, console: "Console") -> bool:
    """Show what will be bought; returns whether it was bought before, unchanged, which is said too."""
    from flows.commands.plan_tables import plan_renderable, warning_line
    from flows.runs.repeats import find_repeat
    from flows.session.prepare import spent_this_month

    is_new = wanted.resumed is None
    console.print(
        plan_renderable(prepared.plan, prepared.ledger_per_month_usd, spent_this_month(prepared))
        if is_new
        else _resuming(prepared)
    )
    if prepared.note:
        console.print(prepared.note, markup=False, style="dim")
    repeat = find_repeat(prepared.home, prepared.campaign) if is_new and not wanted.is_again else None
    if repeat is not None:
        console.print(warning_line(repeat.describe(datetime.now(UTC))))
    return repeat is not None


def _make(
    engine: "Engine", file: Path, prepared: "Prepared", *, takes_up_cancelled: bool, console: "Console"
) -> "Outcome":
    """Make or resume a prepared run. This spends money, within the campaign's budgets."""
    from flows.commands.making import make_run
    from flows.session.composition import n_to_evaluate
    from flows.session.prepare import with_prepared
    from flows.workers.evaluation_process import forked_ahead

    with with_prepared(prepared), forked_ahead(n_to_evaluate(prepared)):
        return run_shown(
            lambda: make_run(engine, file, prepared, takes_up_cancelled=takes_up_cancelled), console
        )


def _smoked(
    prepared: "Prepared", made: "Callable[[Prepared], Outcome]", wanted: _Wanted, console: "Console"
) -> "Outcome":
    """Make one request of each arm, show the pictures, and go on if they are there and somebody agrees."""
    from flows.commands.tables import smoke_lines
    from flows.session.smoke import make_whole, smoke_of

    outcome = made(smoke_of(prepared))
    click.echo("\n".join(smoke_lines(outcome)), err=wanted.as_json)
    if outcome.exit_code:
        console.print("Not every arm has its picture, so nothing more was bought.")
        return outcome
    if not wanted.is_agreed and not confirmed(yes=False, question="Go on with the whole campaign?"):
        return outcome
    make_whole(prepared)
    return made(prepared)


def _resuming(prepared: "Prepared") -> "RenderableType":
    """Describe what a resumed run still has to buy, and the warnings of its plan."""
    from rich.console import Group

    from flows.commands.plan_tables import warning_line
    from flows.session.begun_orders import begun_drafts, left_orders
    from tasks.ledger.replanning import find_replaced
    from tasks.money import count_of, format_usd
    from tasks.orders.finals import wants_final

    is_wanted = wants_final(prepared.campaign)
    with opened_ledger(prepared.settings) as ledger:
        left = left_orders(prepared, ledger)
        replaced = find_replaced(ledger, prepared.run_id, begun_drafts(prepared, ledger))
    as_wanted = [order for order in left if not order.is_final or is_wanted(order)]
    most_usd = sum((order.estimate_usd for order in as_wanted), Decimal(0))
    # Finals are of another model now: what they were planned at is not their price.
    if len(as_wanted) < len(left):
        most_usd += prepared.plan.finals.high_usd
    still = (
        f"{count_of(len(left), 'request')} to send, at most {format_usd(most_usd)}"
        if left
        else "nothing left to send"
    )
    resuming = f"Resuming {prepared.campaign.name} · {prepared.run_id}: {still}."
    return Group(resuming, *map(warning_line, (*prepared.plan.warnings, *replaced)))
