"""The commands ``runs``, which lists runs and deletes files, ``decline`` and ``cancel``, which end one."""

import re
from datetime import timedelta
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
from flows.commands.pruning import delete_one, prune_due, prune_older


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
    "--prune",
    "is_pruning",
    is_flag=True,
    help="Delete files that campaigns no longer keep (`retention`), or old losing drafts; asks.",
)
@click.option(
    "--older-than",
    "age",
    metavar="DAYS",
    callback=_read_age,
    help="With --prune: instead the losing drafts of all runs finished longer ago, such as 30d.",
)
@click.option(
    "--delete",
    "deleted",
    metavar="RUN",
    shell_complete=completing.runs,
    help="Delete all files of one run that is over; says what goes and what stays, and asks.",
)
@click.option("--yes", is_flag=True, help="With --prune and --delete: delete without asking.")
@home_option
@json_option
def runs(
    *,
    is_pruning: bool,
    age: timedelta | None,
    deleted: str | None,
    yes: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """List runs, newest first, and scheduled runs that did not start.

    --prune deletes the files and thumbnails of old drafts that nobody chose, liked or bought again; --delete
    deletes all files of one run. Their rows in the ledger stay.
    """
    is_deleting = is_pruning or deleted is not None
    if (age is not None and not is_pruning) or (yes and not is_deleting) or (is_pruning and deleted):
        message = "--older-than goes with --prune, --yes with --prune or --delete, and only one of these."
        raise click.UsageError(message)
    settings = read_settings(home)
    if deleted is not None:
        delete_one(settings, deleted, is_agreed=yes, as_json=as_json)
    elif age is not None:
        prune_older(settings, age, is_agreed=yes, as_json=as_json)
    elif is_pruning:
        prune_due(settings, is_agreed=yes, as_json=as_json)
    else:
        _list(settings, as_json=as_json)


def _list(settings: "Settings", *, as_json: bool) -> None:
    from flows.commands.tables import next_steps, runs_table, skip_reasons
    from flows.runs.outcome import list_runs
    from tasks.ledger import has_ledger
    from tasks.storage.home import paid_runs
    from tasks.storage.mirror import home_address

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
        click.echo(f"There are no runs in {home_address(settings.home)} yet. Start with: runoff demo")


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option("--reason", default="", help="Why, for the report.")
@home_option
@json_option
def decline(run: str, *, reason: str, home: Path | None, as_json: bool) -> None:
    """Buy none of a run's finalists, or no more of them: it is done, and no schedule waits for its review.

    Buys nothing. What has a final keeps it. To choose after all, open the run with `runoff review`.
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
