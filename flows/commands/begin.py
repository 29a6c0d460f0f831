"""The commands ``init`` and ``schema``: a campaign of one's own. They spend nothing and need no Prefect."""

import sys
from pathlib import Path

import click

from flows.commands import completing
from flows.commands.options import answer_json, home_option, json_option, read_settings

TEMPLATES = ("portrait", "product", "ad", "edit", "judged")


@click.command()
@click.argument("name", required=False)
@click.option("--template", type=click.Choice(TEMPLATES), help="What kind of pictures [default: portrait].")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take prompts and variables from a promptfoo configuration, a CSV, or a text file.",
)
@click.option(
    "--subject", "subjects", multiple=True, metavar="TEXT", help="What is in a picture; repeatable."
)
@click.option(
    "--arm",
    "styles",
    multiple=True,
    metavar="TEXT",
    help="A style to compare, such as 'night=by moonlight'; repeatable.",
)
@click.option("--picture", metavar="FILE", default="", help="A picture of yours to send with every draft.")
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=completing.providers,
    help="openai, cometapi, emulator or your own.",
)
@click.option("--budget", "per_run_usd", type=float, metavar="USD", help="The most that one run may spend.")
@click.option("--no-judge", is_flag=True, help="Choose without a vision model's opinion.")
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@home_option
@json_option
def init(
    *,
    name: str | None,
    template: str | None,
    source: Path | None,
    subjects: tuple[str, ...],
    styles: tuple[str, ...],
    picture: str,
    provider: str | None,
    per_run_usd: float | None,
    no_judge: bool,
    force: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Write a campaign file of your own, NAME.yaml, into this folder. Spends nothing.

    At a terminal it asks what, in which styles, where, and for how much money; with any option it asks
    nothing. Without --provider it takes openai if its key is set, else the emulator, which needs no key.
    """
    from flows.commands.new_campaign import Given, ask, create

    given = Given(
        name, template, source, subjects, styles, picture, provider, per_run_usd, has_judge=not no_judge
    )
    is_asking = sys.stdin.isatty() and not as_json and given == Given(name)
    settings = read_settings(home)
    created = create(ask(given, settings) if is_asking else given, settings, Path.cwd(), replaces=force)
    if as_json:
        answer_json(created)
    else:
        click.echo("\n".join(created.lines))


@click.command()
def schema() -> None:
    """Print the JSON schema of campaign files, by which editors check and complete them.

    `runoff init` writes it beside the campaign, as campaign.schema.json.
    """
    from tasks.campaign.schema import campaign_schema

    click.echo(campaign_schema(), nl=False)
