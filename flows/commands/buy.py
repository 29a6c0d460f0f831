"""The commands ``demo``, ``run`` and ``promote``, which run flows.

They print the first line before anything slow is loaded. Prefect's server starts in the background while the
campaign is priced and shown.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
    read_settings,
    yes_option,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from flows.engine import Engine
    from flows.runs.outcome import Outcome
    from flows.session.prepare import Prepared
    from tasks.settings import Settings

DEMO = "campaigns/demo.yaml"
Work = Callable[[], Coroutine[Any, Any, dict[str, Any]]]


@click.command()
@home_option
@json_option
def demo(*, home: Path | None, as_json: bool) -> None:
    """Run a whole campaign with the emulator: no key, no cost.

    The emulator runs in this process and needs no network.
    """
    from tasks.catalogue import configs_folder

    _run(configs_folder() / DEMO, None, home=home, is_agreed=True, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--resume", "resumed", metavar="RUN", help="Resume a run: its id, the beginning of it, or latest."
)
@home_option
@yes_option
@json_option
def run(file: Path | None, *, resumed: str | None, home: Path | None, yes: bool, as_json: bool) -> None:
    """Run a campaign: drafts, duplicates, scores, report, finals.

    Finals are bought within the run if the campaign has approval: auto. Shows the plan and asks once
    before it spends. Without a terminal it does not ask; the budget limits it.
    """
    if (file is None) == (resumed is None):
        message = "Name a campaign file, or a run with --resume."
        raise click.UsageError(message)
    _run(file, resumed, home=home, is_agreed=yes or not sys.stdin.isatty(), as_json=as_json)


@click.command()
@click.argument("run", default="latest")
@home_option
@yes_option
@json_option
def promote(run: str, *, home: Path | None, yes: bool, as_json: bool) -> None:
    """Buy a run's finalists again at high quality. Shows the price and asks first."""
    console = _begin(as_json=as_json)
    from flows.promotion.plan import price_promotion
    from flows.runs.run import StoredRun
    from flows.session.prepare import apply_announced_shutdowns, prepare, with_prepared

    settings = read_settings(home)
    with opened_ledger(settings) as ledger:
        known = StoredRun.find(settings, ledger, run)
        run_id = known.run_id
        prepared = prepare(known.campaign_file(), settings, run_id, are_drafts_done=True)
        priced = price_promotion(ledger, prepared)
    console.print(priced.sentence, markup=False)
    if not priced.n_finals or not _confirmed(yes=yes):
        if priced.n_finals:
            console.print("Nothing was bought.")
        if as_json:
            answer_json(_stored_outcome(settings, run_id))
        return
    with _engine(settings.home, console) as engine:
        from flows.promote import promote as flow

        prepared = apply_announced_shutdowns(prepared)
        engine.wait_ready()
        with with_prepared(prepared):
            outcome = _work(lambda: flow(run_id, str(settings.home)), console)
    _report(outcome, console, as_json=as_json)


def _stored_outcome(settings: "Settings", run_id: str) -> "Outcome":
    """Return the state of a run without working on it."""
    from flows.runs.outcome import outcome_of
    from flows.runs.run import StoredRun

    with opened_ledger(settings) as ledger:
        return outcome_of(StoredRun.find(settings, ledger, run_id))


def _run(
    file: Path | None, resumed: str | None, *, home: Path | None, is_agreed: bool, as_json: bool
) -> None:
    console = _begin(as_json=as_json)
    from flows.commands.plan_tables import plan_renderable
    from flows.runs.run import StoredRun
    from flows.session.prepare import apply_announced_shutdowns, prepare, with_prepared
    from tasks.ledger.runs import new_run_id
    from tasks.storage.home import prepare_home

    settings = read_settings(home)
    run_id = new_run_id(datetime.now(UTC))
    if file is None:
        with opened_ledger(settings) as ledger:
            known = StoredRun.find(settings, ledger, str(resumed))
            file, run_id = known.campaign_file(), known.run_id
    campaign_file = file
    # Errors are reported before anything is started; the server then starts while the SDK is loaded and
    # the provider is asked.
    prepared = prepare(file, settings, run_id)
    _ = prepared.terms.api_key
    prepare_home(settings.home)
    with _engine(settings.home, console) as engine:
        prepared = apply_announced_shutdowns(prepared)
        console.print(
            _resuming(prepared) if resumed else plan_renderable(prepared.plan, prepared.ledger_per_month_usd)
        )
        if prepared.note:
            console.print(prepared.note, markup=False, style="dim")
        if not is_agreed and not _confirmed(yes=False):
            console.print("Nothing was bought.")
            return
        from flows.prototype import prototype as flow

        engine.wait_ready()
        with with_prepared(prepared):
            outcome = _work(lambda: flow(str(campaign_file), str(settings.home), run_id), console)
    _report(outcome, console, as_json=as_json)


def _resuming(prepared: "Prepared") -> "RenderableType":
    """Describe what a resumed run still has to buy, and the warnings of its plan."""
    from rich.console import Group

    from flows.commands.plan_tables import warning_line
    from flows.session.begun_orders import begun_drafts
    from tasks.ledger.replanning import left_to_send
    from tasks.money import count_of, format_usd

    with opened_ledger(prepared.settings) as ledger:
        drafts = left_to_send(ledger, prepared.run_id, begun_drafts(prepared, ledger))
        planned = [record.order for record in ledger.orders.of_run(prepared.run_id, "planned")]
    left = [*drafts, *(order for order in planned if order.is_final)]
    most_usd = sum((order.estimate_usd for order in left), Decimal(0))
    still = (
        f"{count_of(len(left), 'request')} to send, at most {format_usd(most_usd)}"
        if left
        else "nothing left to send"
    )
    resuming = f"Resuming {prepared.campaign.name} · {prepared.run_id}: {still}."
    return Group(resuming, *map(warning_line, prepared.plan.warnings))


def _begin(*, as_json: bool = False) -> "Console":
    """Print the first line before anything slow is loaded."""
    click.echo(f"Runoff {version('runoff')} · reading, pricing, checking …", err=as_json)
    return open_console(as_json=as_json)


def _engine(home: Path, console: "Console") -> "Engine":
    import os

    from flows.engine import start_engine

    os.environ.setdefault(
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL"
    )  # errors are printed below, once
    return start_engine(home, lambda line: console.print(line, markup=False, style="dim"))


def _work(work: Work, console: "Console") -> "Outcome":
    from flows.runs.outcome import Outcome
    from flows.runs.progress import LiveDisplay, PlainDisplay, showing

    display = LiveDisplay(console) if console.is_terminal else PlainDisplay(console)
    with showing(display):
        return Outcome(**asyncio.run(work()))


def _confirmed(*, yes: bool) -> bool:
    if yes or not sys.stdin.isatty():
        return True
    return click.confirm("Buy it?", default=False)


def _report(outcome: "Outcome", console: "Console", *, as_json: bool) -> None:
    if as_json:
        answer_json(outcome)
    else:
        from flows.commands.tables import outcome_renderable, where_to_look

        console.print(outcome_renderable(outcome))
        click.echo("\n".join(where_to_look(outcome)))
    if outcome.exit_code:
        sys.exit(outcome.exit_code)
