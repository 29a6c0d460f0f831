"""The command that stops a run's batches at the provider. It buys nothing and does not need Prefect."""

from pathlib import Path

import click

from flows.commands.options import answer_json, home_option, json_option, opened_ledger


@click.command()
@click.argument("run", default="latest")
@home_option
@json_option
def cancel(run: str, *, home: Path | None, as_json: bool) -> None:
    """Ask the provider to cancel a run's batches. What is finished by then is billed and can be collected."""
    from flows.session.cancelling import cancel as stop
    from tasks.storage.home import home_folder

    folder = home_folder(home)
    with opened_ledger(folder) as opened:
        run_id = opened.runs.find(run).run_id
    cancelled = stop(folder, run_id)
    if as_json:
        answer_json(cancelled)
    else:
        click.echo(cancelled.sentence)
