"""The command ``compare``: runs beside one another, and what changed in the campaign between them."""

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands import completing
from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
    read_settings,
)

if TYPE_CHECKING:
    from rich.table import Table

    from flows.evaluation.compared_runs import Change, ComparedRuns, MeanScore


@click.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True, shell_complete=completing.runs)
@home_option
@json_option
def compare(names: tuple[str, ...], *, home: Path | None, as_json: bool) -> None:
    """Lay two or more runs beside one another: figures, scores with intervals, and what changed.

    Spends nothing. Their pictures of the same rows are side by side on the page: runoff review, then a
    campaign's name.
    """
    from flows.evaluation.compared_runs import MOST_RUNS, compare_runs
    from flows.runs.run import StoredRun

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        by_id = {run.run_id: run for run in (StoredRun.find(settings, opened, name) for name in names)}
        if not 2 <= len(by_id) <= MOST_RUNS:
            message = f"{len(by_id)} different runs, accepted: 2 to {MOST_RUNS}"
            raise click.UsageError(message)
        found = compare_runs(list(by_id.values()))
    if as_json:
        answer_json(_facts(found))
        return
    console = open_console()
    console.print(_table(found))
    if not found.are_scores_alike:
        console.print("Scores are by other scorers, versions or weights: they are not comparable.")
    for (one, other), changes in zip(pairwise(found.runs), found.changes, strict=True):
        lines = [f"  {line}" for line in map(_line, changes)] or ["  nothing"]
        click.echo("\n".join([f"\nChanged from {one.run_id} to {other.run_id}:", *lines]))
    ids = "&".join(f"run={one.run_id}" for one in found.runs)
    click.echo(f"\nPictures side by side: runoff review, then /compare?{ids}")


def _table(found: "ComparedRuns") -> "Table":
    from flows.commands.fitting_table import FittingTable
    from flows.evaluation.compared_runs import added_arms, added_score
    from tasks.money import format_usd

    table = FittingTable()
    table.add_column("", no_wrap=True)
    for one in found.runs:
        table.add_column(one.run_id, overflow="fold", min_width=len(one.run_id))
    arms = list(dict.fromkeys(arm for one in found.runs for arm in one.by_arm))
    rows: list[tuple[str, list[str]]] = [
        ("campaign", [one.campaign for one in found.runs]),
        ("state", [one.state for one in found.runs]),
        ("verdict", [one.verdict or "–" for one in found.runs]),
        ("spent", [format_usd(one.spent_usd) for one in found.runs]),
        ("drafts", [str(one.drafts) for one in found.runs]),
        ("unique images", [str(one.unique_images) for one in found.runs]),
        ("added drafts", [str(one.added_drafts) for one in found.runs]),
        ("further drafts", [str(one.further_drafts) for one in found.runs]),
        ("finals accepted", [f"{one.accepted} of {one.finals}" for one in found.runs]),
        ("score", [format_score(one.score) for one in found.runs]),
        *((f"  arm {arm}", [format_score(one.by_arm.get(arm)) for one in found.runs]) for arm in arms),
        *(
            (
                f"  added round {number}, {arm}",
                [format_score(added_score(one, number, arm)) for one in found.runs],
            )
            for number, arm in added_arms(found)
        ),
    ]
    for label, values in rows:
        table.add_row(label, *values)
    return table


def format_score(score: "MeanScore | None") -> str:
    """Write a mean score with its interval, as far as both are known."""
    if score is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.mean:.2f}"
    return f"{score.mean:.2f} ({score.low:.2f} to {score.high:.2f})"


def _line(change: "Change") -> str:
    from flows.evaluation.compared_runs import THERE

    if change.before is None:
        return f"+ {change.key}" if change.after == THERE else f"+ {change.key}: {change.after}"
    if change.after is None:
        return f"- {change.key}" if change.before == THERE else f"- {change.key}: {change.before}"
    return f"~ {change.key}: {change.before} → {change.after}"


def _facts(found: "ComparedRuns") -> dict[str, Any]:
    return {
        "runs": [asdict(one) for one in found.runs],
        "changes": [[asdict(change) for change in changes] for changes in found.changes],
        "rows": [
            {
                "name": row.name,
                "pictures": [
                    {arm: [one.candidate_id for one in best] for arm, best in of_run.items()}
                    for of_run in row.pictures
                ],
            }
            for row in found.rows
        ],
        "are_scores_alike": found.are_scores_alike,
    }
