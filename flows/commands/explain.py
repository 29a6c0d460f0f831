"""The command that tells why a picture was chosen, or was not. It spends nothing and needs no Prefect."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands.options import answer_json, home_option, json_option, opened_ledger

if TYPE_CHECKING:
    from tasks.explain import ExplainedScore, Explanation

MARKS = {True: "yes", False: "no", None: "?"}


@click.command()
@click.argument("run")
@click.argument("picture")
@home_option
@json_option
def explain(run: str, picture: str, *, home: Path | None, as_json: bool) -> None:
    """Tell why a picture of RUN was chosen or was not: its scores, its rank, and every rule it met.

    PICTURE is a candidate's id, the beginning of one, or its file's name, such as A-000-001; copies, unfit
    pictures and finals too.
    """
    from flows.runs.run import StoredRun
    from tasks.explain import explain as explain_picture
    from tasks.explain import find_candidate
    from tasks.storage.home import home_folder

    folder = home_folder(home)
    with opened_ledger(folder) as opened:
        known = StoredRun.find(folder, opened, run)
        candidates = known.read_candidates()
    candidate = find_candidate(candidates, picture)
    found = explain_picture(candidate, candidates, known.campaign)
    if as_json:
        answer_json(found)
    else:
        click.echo("\n".join(_lines(found)))


def _lines(found: "Explanation") -> list[str]:
    lines = [
        f"{found.name} · {found.candidate_id}",
        f"  arm {found.arm}, row {found.row}: {found.prompt}",
        "",
        found.reason[:1].upper() + found.reason[1:] + ".",
        f"It is {found.standing}"
        + (f", rank {found.rank} of {found.survivors}." if found.rank else ".")
        + (f" Copies of it: {', '.join(found.copies)}." if found.copies else ""),
        "",
        "Total score " + ("none" if found.score is None else f"{found.score:.4f}"),
    ]
    for score in found.scores:
        lines += _score_lines(score)
    if found.rules:
        lines += ["", "Rules"]
        lines += [
            f"  {MARKS[rule.holds]:<4}{rule.name:<15} {rule.limit}: {rule.found}" for rule in found.rules
        ]
    return lines


def _score_lines(score: "ExplainedScore") -> list[str]:
    value = "none  " if score.value is None else f"{score.value:.4f}"
    lines = [f"  {score.scorer:<11} {value}  weighs {score.share:.0%}  {score.reason}"]
    raw = ", ".join(f"{name} {figure:.3g}" for name, figure in sorted(score.measurements.items()))
    return [*lines, f"              {raw}"] if raw else lines
