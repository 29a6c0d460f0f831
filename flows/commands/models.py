"""The command ``runoff models``, which shows the catalogue or one model, and adds models to one's own."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from flows.commands import completing
from flows.commands.options import F, answer_json, home_option, json_option, open_console, read_settings

DEFAULT_PROVIDER = "openai"
WIDTH = 80


class _Models(click.Group):
    """A group whose first word may be a model: ``runoff models MODEL`` shows it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show, unless a subcommand or its help is asked for."""
        return super().parse_args(ctx, args if args[:1] == ["--help"] else self._with_subcommand(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first word that is no subcommand for a model."""
        return super().resolve_command(ctx, self._with_subcommand(args))

    def _with_subcommand(self, args: list[str]) -> list[str]:
        return args if args and args[0] in self.commands else ["show", *args]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer models beside the subcommands."""
        names = completing.models(ctx, click.Argument(["model"]), incomplete)
        return [*super().shell_complete(ctx, incomplete), *map(CompletionItem, names)]


@click.group(cls=_Models)
def models() -> None:
    """List models and prices, show one, or add one of your own."""


@models.command()
@click.argument("model", required=False, shell_complete=completing.models)
@click.option(
    "--provider",
    "seller",
    metavar="NAME",
    shell_complete=completing.providers,
    help=f"Show this provider's prices [default: who sells MODEL, or {DEFAULT_PROVIDER}].",
)
@home_option
@json_option
def show(model: str | None, *, seller: str | None, home: Path | None, as_json: bool) -> None:
    """List models and prices, or show the details of one MODEL.

    Your own RUNOFF_HOME/catalogue.yaml adds or replaces models and prices.
    """
    from flows.commands.model_tables import facts_of, model_facts, model_page, models_table
    from tasks.catalogue import load_catalogue
    from tasks.catalogue.providers import load_providers

    settings = read_settings(home)
    catalogue = load_catalogue(settings.home, settings.environ)
    asked = None if model is None else catalogue.model(model)
    seller = seller or (asked.sold_at[0] if asked and asked.sold_at else DEFAULT_PROVIDER)
    provider = load_providers(settings.home, settings.environ).provider(seller)
    console = open_console()
    if asked is not None:
        facts = facts_of(asked, provider, settings.today)
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


def _seller_option(told: str) -> Callable[[F], F]:
    return click.option(
        "--provider",
        "seller",
        required=True,
        metavar="NAME",
        shell_complete=completing.providers,
        help=told,
    )


@models.command()
@click.argument("model")
@_seller_option("The provider that sells it.")
@click.option("--per-picture", metavar="USD", help="What each picture costs, if all cost the same.")
@click.option(
    "--price",
    "by_kind",
    multiple=True,
    metavar="KEY=USD",
    help="A price by quality or size, or QUALITY/SIZE; repeatable.",
)
@click.option("--per-megapixel", metavar="USD", help="What each million pixels costs.")
@click.option("--per-request", metavar="USD", help="What each request costs, whatever comes.")
@click.option("--per-reference", metavar="USD", help="What each picture costs that is sent along.")
@click.option("--size", "sizes", multiple=True, metavar="WxH", help="A size that it makes; repeatable.")
@click.option("--quality", "qualities", multiple=True, help="A quality that it knows; repeatable.")
@click.option("--format", "formats", multiple=True, help="A format that it makes; png if not given.")
@click.option("--edits", is_flag=True, help="It takes pictures along.")
@click.option("--drop", multiple=True, metavar="FIELD", help="A field that it does not know; repeatable.")
@click.option("--send", multiple=True, metavar="FIELD=JSON", help="A field that is always sent; repeatable.")
@click.option("--source", help="The page that the price is from.")
@click.option("--as-of", "as_of", metavar="DATE", help="The day for which it holds: YYYY-MM-DD [today].")
@click.option("--yes", is_flag=True, help="Write it without asking.")
@home_option
def add(**given: Any) -> None:  # noqa: ANN401 - the options above
    """Add MODEL, as its seller calls it, to RUNOFF_HOME/catalogue.yaml.

    What it costs, the sizes that it makes and the page with its price are asked for where they are not given.
    What is to be written is shown first.
    """
    from flows.commands.added_model import ask_for_missing, block_of, write_block
    from tasks.catalogue.providers import load_providers

    settings = read_settings(given.pop("home"))
    is_agreed = given.pop("yes")
    load_providers(settings.home, settings.environ).provider(given["seller"])
    block = block_of(ask_for_missing(given, settings.today))
    click.echo(block)
    if not is_agreed and not (sys.stdin.isatty() and click.confirm("Write this?", default=True)):
        click.echo("Nothing was written. Write it with --yes.")
        return
    file = write_block(settings, given["model"], block)
    click.echo(f"Wrote {file}. See: runoff models {given['model']} --provider {given['seller']}")


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@_seller_option("The provider whose price list is read.")
@click.option(
    "--list",
    "kind",
    type=click.Choice(["openrouter", "litellm", "new-api"]),
    help="Which kind of list it has [openrouter for a provider of that kind, else new-api].",
)
@click.option("--group", default="default", show_default=True, help="Your account's group, at new-api.")
@click.option("--yes", is_flag=True, help="Take the prices without asking.")
@home_option
@json_option
def pull(
    names: tuple[str, ...],
    *,
    seller: str,
    kind: Any,  # noqa: ANN401 - one of the choices
    group: str,
    yes: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Draw prices from a seller's own list: of MODEL, or of all that it is known to sell.

    What differs is shown before it is taken. Nothing is bought.
    """
    from flows.commands.pulled_prices import differences, models_sold, write_pulled
    from tasks.catalogue import load_catalogue
    from tasks.catalogue.providers import load_providers
    from tasks.images_api.price_lists import read_price_list
    from tasks.images_api.terms import Terms

    settings = read_settings(home)
    catalogue = load_catalogue(settings.home, settings.environ)
    provider = load_providers(settings.home, settings.environ).provider(seller)
    terms = Terms(provider, catalogue, settings.environ)
    kind = kind or ("openrouter" if provider.kind == "openrouter" else "new-api")
    found = read_price_list(terms, names or models_sold(catalogue, provider), kind, group)
    changed = differences(found, catalogue, provider)
    if as_json:
        answer_json(
            {"source": found.source, "changed": [asdict(one) for one in changed], "unread": found.unread}
        )
    else:
        for one in changed:
            click.echo(f"{one.model}: {one.before or 'no price'} → {one.after}")
        for name, reason in found.unread.items():
            click.echo(f"{name}: not taken, {reason}")
        if not changed:
            click.echo(f"No price differs from {found.source}.")
    asked = changed and not yes and sys.stdin.isatty() and click.confirm("Take these prices?", err=as_json)
    if changed and (yes or asked):
        click.echo(f"Wrote {write_pulled(settings, provider, found, settings.today)}", err=as_json)
    elif changed:
        click.echo("Nothing was written. Take them with --yes.", err=as_json)
