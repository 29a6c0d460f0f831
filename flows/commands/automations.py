"""The command ``automations``: what keeps a team's runs going where a machine dies, on Prefect's server."""

from pathlib import Path

import click

DATA = Path(__file__).resolve().parents[2] / "configs"


@click.command()
def automations() -> None:
    """Create the automations that a team needs, or bring them up to date. Buys nothing.

    One finds flow runs whose machine died, the other has their campaigns resume them. Uses the Prefect server
    at PREFECT_API_URL; given again, it changes what is there.
    """
    from flows.deployments import require_server
    from flows.prefect_ui.automations import create_automations

    server = require_server()
    for name, is_new in create_automations(DATA / "automations.yaml", server):
        click.echo(f"{name}: {'created' if is_new else 'up to date'}.")
