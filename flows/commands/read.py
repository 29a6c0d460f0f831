"""Commands that only look and decide: plan, report, rescore. They spend nothing and need no Prefect."""

from dataclasses import asdict
from math import inf
from pathlib import Path

import click

from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
)


def _weights(context: click.Context, option: click.Parameter, words: tuple[str, ...]) -> dict[str, float]:
    """Take words such as judge=3 apart."""
    weights = {}
    for word in words:
        scorer, _, number = word.partition("=")
        try:
            weights[scorer] = float(number)
        except ValueError:
            weights[scorer] = -1.0
        if not scorer or not 0 <= weights[scorer] < inf:
            what = (
                f"{word!r} is no weight: accepted is a scorer's name, = and a number of 0 or more, as judge=3"
            )
            raise click.BadParameter(what, context, option)
    return weights


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@json_option
def plan(file: Path, *, home: Path | None, as_json: bool) -> None:
    """Show what a campaign would order, for how much, and how long it takes. Spends nothing.

    Where the campaign has masks, what they will change is drawn into a picture below the home.
    """
    from flows.commands.plan_tables import plan_renderable
    from flows.session.mask_preview import preview_masks
    from flows.session.prepare import prepare
    from tasks.storage.home import home_folder

    prepared = prepare(file, home_folder(home), "plan")
    preview = preview_masks(prepared)
    if as_json:
        extra = {"ledger_per_month_usd": prepared.ledger_per_month_usd, "mask_preview": preview}
        answer_json({**prepared.plan.as_dict(), **extra})
        return
    console = open_console()
    console.print(plan_renderable(prepared.plan, prepared.ledger_per_month_usd))
    if preview is not None:
        click.echo(f"What the masks will change: {preview}")
    console.print(f"Nothing was bought. Buy it with: runoff run {file}", markup=False)


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(("html", "csv", "parquet", "json", "xlsx")),
    help="Write this one only, as report.FORMAT; may be given more than once. xlsx needs runoff[xlsx].",
)
@home_option
@json_option
def report(run: str, *, formats: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Write a run's report again, from the ledger. Spends nothing."""
    from flows.run_report import write_run_formats, write_run_report
    from flows.runs.run import StoredRun
    from tasks.storage.home import home_folder

    folder = home_folder(home)
    if formats:
        with opened_ledger(folder) as opened:
            paths = write_run_formats(StoredRun.find(folder, opened, run), formats)
        if as_json:
            answer_json(paths)
        else:
            click.echo("\n".join(map(str, paths.values())))
        return
    with opened_ledger(folder) as opened:
        written = write_run_report(StoredRun.find(folder, opened, run))
    files = written.files
    if as_json:
        answer_json({**asdict(files), "calibration": written.facts.calibration})
    else:
        click.echo(
            f"{written.verdict}\nReport  {files.html}\nTable   {files.csv}\nSheet   {files.contact_sheet}"
        )


@click.command()
@click.argument("run", default="latest")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    callback=_weights,
    metavar="SCORER=WEIGHT",
    help="Weigh the scorers so, instead of as the campaign does; once for each scorer.",
)
@home_option
@json_option
def rescore(
    run: str, file: Path | None, *, weights: dict[str, float], home: Path | None, as_json: bool
) -> None:
    """Decide about a run again by its campaign.yaml, or by the rules of FILE. Spends nothing.

    FILE is a campaign file whose deduplicate, score and finalists sections replace the run's own.
    """
    from flows.commands.tables import outcome_renderable, where_to_look
    from flows.rescore import rescore as decide_again
    from tasks.storage.home import home_folder

    folder = home_folder(home)
    with opened_ledger(folder) as opened:
        outcome = decide_again(folder, opened, run, file, weights)
    if as_json:
        answer_json(outcome)
        return
    open_console().print(outcome_renderable(outcome))
    click.echo("\n".join(where_to_look(outcome)))
