"""The command ``verdict``: which arm is better, by whom it is asked. Spends nothing and needs no Prefect."""

import sys
from pathlib import Path
from typing import Any

import click

from flows.commands.options import answer_json, home_option, json_option, opened_ledger, read_settings
from tasks.errors import RunError


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--by",
    metavar="votes|judge|technical|total|effects|nights",
    help="Only the verdict by votes, by one scorer, by their total, of the factors, or over all nights.",
)
@click.option(
    "--best",
    "writes_best",
    is_flag=True,
    help="Write a campaign file that makes the best combination of factors, for runoff plan and runoff run.",
)
@home_option
@json_option
def verdict(run: str, *, by: str | None, writes_best: bool, home: Path | None, as_json: bool) -> None:
    """Say which arm is better, by people's votes, by each score and over all nights. Spends nothing."""
    if writes_best:
        _write_best(run, home, as_json=as_json)
        return
    from flows.evaluation.nights import compare_nights_of_run
    from flows.evaluation.verdict import compare_by_each
    from flows.runs.run import StoredRun

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        found = compare_by_each(stored)
        if (nights := compare_nights_of_run(stored)) is not None:
            found["nights"] = nights.as_dict()
    if by is not None:
        if by not in found:
            raise _no_such_verdict(stored.run_id, by, list(found))
        found = {by: found[by]}
    if as_json:
        answer_json({"run_id": stored.run_id, "verdicts": found})
        return
    sentences = (" ".join(filter(None, _parts(one))) for one in found.values())
    for sentence in dict.fromkeys(sentences):  # the total may be of one scorer
        click.echo(sentence)
    if not found:
        click.echo("Only one arm: there is nothing to compare.")


def _parts(found: dict[str, Any]) -> list[str | None]:
    best = found.get("best") or {}
    return [found["headline"], found.get("note"), best.get("headline")]


def _write_best(run: str, home: Path | None, *, as_json: bool) -> None:
    """Print the campaign file of a run's best combination, and what is predicted for it to stderr."""
    from flows.evaluation.verdict import compare_by_each
    from flows.runs.run import StoredRun
    from tasks.campaign.best_campaign import write_best_campaign

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        best = compare_by_each(stored).get("effects", {}).get("best")
        if best is None:
            raise RunError(
                where=f"run {stored.run_id}",
                what="has no best combination",
                accepted="a run of a campaign with factors, with scores in two rows or more",
                money="Nothing was spent.",
                next_step=f"See what it has: runoff verdict {stored.run_id}",
            )
        text = write_best_campaign(stored.campaign, best["levels"])
    if as_json:
        answer_json({"run_id": stored.run_id, "best": best, "campaign": text})
        return
    if not sys.stdout.isatty():
        click.echo(best["headline"], err=True)
    click.echo(f"# {best['headline']}\n{text}", nl=False)


def _no_such_verdict(run_id: str, by: str, known: list[str]) -> RunError:
    return RunError(
        where=f"run {run_id}",
        what="nobody has compared its arms yet" if by == "votes" else f"it has no verdict by {by}",
        accepted=f"--by {' or '.join(known)}" if known else "a run of two arms or more",
        money="Nothing was spent.",
        next_step=f"Compare its pictures: runoff review {run_id}",
    )
