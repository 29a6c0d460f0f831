"""The command ``verdict``: which arm is better, by whom it is asked. Spends nothing and needs no Prefect."""

from pathlib import Path

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
@home_option
@json_option
def verdict(run: str, *, by: str | None, home: Path | None, as_json: bool) -> None:
    """Say which arm is better, by people's votes, by each score and over all nights. Spends nothing."""
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
    sentences = (" ".join(filter(None, (one["headline"], one.get("note")))) for one in found.values())
    for sentence in dict.fromkeys(sentences):  # the total may be of one scorer
        click.echo(sentence)
    if not found:
        click.echo("Only one arm: there is nothing to compare.")


def _no_such_verdict(run_id: str, by: str, known: list[str]) -> RunError:
    return RunError(
        where=f"run {run_id}",
        what="nobody has compared its arms yet" if by == "votes" else f"it has no verdict by {by}",
        accepted=f"--by {' or '.join(known)}" if known else "a run of two arms or more",
        money="Nothing was spent.",
        next_step=f"Compare its pictures: runoff review {run_id}",
    )
