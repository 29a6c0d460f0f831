"""The command ``runoff doctor``, which checks that this machine is ready for a run."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from textwrap import TextWrapper
from typing import TYPE_CHECKING

import click

from flows.commands import completing
from flows.commands.options import answer_json, home_option, json_option, open_console, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from tasks.campaign import Campaign
    from tasks.diagnostics.finding import Finding, State
    from tasks.images_api.models_endpoint import ModelsAnswer
    from tasks.images_api.terms import Terms
    from tasks.settings import Settings

DEFAULT_PROVIDER = "openai"
WIDTH = 80
MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=completing.providers,
    help="Check this provider [default: the campaign's, or openai].",
)
@click.option(
    "--buy-one",
    "buys",
    is_flag=True,
    help="Also buy one picture of --provider, the cheapest that it sells, after saying its price.",
)
@click.option(
    "--model", metavar="MODEL", shell_complete=completing.models, help="With --buy-one: of this model."
)
@click.option("--yes", is_flag=True, help="With --buy-one: do not ask.")
@home_option
@json_option
def doctor(
    file: Path | None,
    *,
    provider: str | None,
    buys: bool,
    model: str | None,
    yes: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Check that everything is ready for a run.

    Checks versions, key, provider, models, prices, ledger, disk and Prefect. Spends nothing and starts
    nothing, but for one picture with --buy-one, which shows how a new provider answers and bills. With a
    campaign FILE, checks that campaign's providers and models. Exits with 1 if anything would make a run
    fail.
    """
    if buys and provider is None:
        message = "--buy-one goes with --provider."
        raise click.UsageError(message)
    settings = read_settings(home)
    findings = list(_findings(file, provider, settings))
    if buys and provider is not None:
        findings += _bought(provider, model, settings, is_agreed=yes, as_json=as_json)
    n_faults = sum(finding.state == "fault" for finding in findings)
    n_warnings = sum(finding.state == "warning" for finding in findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        answer_json({"findings": found, "faults": n_faults, "warnings": n_warnings})
    else:
        _show(findings, n_faults, n_warnings, open_console())
    if n_faults:
        sys.exit(1)


def _bought(
    name: str, model: str | None, settings: "Settings", *, is_agreed: bool, as_json: bool
) -> "Iterator[Finding]":
    """Buy one picture, if somebody agrees to its price, and judge what came."""
    import asyncio
    from datetime import UTC, datetime

    from flows.session.one_picture import buy_one, prepare_one
    from tasks.catalogue import load_catalogue
    from tasks.catalogue.providers import load_providers
    from tasks.diagnostics.conformance import check_purchase
    from tasks.diagnostics.finding import Finding
    from tasks.errors import RunoffError
    from tasks.ledger.runs import new_run_id
    from tasks.money import format_usd

    try:
        catalogue = load_catalogue(settings.home, settings.environ)
        provider = load_providers(settings.home, settings.environ).provider(name)
        prepared = prepare_one(settings, catalogue, provider, model, new_run_id(datetime.now(UTC)))
        (order,) = prepared.plan.orders
        asked = order.parameters
        click.echo(
            f"One picture of {asked['model']}, {asked['quality']} {asked['size']}, at {name}: at most "
            f"{format_usd(order.estimate_usd)}.",
            err=as_json,
        )
        if not is_agreed and not (sys.stdin.isatty() and click.confirm("Buy it?", err=as_json)):
            yield Finding("picture", "warning", "none was bought", "Agree to its price, or use --yes.")
            return
        bought = asyncio.run(buy_one(prepared))
    except RunoffError as error:
        yield Finding.of("picture", error)
        return
    yield from check_purchase(provider, bought.record, bought.candidates, bought.stop, bought.stated_usd)


def _findings(file: Path | None, named: str | None, settings: "Settings") -> "Iterator[Finding]":
    from flows.engine.presence import check_engine
    from tasks.diagnostics.finding import Finding
    from tasks.diagnostics.ledger import check_ledger
    from tasks.diagnostics.machine import check_home, check_store, check_versions
    from tasks.diagnostics.memory import check_memory
    from tasks.errors import RunoffError

    home = settings.home
    yield from check_versions()
    yield from check_memory()
    yield from check_engine(home)
    yield from check_home(home)
    yield from check_store(home)
    yield from check_ledger(home, settings.environ)
    try:
        yield from _provider_findings(file, named, settings)
    except RunoffError as error:
        yield Finding.of("campaign" if file else "settings", error)


def _provider_findings(file: Path | None, named: str | None, settings: "Settings") -> "Iterator[Finding]":
    from tasks.campaign.cheapest import with_cheapest
    from tasks.campaign_file.load import load_campaign
    from tasks.catalogue import load_catalogue
    from tasks.catalogue.providers import load_providers
    from tasks.diagnostics.finding import Finding
    from tasks.images_api.terms import Terms

    catalogue = load_catalogue(settings.home, settings.environ)
    providers = load_providers(settings.home, settings.environ)
    campaign = None if file is None else load_campaign(file, catalogue=catalogue, providers=providers)
    if file is not None and campaign is not None:
        yield Finding("campaign", "ok", f"{file} is valid")
    if campaign is not None:
        seller = providers.provider(named or campaign.provider)
        campaign, _ = with_cheapest(campaign, catalogue, seller, settings.today, providers)
    names = (named,) if named else campaign.sellers if campaign else (DEFAULT_PROVIDER,)
    for name in names:
        terms = Terms(providers.provider(name), catalogue, settings.environ)
        yield from _seller_findings(campaign, terms, settings, is_named=named is not None)


def _seller_findings(
    campaign: "Campaign | None", terms: "Terms", settings: "Settings", *, is_named: bool
) -> "Iterator[Finding]":
    """Check one provider, and the models that a campaign buys there."""
    from tasks.diagnostics.finding import Finding
    from tasks.diagnostics.machine import check_clock
    from tasks.diagnostics.provider import (
        ask,
        check_abilities,
        check_address,
        check_answer,
        check_key,
        check_network,
    )

    # Nobody asked for this provider; without its key the emulator still works.
    missing: State = "fault" if is_named or campaign else "warning"
    yield Finding("provider", "ok", terms.provider.name)
    yield check_abilities(terms)
    yield check_key(terms, missing)
    yield check_address(terms)
    if not any(finding.state == "fault" for finding in (check_key(terms, "fault"), check_address(terms))):
        yield check_network(terms)
    answer = ask(terms)
    yield from check_answer(terms, answer)
    yield from check_clock(None if answer is None else answer.clock_ahead_s, settings.environ)
    yield from _model_findings(campaign, terms, answer, settings.today, is_named=is_named)


def _model_findings(
    campaign: "Campaign | None", terms: "Terms", answer: "ModelsAnswer | None", today: date, *, is_named: bool
) -> "Iterator[Finding]":
    from tasks.campaign.succession import models_of, models_with_successors
    from tasks.diagnostics.models import check_catalogue, check_model

    if campaign is None:
        yield from check_catalogue(list(terms.catalogue.models.values()), terms.provider, answer, today)
        return
    succeeded = models_with_successors(campaign)
    for model_id in models_of(campaign, None if is_named else terms.provider.name):
        yield from check_model(
            model_id,
            terms.catalogue,
            terms.provider,
            answer,
            today,
            has_successor=model_id in succeeded,
        )


def _show(findings: "Sequence[Finding]", n_faults: int, n_warnings: int, console: "Console") -> None:
    from rich.text import Text

    indent = 5 + max(len(finding.subject) for finding in findings)
    subject = ""
    for finding in findings:
        mark, style = MARKS[finding.state]
        named = "" if finding.subject == subject else finding.subject
        first, *others = _lines(finding, min(WIDTH, console.width) - indent)
        head = Text.assemble((f"{mark} ", style), (f" {named:<{indent - 3}}", "bold"), first)
        console.print(head, soft_wrap=True)
        for line in others:
            console.print(Text(" " * indent + line, style), soft_wrap=True)
        subject = finding.subject
    console.print(f"\n{_verdict(n_faults, n_warnings)}", markup=False)


def _lines(finding: "Finding", width: int) -> list[str]:
    """Break a finding into lines; never inside an address, path or command, so that they can be copied."""
    breaking = TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    lines = breaking.wrap(finding.what)
    breaking.initial_indent, breaking.subsequent_indent = "→ ", "  "
    return [*lines, *breaking.wrap(finding.way_out)]


def _verdict(n_faults: int, n_warnings: int) -> str:
    counts = [(n_faults, "error"), (n_warnings, "warning")]
    found = [f"{count} {noun}" if count == 1 else f"{count} {noun}s" for count, noun in counts if count]
    return f"{' and '.join(found)}." if found else "Everything is ready."
