"""The command that stops a run's batches at the provider. It buys nothing and needs no Prefect."""

from pathlib import Path

import click

from flows.commands.options import answer_json, home_option, json_option, opened_ledger, read_settings


@click.command()
@click.argument("run", default="latest")
@home_option
@json_option
def cancel(run: str, *, home: Path | None, as_json: bool) -> None:
    """Ask the provider to stop a run's batches. What is done by then is paid for and can be collected."""
    from flows.session.cancelling import cancel as stop

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        run_id = opened.runs.find(run).run_id
    cancelled = stop(settings, run_id)
    if as_json:
        answer_json(cancelled)
    else:
        click.echo(cancelled.sentence)
