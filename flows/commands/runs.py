"""The command ``runoff runs``: the runs, the scheduled runs that did not start, and pruning."""

import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from flows.commands.options import answer_json, home_option, json_option, open_console, opened_ledger


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
    from tasks.storage.home import home_folder

    if is_pruning != (age is not None) or (yes and not is_pruning):
        message = "--prune and --older-than go together, and --yes goes with both."
        raise click.UsageError(message)
    folder = home_folder(home)
    if age is not None:
        _prune(folder, age, is_agreed=yes, as_json=as_json)
    else:
        _list(folder, as_json=as_json)


def _list(home: Path, *, as_json: bool) -> None:
    from flows.commands.tables import runs_table, skip_reasons
    from flows.runs.listing import list_runs
    from tasks.ledger import has_ledger

    listed = []
    if has_ledger(home):
        with opened_ledger(home) as opened:
            listed = list_runs(opened, home)
    if as_json:
        answer_json(listed)
    elif listed:
        open_console().print(runs_table(listed))
        for line in skip_reasons(listed):
            click.echo(line)
    else:
        click.echo(f"There are no runs in {home} yet. Start with: runoff demo")


def _prune(home: Path, age: timedelta, *, is_agreed: bool, as_json: bool) -> None:
    from flows.commands.tables import prunable_table
    from flows.runs.pruning import find_prunable, prune

    now = datetime.now(UTC)
    left_alone: list[str] = []
    with opened_ledger(home) as opened:
        found = find_prunable(opened, home, now - age)
        if not as_json and found:
            open_console().print(prunable_table(found))
        if found and not is_agreed:
            is_agreed = sys.stdin.isatty() and click.confirm(
                "Delete these files?", default=False, err=as_json
            )
        if is_agreed:
            left_alone = prune(opened, home, now - age, now)
    if as_json:
        is_dropped = is_agreed and len(left_alone) < len(found)
        told = [asdict(run) for run in found]
        answer_json({"is_dropped": is_dropped, "runs": told, "left_alone": left_alone})
        return
    for run_id in left_alone:
        click.echo(f"{run_id} was left alone: another process works on it.")
    if not found:
        click.echo("There is nothing to delete.")
    elif len(left_alone) < len(found):
        click.echo("Deleted." if is_agreed else "Nothing was deleted. Delete with --yes.")
