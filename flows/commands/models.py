"""The command ``runoff models``, which shows the catalogue or one model."""

from pathlib import Path

import click

from flows.commands import completing
from flows.commands.options import answer_json, home_option, json_option, open_console, read_settings

DEFAULT_PROVIDER = "openai"
WIDTH = 80


@click.command()
@click.argument("model", required=False, shell_complete=completing.models)
@click.option(
    "--provider",
    "seller",
    default=DEFAULT_PROVIDER,
    show_default=True,
    metavar="NAME",
    shell_complete=completing.providers,
    help="Show this provider's prices.",
)
@home_option
@json_option
def models(model: str | None, *, seller: str, home: Path | None, as_json: bool) -> None:
    """List models and prices, or show the details of one MODEL.

    Your own RUNOFF_HOME/catalogue.yaml adds or replaces models and prices.
    """
    from flows.commands.model_tables import facts_of, model_facts, model_page, models_table
    from tasks.catalogue import load_catalogue
    from tasks.catalogue.providers import load_providers

    settings = read_settings(home)
    catalogue = load_catalogue(settings.home, settings.environ)
    provider = load_providers(settings.home, settings.environ).provider(seller)
    console = open_console()
    if model is not None:
        facts = facts_of(catalogue.model(model), provider, settings.today)
        if as_json:
            answer_json(facts)
        else:
            console.print(model_page(facts), width=min(WIDTH, console.width))
        return
    listed = model_facts(catalogue, provider, settings.today)
    if as_json:
        answer_json(listed)
    else:
        console.print(models_table(listed))
        click.echo("Details of a model, with prices by size and quality: runoff models MODEL")
