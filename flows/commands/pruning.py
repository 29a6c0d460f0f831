"""What ``runoff runs`` deletes: old losing drafts, what campaigns no longer keep, and single runs.

Each first shows what goes and asks; without a terminal only ``--yes`` deletes.
"""

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from flows.commands.options import answer_json, open_console, opened_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.runs.retention import Due
    from tasks.settings import Settings


def prune_older(settings: "Settings", age: timedelta, *, is_agreed: bool, as_json: bool) -> None:
    """Delete the losing drafts of all runs that ended longer ago than an age."""
    from flows.commands.tables import prunable_table
    from flows.runs.pruning import Old, find_prunable, prune

    now = datetime.now(UTC)
    skipped: list[str] = []
    with opened_ledger(settings) as opened:
        found = find_prunable(opened, settings.home, Old(now - age))
        if not as_json and found:
            open_console().print(prunable_table(found))
        is_agreed = bool(found) and _agreed("Delete these files?", is_agreed=is_agreed, as_json=as_json)
        if is_agreed:
            skipped = prune(opened, settings.home, now, Old(now - age))
    if as_json:
        is_dropped = is_agreed and len(skipped) < len(found)
        prunable = [asdict(run) for run in found]
        answer_json({"is_dropped": is_dropped, "runs": prunable, "left_alone": skipped})
        return
    _tell(len(found), skipped, is_agreed=is_agreed)


def prune_due(settings: "Settings", *, is_agreed: bool, as_json: bool) -> None:
    """Delete what campaigns no longer keep, each by its own ``retention``."""
    from flows.commands.tables import mirrored_table, prunable_table
    from flows.runs.retention import delete_due, find_due, retentions

    now = datetime.now(UTC)
    skipped: list[str] = []
    with opened_ledger(settings) as opened:
        by_campaign = retentions(opened, settings)
        due = [find_due(opened, settings, name, kept, now) for name, kept in by_campaign.items()]
        pruned = [run for one in due for run in one.pruned]
        mirrored = [run for one in due for run in one.mirrored]
        if not as_json:
            console = open_console()
            _say_kept([kept.sentence for kept in by_campaign.values()], list(by_campaign))
            if pruned:
                console.print(prunable_table(pruned))
            if mirrored:
                console.print(mirrored_table(mirrored))
        is_any = bool(pruned or mirrored)
        is_agreed = is_any and _agreed("Delete these files?", is_agreed=is_agreed, as_json=as_json)
        if is_agreed:
            for name, kept in by_campaign.items():
                skipped += delete_due(opened, settings, name, kept, now)
    if as_json:
        answer_json(_as_dict(due, skipped, is_agreed=is_agreed))
    elif by_campaign:
        _tell(len(pruned) + len(mirrored), skipped, is_agreed=is_agreed)


def delete_one(settings: "Settings", name: str, *, is_agreed: bool, as_json: bool) -> None:
    """Delete a run's files for good."""
    from flows.runs.deletion import delete_run, find_deletable
    from flows.runs.reconciling import user_name

    with opened_ledger(settings) as opened:
        found = find_deletable(opened, settings, name)
        if not as_json:
            click.echo("\n".join(found.sentences))
        is_agreed = _agreed("Delete this run's files?", is_agreed=is_agreed, as_json=as_json)
        if is_agreed:
            delete_run(opened, settings, found.run_id, user_name(), datetime.now(UTC))
    if as_json:
        answer_json({"is_deleted": is_agreed, "run": asdict(found)})
    else:
        click.echo("Deleted." if is_agreed else "Nothing was deleted. Delete with --yes.")


def _agreed(question: str, *, is_agreed: bool, as_json: bool) -> bool:
    return is_agreed or (sys.stdin.isatty() and click.confirm(question, default=False, err=as_json))


def _say_kept(sentences: "Sequence[str]", names: "Sequence[str]") -> None:
    for name, sentence in zip(names, sentences, strict=True):
        click.echo(f"{name}: {sentence}")
    if not names:
        click.echo(
            "No campaign says how long its files are kept. Add to one: retention: {drafts: 30d}, "
            "or say an age: runoff runs --prune --older-than 30d"
        )


def _tell(n_found: int, skipped: "Sequence[str]", *, is_agreed: bool) -> None:
    for run_id in skipped:
        click.echo(f"{run_id} was skipped: another process is working on it.")
    if not n_found:
        click.echo("There is nothing to delete.")
    elif len(skipped) < n_found:
        click.echo("Deleted." if is_agreed else "Nothing was deleted. Delete with --yes.")


def _as_dict(due: "Sequence[Due]", skipped: "Sequence[str]", *, is_agreed: bool) -> dict[str, object]:
    return {
        "is_dropped": is_agreed,
        "runs": [asdict(run) for one in due for run in one.pruned],
        "mirrored": [asdict(run) for one in due for run in one.mirrored],
        "left_alone": skipped,
    }
