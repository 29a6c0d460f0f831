"""The command ``runoff grid``: the drafts of a run by their levels, as a picture and a PDF."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.options import answer_json, home_option, json_option, opened_ledger, read_settings
from tasks.errors import RunError
from tasks.text import did_you_mean

if TYPE_CHECKING:
    from tasks.report_page.grid import Grid
    from tasks.report_page.grid_sheet import GridView


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option(
    "--top", multiple=True, metavar="FACTOR", help="A factor along the top; twice, the outer first."
)
@click.option(
    "--side", multiple=True, metavar="FACTOR", help="A factor down the side; twice, the outer first."
)
@click.option(
    "--only",
    multiple=True,
    metavar="FACTOR=LEVEL",
    help="Only this level, such as light=hard, or only one row, such as row=2; can be repeated.",
)
@click.option("--colour", is_flag=True, help="Colour each cell by its mean score.")
@home_option
@json_option
def grid(
    run: str,
    *,
    top: tuple[str, ...],
    side: tuple[str, ...],
    only: tuple[str, ...],
    colour: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Draw the grid of a run: its best pictures by levels, as grid.png and grid.pdf. Spends nothing.

    A factor that is at neither edge shows the best picture of all its levels. The PDF has a page for each row
    besides. Without factors, arms are along the top and rows down the side: row is an edge like a factor.
    """
    from flows.evaluation.grid import draw_grid_of_run, read_grid
    from flows.runs.run import StoredRun

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        found = read_grid(stored)
        if not any(cell.pictures for cell in found.grid.cells.values()):
            raise _nothing_drawn(stored.run_id, is_done=stored.record.state == "done")
        files = draw_grid_of_run(stored, found, _view(found.grid, top, side, only, is_coloured=colour))
    if as_json:
        answer_json(files)
    else:
        click.echo(f"Grid  {files['png']}\nPDF   {files['pdf']}")


def _view(
    grid: "Grid", top: Sequence[str], side: Sequence[str], only: Sequence[str], *, is_coloured: bool
) -> "GridView":
    """Read what is along the edges; what nobody named is chosen by the sizes of the factors."""
    from tasks.report_page.grid_sheet import GridView

    fixed = dict(_read_only(grid, each) for each in only)
    named = [*top, *side, *fixed]
    for name in named:
        _known(name, [*grid.axes], "--top, --side or --only")
        if named.count(name) > 1:
            msg = f"{name} is named twice, accepted: each factor at one edge, or in --only"
            raise click.UsageError(msg)
    if max(len(top), len(side)) > 2:
        msg = "more than two factors along an edge, accepted: one or two; others in --only"
        raise click.UsageError(msg)
    by_size = grid.edges()
    if not top and not side:
        top, side = ([name for name in edge if name not in fixed] for edge in by_size)
    elif not top or not side:
        left = [name for edge in by_size for name in edge if name not in named]
        top, side = (top, left[:2]) if top else (left[:2], side)
    return GridView(top, side, fixed, is_coloured)


def _read_only(grid: "Grid", text: str) -> tuple[str, int]:
    name, _, level = text.partition("=")
    values = _known(name, [*grid.axes], "--only") and [*grid.axes[name]]
    if name == "row" and level.isdecimal() and 1 <= int(level) <= len(values):
        return name, int(level) - 1
    accepted = [str(number + 1) for number in range(len(values))] if name == "row" else values
    return name, accepted.index(_known(level, accepted, f"--only {name}"))


def _known(name: str, known: Sequence[str], where: str) -> str:
    if name not in known:
        shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        msg = f"{where}: {name!r} is unknown{did_you_mean(name, known)}, accepted: {shown}"
        raise click.UsageError(msg)
    return name


def _nothing_drawn(run_id: str, *, is_done: bool) -> RunError:
    """Say what can be done about a run without drafts: those that were refused are not bought again."""
    return RunError(
        where=f"run {run_id}",
        what="got no draft" if is_done else "has no drafts yet",
        accepted="a run with pictures",
        money="Nothing was spent.",
        next_step=f"See why: runoff report {run_id}"
        if is_done
        else f"Make them: runoff run --resume {run_id}",
    )
