"""Commands that only look and decide: plan, report, rescore. They spend nothing and need no Prefect."""

from pathlib import Path

import click

from flows.commands.options import (
    answer_json,
    home_option,
    json_option,
    open_console,
    opened_ledger,
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@json_option
def plan(file: Path, *, home: Path | None, as_json: bool) -> None:
    """Show what a campaign would order, for how much, and how long it takes. Spends nothing."""
    from flows.mask_preview import preview_masks
    from flows.open_run import prepare
    from tasks.home import home_folder
    from tasks.plan_text import plan_renderable

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
    from tasks.home import home_folder

    folder = home_folder(home)
    if formats:
        with opened_ledger(folder) as opened:
            paths = write_run_formats(folder, opened.runs.find(run), opened, formats)
        if as_json:
            answer_json(paths)
        else:
            click.echo("\n".join(map(str, paths.values())))
        return
    with opened_ledger(folder) as opened:
        files = write_run_report(folder, opened.runs.find(run), opened).files
    if as_json:
        answer_json(files)
    else:
        click.echo(f"Report  {files.html}\nTable   {files.csv}\nSheet   {files.contact_sheet}")


@click.command()
@click.argument("run", default="latest")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@home_option
@json_option
def rescore(run: str, file: Path | None, *, home: Path | None, as_json: bool) -> None:
    """Decide about a run again by its campaign.yaml, or by the rules of FILE. Spends nothing.

    FILE is a campaign file whose deduplicate, score and finalists sections replace the run's own.
    """
    from flows.commands.tables import outcome_renderable, where_to_look
    from flows.rescore import rescore as decide_again
    from tasks.home import home_folder

    folder = home_folder(home)
    with opened_ledger(folder) as opened:
        outcome = decide_again(folder, opened, run, file)
    if as_json:
        answer_json(outcome)
        return
    open_console().print(outcome_renderable(outcome.__dict__))
    click.echo("\n".join(where_to_look(outcome.__dict__)))
