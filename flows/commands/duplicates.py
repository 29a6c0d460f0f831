"""The command ``runoff duplicates``: pairs by their similarity, and the limit that fits people's answers."""

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.options import answer_json, home_option, json_option, opened_ledger, read_settings

if TYPE_CHECKING:
    from flows.evaluation.similar_pairs import SimilarPair, SimilarPairs

SHOWN = 20
SAID = {True: "the same", False: "not the same", None: "?"}
COLUMNS = ("one", "other", "similarity", "alteration", "is_same")


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option("--all", "shows_all", is_flag=True, help=f"Show every pair, not only {SHOWN}.")
@click.option(
    "--export", type=click.Path(path_type=Path, dir_okay=False), help="Write the answered pairs to this CSV."
)
@click.option("--write", "writes", is_flag=True, help="Write the suggested limit to the run's campaign.yaml.")
@home_option
@json_option
def duplicates(
    run: str, *, shows_all: bool, export: Path | None, writes: bool, home: Path | None, as_json: bool
) -> None:
    """Show the pairs of RUN by their similarity, those nearest to the limit first. Spends nothing.

    People answer whether two pictures are the same on the page Duplicates of runoff review. From 20 answers
    on, the limit that fits them is suggested, with its precision and recall.
    """
    from flows.evaluation.similar_pairs import find_similar_pairs
    from flows.rescore import write_limit
    from flows.runs.run import StoredRun

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        found = find_similar_pairs(stored)
        if writes:
            write_limit(stored, found.suggestion)
    if export is not None:
        _export(export, found)
    if as_json:
        answer_json(_facts(found))
        return
    click.echo("\n".join(_lines(found, stored.run_id, shows_all=shows_all)))
    if writes:
        click.echo(f"Written. Decide by it with: runoff rescore {stored.run_id}")


def _row(pair: "SimilarPair") -> dict[str, object]:
    values = (
        pair.one.candidate_id,
        pair.other.candidate_id,
        round(pair.similarity, 4),
        pair.alteration,
        pair.is_same,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _facts(found: "SimilarPairs") -> dict[str, object]:
    suggestion = asdict(found.suggestion) if found.suggestion else None
    return {"limit": found.limit, "suggestion": suggestion, "pairs": [_row(pair) for pair in found.pairs]}


def _export(file: Path, found: "SimilarPairs") -> None:
    from tasks.storage.atomic import write_atomically

    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS)
    writer.writeheader()
    writer.writerows(_row(pair) for pair in found.pairs if pair.is_same is not None)
    write_atomically(file.absolute(), table.getvalue().encode())


def _lines(found: "SimilarPairs", run_id: str, *, shows_all: bool) -> list[str]:
    from tasks.duplicates.tuning import LEAST_ANSWERS
    from tasks.money import count_of

    shown = found.pairs if shows_all else found.pairs[:SHOWN]
    lines = [
        f"{count_of(len(found.pairs), 'pair')} with something in common; duplicates from {found.limit:.2f} on"
    ]
    for pair in sorted(shown, key=lambda pair: -pair.similarity):
        altered = f"  {pair.alteration}" if pair.alteration else ""
        mark = "=" if pair.similarity >= found.limit else " "
        said = SAID[pair.is_same]
        lines.append(f"  {pair.similarity:.2f} {mark} {pair.one.name}  {pair.other.name}  {said}{altered}")
    one = found.suggestion
    if one is None:
        n_answers = count_of(found.n_answers, "answer")
        return [
            *lines,
            f"{n_answers}; from {LEAST_ANSWERS} on, some of each kind, a limit is suggested.",
            f"Answer with: runoff review {run_id}",
        ]
    n_answers = count_of(one.n_same + one.n_other, "answer")
    return [
        *lines,
        f"{n_answers}: min_similarity {one.min_similarity:.2f} fits them,"
        f" precision {one.precision:.0%}, recall {one.recall:.0%}.",
        f"Keep it with: runoff duplicates {run_id} --write",
    ]
