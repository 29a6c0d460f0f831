"""The commands ``runs``, which lists and prunes runs, and ``cancel``, which ends one."""

import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tasks.settings import Settings

from flows.commands import completing
from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
    read_settings,
)


def _read_age(_ctx: click.Context, _param: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,4})d", text)
    if found is None:
        message = f"{text!r} is not a number of days, such as 30d"
        raise click.BadParameter(message)
    return timedelta(days=int(found[1]))


@click.command()
@click.option(
    "--prune", "is_pruning", is_flag=True, help="Delete the files of losing drafts; shows which, and asks."
)
@click.option(
    "--older-than",
    "age",
    metavar="DAYS",
    callback=_read_age,
    help="With --prune: only runs finished longer ago than this, such as 30d.",
)
@click.option("--yes", is_flag=True, help="With --prune: delete without asking.")
@home_option
@json_option
def runs(*, is_pruning: bool, age: timedelta | None, yes: bool, home: Path | None, as_json: bool) -> None:
    """List runs, newest first, and scheduled runs that did not start.

    --prune deletes the files and thumbnails of old drafts that nobody chose, liked or bought again. Their
    rows in the ledger stay.
    """
    if is_pruning != (age is not None) or (yes and not is_pruning):
        message = "--prune and --older-than go together, and --yes goes with both."
        raise click.UsageError(message)
    settings = read_settings(home)
    if age is not None:
        _prune(settings, age, is_agreed=yes, as_json=as_json)
    else:
        _list(settings, as_json=as_json)


def _list(settings: "Settings", *, as_json: bool) -> None:
    from flows.commands.tables import next_steps, runs_table, skip_reasons
    from flows.runs.outcome import list_runs
    from tasks.ledger import has_ledger
    from tasks.storage.home import paid_runs

    listed, has_runs_on_disk = [], any(paid_runs(settings.home))
    if has_ledger(settings.home, settings.environ) or has_runs_on_disk:
        with opened_ledger(settings) as opened:
            listed = list_runs(settings, opened)
    if as_json:
        answer_json(listed)
    elif listed:
        open_console().print(runs_table(listed))
        for line in (*skip_reasons(listed), *next_steps(listed)):
            click.echo(line)
    elif has_runs_on_disk:
        click.echo("The ledger has none of them.")
    else:
        click.echo(f"There are no runs in {settings.home} yet. Start with: runoff demo")


def _prune(settings: "Settings", age: timedelta, *, is_agreed: bool, as_json: bool) -> None:
    from flows.commands.tables import prunable_table
    from flows.runs.pruning import find_prunable, prune

    now = datetime.now(UTC)
    skipped: list[str] = []
    with opened_ledger(settings) as opened:
        found = find_prunable(opened, settings.home, now - age)
        if not as_json and found:
            open_console().print(prunable_table(found))
        if found and not is_agreed:
            is_agreed = sys.stdin.isatty() and click.confirm(
                "Delete these files?", default=False, err=as_json
            )
        if is_agreed:
            skipped = prune(opened, settings.home, now - age, now)
    if as_json:
        is_dropped = is_agreed and len(skipped) < len(found)
        prunable = [asdict(run) for run in found]
        answer_json({"is_dropped": is_dropped, "runs": prunable, "left_alone": skipped})
        return
    for run_id in skipped:
        click.echo(f"{run_id} was skipped: another process is working on it.")
    if not found:
        click.echo("There is nothing to delete.")
    elif len(skipped) < len(found):
        click.echo("Deleted." if is_agreed else "Nothing was deleted. Delete with --yes.")


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option("--reason", default="", help="Why, for the report.")
@home_option
@json_option
def decline(run: str, *, reason: str, home: Path | None, as_json: bool) -> None:
    """Buy none of a run's finalists: it is done, and no schedule waits for its review.

    Buys nothing. To choose after all, open the run with `runoff review`.
    """
    from flows.decline import decline as choose_none
    from flows.runs.reconciling import user_name

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        declined = choose_none(settings, opened, run, user_name(), reason)
    if as_json:
        answer_json(declined)
    else:
        click.echo(declined.sentence)


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option(
    "--for-good", is_flag=True, help="Give the run up: it stops, is reported, and no schedule resumes it."
)
@home_option
@json_option
def cancel(run: str, *, for_good: bool, home: Path | None, as_json: bool) -> None:
    """Cancel a run's batches at the provider, or the whole run for good.

    What the provider has finished of a batch is billed and can be collected. A run cancelled for good sends
    nothing more, waits for the requests in flight and writes its report; only `runoff run --resume RUN`
    takes it up again.
    """
    from flows.session.cancelling import cancel as cancel_batches
    from flows.session.cancelling import give_up

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        run_id = opened.runs.find(run).run_id
    cancelled = give_up(settings, run_id) if for_good else cancel_batches(settings, run_id)
    if as_json:
        answer_json(cancelled)
    else:
        click.echo(cancelled.sentence)
