"""Tables for the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flows.commands.fitting_table import FittingTable
from tasks.money import count_of, format_usd

if TYPE_CHECKING:
    from flows.runs.mirrors import MirroredRun
    from flows.runs.outcome import MissedSlot, Outcome
    from flows.runs.pruning import PrunableRun


UNKNOWN_STEP = "Requests that may have been billed, and what to do about them: runoff ledger unknown"
MOST_NAMED = 5
"""How many rows without a finalist are named; the report names all."""


def new_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Begin a table for 80 columns; ``right`` names the columns of figures.

    Words are wrapped where there is no room; figures and the first column, which people type again, are not.
    """
    table = FittingTable()
    for column in columns:
        if column in (columns[0], *right):
            table.add_column(column, justify="right" if column in right else "left", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    return table


def runs_table(runs: "Sequence[Outcome | MissedSlot]") -> Table:
    """Draw the runs. ``skip_reasons`` explains the scheduled runs that did not start."""
    figures = ("drafts", "duplicates", "finals", "spent")
    table = new_table("run", "campaign", "state", *figures, right=figures)
    for run in runs:
        if run.run_id is None:
            table.add_row(_slot(run), run.campaign, run.state, style="dim")
            continue
        table.add_row(
            run.run_id,
            run.campaign,
            run.state,
            str(run.pictures),
            str(run.duplicates),
            f"{run.accepted}/{run.finals}" if run.finals else "–",
            format_usd(run.spent_usd),
        )
    return table


def skip_reasons(runs: "Sequence[Outcome | MissedSlot]") -> list[str]:
    """Describe why each scheduled run that did not start was skipped."""
    return [f"{_slot(run)}  {run.campaign}: {run.message}" for run in runs if run.run_id is None]


def next_steps(runs: "Sequence[Outcome | MissedSlot]") -> list[str]:
    """List what is to be done about runs: a line for each kind of step, with the newest run that needs it."""
    made = [run for run in runs if run.run_id is not None]
    steps = {
        "Look, vote and choose: runoff review {}": [run for run in made if run.state == "awaiting review"],
        "Resume it: runoff run --resume {}": [run for run in made if run.state in ("stopped", "waiting")],
        UNKNOWN_STEP: [run for run in made if run.orders.get("unknown")],
    }
    ends = [f"{run.run_id}: {run.decide}" for run in made if run.decide]
    return [*(step.format(found[0].run_id) for step, found in steps.items() if found), *ends]


def _slot(slot: "MissedSlot") -> str:
    return f"– {slot.due_at:%Y-%m-%d %H:%M}"


def prunable_table(runs: "Sequence[PrunableRun]") -> Table:
    """Draw what may be deleted: by run, and in total."""
    return _deletable_table("run", "drafts", [(run, run.n_pictures) for run in runs])


def mirrored_table(runs: "Sequence[MirroredRun]") -> Table:
    """Draw what may be deleted of this machine's mirror: by run, and in total."""
    return _deletable_table("mirror of run", "files here", [(run, run.n_files) for run in runs])


def _deletable_table(
    name: str, counted: str, runs: "Sequence[tuple[PrunableRun | MirroredRun, int]]"
) -> Table:
    figures = (counted, "MB")
    table = new_table(name, "campaign", *figures, right=figures)
    for run, count in runs:
        table.add_row(run.run_id, run.campaign, str(count), f"{run.n_bytes / 1e6:.1f}")
    table.add_section()
    n_bytes = sum(run.n_bytes for run, _ in runs)
    table.add_row("total", "", str(sum(count for _, count in runs)), f"{n_bytes / 1e6:.1f}")
    return table


def outcome_renderable(outcome: "Outcome") -> Group:
    """Draw the outcome of a run: the verdict, one line of figures, and the money."""
    head = Text.assemble((outcome.state, "bold"), f"  {outcome.campaign} · {outcome.run_id}")
    lines: list[RenderableType] = [
        Text(""),
        head,
        *([Text(outcome.verdict, "bold")] if outcome.verdict else []),
        Text(_figures(outcome)),
        Text(_money(outcome)),
        *[Text(line, style="yellow") for line in differing_lines(outcome.differing)],
        *[Text(line, style="yellow") for line in without_finalist_lines(outcome.without_finalist)],
    ]
    if outcome.message:
        lines.append(Text(outcome.message, style="yellow"))
    return Group(*lines)


def without_finalist_lines(without: Mapping[str, str]) -> list[str]:
    """Say which rows have no finalist and why, the first few by name.

    Args:
        without: Why each row, or other group, has none, by its name.
    """
    named = [f"No finalist in {name}: {reason}." for name, reason in list(without.items())[:MOST_NAMED]]
    rest = len(without) - len(named)
    return [*named, f"And {count_of(rest, 'more')} without a finalist: see the report."] if rest else named


def differing_lines(differing: Mapping[str, int]) -> list[str]:
    """Say in one line which pictures are not what was ordered, the most frequent differences by name.

    Args:
        differing: How many pictures differ, by what differs.
    """
    named = [f"{count_of(number, 'picture')} ({what})" for what, number in differing.items()][:MOST_NAMED]
    rest = sum(differing.values()) - sum(list(differing.values())[:MOST_NAMED])
    more = [f"{rest} more: see the report"] if rest else []
    return ["Not as ordered: " + ", ".join([*named, *more]) + "."] if named else []


def smoke_lines(outcome: "Outcome") -> list[str]:
    """List the pictures of a smoke test, one of each arm."""
    drafts = sorted((Path(outcome.folder) / "drafts").glob("*"))
    pictures = [str(path) for path in drafts if not path.name.startswith(".")]
    return ["", f"{count_of(len(pictures), 'picture')} of each arm's first row:", *pictures, ""]


def where_to_look(outcome: "Outcome") -> list[str]:
    """List the files and the commands that come next; never wrapped, so that they can be copied."""
    folder = Path(outcome.folder)
    lines = ["", f"Report  {folder / 'report.html'}", f"Sheet   {folder / 'contact_sheet.png'}"]
    if outcome.state == "awaiting review":
        lines.append(f"Look, vote and choose: runoff review {outcome.run_id}")
        lines.append(f"Or buy these finalists: runoff promote {outcome.run_id}")
        lines.append(f"Or none of them: runoff decline {outcome.run_id}")
        lines += [outcome.decide] if outcome.decide else []
    if outcome.orders.get("unknown"):
        lines.append(UNKNOWN_STEP)
    if outcome.state in ("stopped", "waiting", "cancelled"):
        lines.append(f"Resume it: runoff run --resume {outcome.run_id}")
    return lines


def _figures(outcome: "Outcome") -> str:
    parts = [
        count_of(outcome.pictures, "draft"),
        count_of(outcome.duplicates, "duplicate"),
        count_of(len(outcome.finalists), "finalist"),
    ]
    if outcome.finals:
        unjudged = f", {outcome.unjudged} unjudged" if outcome.unjudged else ""
        parts.append(f"{count_of(outcome.accepted, 'final')} accepted of {outcome.finals} bought{unjudged}")
    lost = {state: n for state, n in outcome.orders.items() if state != "received"}
    parts += [f"{count_of(n, 'request')} {state}" for state, n in sorted(lost.items())]
    return " · ".join(parts)


def _money(outcome: "Outcome") -> str:
    spent = f"Spent {format_usd(outcome.spent_usd)}"
    if outcome.unknown_usd:
        spent += f", of which {format_usd(outcome.unknown_usd)} is estimated"
    if outcome.all_high_usd is not None:
        spent += f"; all at high quality would have cost {format_usd(outcome.all_high_usd)}"
    return spent + "."
