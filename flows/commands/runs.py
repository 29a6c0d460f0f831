"""The command ``runoff runs``: which runs were made, and which turns of a schedule made none."""

from pathlib import Path

import click

from flows.commands.options import answer_json, home_option, json_option, open_console, opened_ledger


@click.command()
@home_option
@json_option
def runs(*, home: Path | None, as_json: bool) -> None:
    """List the runs of the ledger, newest first, and the turns of a schedule that made none."""
    from flows.commands.tables import runs_table
    from flows.run_list import list_runs
    from tasks.home import home_folder
    from tasks.ledger import has_ledger

    folder = home_folder(home)
    listed = []
    if has_ledger(folder):
        with opened_ledger(folder) as opened:
            listed = list_runs(opened, folder)
    if as_json:
        answer_json(listed)
    elif listed:
        open_console().print(runs_table(listed))
    else:
        click.echo(f"No run has been made in {folder}. Begin with: runoff demo")
