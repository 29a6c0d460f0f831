"""The command ``judge``: whether a run's judge is right, by what people answered, and asking it again."""

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
    yes_option,
)

if TYPE_CHECKING:
    from tasks.judging.judge_check import CheckedStatement, JudgeCheck


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option(
    "--ask-again",
    "n_again",
    type=click.IntRange(1, 200),
    metavar="N",
    help="Ask the judge about N pictures once more, to see how often it changes its mind. Spends money.",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what people answered to this CSV.",
)
@yes_option
@home_option
@json_option
def judge(
    run: str, *, n_again: int | None, export: Path | None, yes: bool, home: Path | None, as_json: bool
) -> None:
    """Say whether the judge of RUN is right, statement by statement.

    People answer the same statements as the judge on the page Statements of runoff review, without seeing
    what it said. Statements that it cannot see are named, with a proposal. Spends nothing, but for
    --ask-again, whose price is shown first.
    """
    from flows.evaluation.judge_check import check_run, exported_answers
    from flows.runs.run import StoredRun

    settings = read_settings(home)
    if n_again is not None:
        from flows.commands.judge_again import ask_again

        ask_again(settings, run, n_again, open_console(as_json=as_json), yes=yes)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        drafts = stored.read_candidates("draft")
        checked = check_run(stored, drafts)
        answers = exported_answers(checked.people, drafts, checked.judged)
    if export is not None:
        _export(export, answers)
    if as_json:
        answer_json({"run_id": stored.run_id, **checked.check.as_dict()})
        return
    click.echo("\n".join(_lines(checked.check, stored.run_id)))


def _export(file: Path, answers: list[dict[str, Any]]) -> None:
    from tasks.report_page.columns import PEOPLE_COLUMNS
    from tasks.report_page.table import write_csv
    from tasks.storage.atomic import write_atomically

    write_atomically(file.absolute(), write_csv(PEOPLE_COLUMNS, answers))


def _lines(check: "JudgeCheck", run_id: str) -> list[str]:
    from tasks.money import count_of

    if not check.statements:
        return ["The judge has answered about none of this run's pictures."]
    lines = [line for one in check.statements for line in _statement_lines(one)]
    if not check.answers:
        return [*lines, f"Nobody has answered yet. Answer with: runoff review {run_id}"]
    people = f"{check.people} people" if check.people != 1 else "1 person"
    agree = "" if check.people_agree is None else f" They agree with one another in {check.people_agree:.0%}."
    return [*lines, f"{count_of(check.answers, 'answer')} by {people}.{agree}"]


def _statement_lines(one: "CheckedStatement") -> list[str]:
    lines = [f"{one.finding}: {one.template}"]
    if one.pictures:
        kappa = (
            "the judge always said the same"
            if one.kappa is None
            else f"agreement beyond chance {one.kappa:.2f} ({one.kappa_low:.2f} to {one.kappa_high:.2f})"
        )
        lines.append(
            f"  right about {one.both_yes + one.both_no} of {one.pictures}"
            f" ({one.low:.0%} to {one.high:.0%}), {kappa}"
        )
        lines.append(f"  overlooked {one.only_judge} that fail, failed {one.only_people} that are right")
    if one.noise is not None:
        lines.append(f"  asked again about {one.asked_again}, it answered otherwise in {one.noise:.0%}")
    return [*lines, f"  {one.reason}"] if one.proposal else lines
