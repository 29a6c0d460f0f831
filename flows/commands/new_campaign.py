"""What ``runoff init`` does: asks, writes the campaign file and its schema, and sets a budget by its plan."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import click

from tasks.campaign.campaign import NAME_PATTERN
from tasks.campaign.choice import JUDGING_MODEL
from tasks.campaign.schema import campaign_schema
from tasks.campaign_file.load import load_campaign
from tasks.campaign_file.row_values import RowsFaultError
from tasks.catalogue import Catalogue, configs_folder, load_catalogue
from tasks.catalogue.model import Model
from tasks.catalogue.providers import Provider, Providers, load_providers
from tasks.errors import CampaignError, CatalogueError, SettingError
from tasks.money import count_of, format_usd
from tasks.new_campaign.collected import AGAIN, Collected, arm_name
from tasks.new_campaign.prompt_files import collect_csv, collect_lines
from tasks.new_campaign.promptfoo import collect_promptfoo
from tasks.new_campaign.templates import Template, load_templates
from tasks.new_campaign.written import Wishes, write_campaign
from tasks.plan import Plan, plan
from tasks.settings import Settings
from tasks.storage.atomic import write_atomically

SCHEMA_FILE = "campaign.schema.json"
FINALS_MODELS = ("gpt-image-2.6-sunburst", "gpt-image-2.5-sunburst", "gpt-image-2", "gpt-image-1.5")
"""Models for finals, the best first; the first that a provider sells is written."""
UNLIMITED_USD = "1000000"
TABLES, CONFIGURATIONS = (".csv", ".tsv"), (".yaml", ".yml", ".json")
EMULATOR = "emulator"


@dataclass(frozen=True)
class Given:
    """What somebody gave as options, or answered; ``None`` or empty where they left it open."""

    name: str | None = None
    template: str | None = None
    source: Path | None = None
    subjects: Sequence[str] = ()
    styles: Sequence[str] = ()
    picture: str = ""
    provider: str | None = None
    per_run_usd: float | None = None
    has_judge: bool = True


@dataclass(frozen=True)
class Created:
    """What was written: the campaign, every file, and sentences for people, the next step last."""

    campaign: str
    files: Sequence[str]
    not_taken: Sequence[str]
    lines: Sequence[str]


@dataclass(frozen=True)
class _Market:
    """Who sells what, today."""

    settings: Settings
    catalogue: Catalogue
    providers: Providers

    @classmethod
    def of(cls, settings: Settings) -> "_Market":
        home, environ = settings.home, settings.environ
        return cls(settings, load_catalogue(home, environ), load_providers(home, environ))

    def sells(self, provider: Provider, model_id: str) -> bool:
        """Return whether a model can be bought today."""
        try:
            model: Model = self.catalogue.model(model_id)
            provider.prices_of(model)
        except CatalogueError:
            return False
        lasts = model.lifecycle(self.settings.today).state == "active"
        return lasts and (model.capabilities is not None or model.kind == "text")

    def usual_provider(self) -> tuple[str, str]:
        """Return the provider to begin with, and why: the first whose key is set, else the emulator."""
        for provider in self.providers.by_name.values():
            if provider.key_variable and self.settings.environ.get(provider.key_variable, "").strip():
                return provider.name, f"{provider.key_variable} is set"
        return EMULATOR, "no key is set: it paints on this machine, for play money"


def ask(given: Given, settings: Settings) -> Given:
    """Ask at a terminal; each question has an answer to accept."""
    market, templates = _Market.of(settings), load_templates()
    for name, template in templates.items():
        click.echo(f"  {name:<9} {template.about}")
    name = click.prompt("What kind of pictures", default="portrait", type=click.Choice(list(templates)))
    template = templates[name]
    subjects = _several("What they show, separated by ;", template.subjects)
    styles = _several("In which styles, separated by ;", [f"{k}={v}" for k, v in template.styles.items()])
    known = list(market.providers.by_name)
    provider = click.prompt("Which provider", default=market.usual_provider()[0], type=click.Choice(known))
    usd = click.prompt("The most that a run may spend, in US dollars; 0 for what it needs", 0.0, type=float)
    judge = click.confirm("Let a vision model judge the drafts too", default=True)
    return replace(
        given,
        template=name,
        subjects=subjects,
        styles=styles,
        provider=provider,
        per_run_usd=usd or None,
        has_judge=judge,
    )


def _several(question: str, usual: Sequence[str]) -> Sequence[str]:
    answer = click.prompt(question, default="; ".join(usual))
    return [part.strip() for part in answer.split(";") if part.strip()]


def create(given: Given, settings: Settings, folder: Path, *, replaces: bool = False) -> Created:
    """Write the campaign file, its schema, and the picture that its template sends.

    Args:
        given: What somebody wants.
        settings: The home and the environment.
        folder: Where to write.
        replaces: Whether a file of that name is replaced.

    Raises:
        SettingError: A file of that name is there, or there is no such provider.
        CampaignError: The source has nothing to take, or what was written needs an edit; it stays.
    """
    market = _Market.of(settings)
    usual, why = market.usual_provider()
    provider = market.providers.provider(given.provider or usual)
    template = load_templates()[given.template or ("product" if given.source else "portrait")]
    collected = _collect(given.source, folder, market, provider) if given.source else Collected()
    name = _campaign_name(given)
    file = folder / f"{name}.yaml"
    if file.exists() and not replaces:
        raise SettingError(
            where=str(file.name),
            what="is there already",
            next_step=f"Give another name, or replace it: runoff init {name} --force",
        )
    judge, lines = _judge(given, market, provider)
    wishes = Wishes(
        name=name,
        provider=provider.name,
        per_run_usd=UNLIMITED_USD if given.per_run_usd is None else f"{given.per_run_usd:.2f}",
        finals_model=next((each for each in FINALS_MODELS if market.sells(provider, each)), FINALS_MODELS[0]),
        subjects=given.subjects,
        styles=given.styles,
        judge=judge,
        picture=given.picture,
    )
    files = _write_beside(folder, template, given)
    schema = files[0]
    text = write_campaign(template, wishes, collected, schema=schema, file=file.name)
    write_atomically(file, text.encode())
    planned = _planned(file, market)
    if given.per_run_usd is None:
        text = text.replace(UNLIMITED_USD, f"{_budget(planned.high_usd)}.00", 1)
        write_atomically(file, text.encode())
    if given.provider is None:
        lines = [f"Provider: {provider.name}, because {why}.", *lines]
    return Created(
        campaign=file.name,
        files=[file.name, *(name for name in files if (folder / name).parent == folder)],
        not_taken=collected.not_taken,
        lines=[_headline(file, planned), *collected.not_taken, *lines, f"Next: runoff plan {file.name}"],
    )


def _campaign_name(given: Given) -> str:
    if given.name is None:
        return _name_of(given.source) if given.source else given.template or "portrait"
    name = given.name.removesuffix(".yaml").removesuffix(".yml")
    if not re.fullmatch(NAME_PATTERN, name):
        raise SettingError(
            where="NAME",
            what=f"{given.name!r} is no campaign's name",
            accepted="lower-case letters, digits and hyphens, at most 64, such as summer-ad",
        )
    return name


def _name_of(source: Path) -> str:
    """Name a campaign after its source; a configuration keeps its own file."""
    stem = arm_name(source.stem, [])
    return f"{stem}-campaign" if source.suffix.lower() in CONFIGURATIONS else stem


def _collect(source: Path, folder: Path, market: _Market, provider: Provider) -> Collected:
    try:
        if source.suffix.lower() in TABLES:
            return collect_csv(source, folder)
        if source.suffix.lower() in CONFIGURATIONS:
            return collect_promptfoo(source, lambda model_id: market.sells(provider, model_id))
        return collect_lines(source)
    except RowsFaultError as error:
        raise CampaignError(str(source), [str(error)], AGAIN) from error
    except OSError as error:
        raise SettingError(
            where=str(source),
            what=f"cannot be read ({error.strerror or error})",
            accepted="a promptfoo configuration (.yaml, .json), a .csv, or a text file with a prompt a line",
        ) from error


def _judge(given: Given, market: _Market, provider: Provider) -> tuple[str, list[str]]:
    """Return the judging model, empty for none, and what to tell about it."""
    if not given.has_judge:
        return "", []
    if market.sells(provider, JUDGING_MODEL):
        return JUDGING_MODEL, []
    return "", [f"Without a judge: {provider.name} has no price for {JUDGING_MODEL}."]


def _write_beside(folder: Path, template: Template, given: Given) -> list[str]:
    """Write the schema, unless the folder above has it, and the template's picture; return their paths."""
    text = campaign_schema()
    above = folder.parent / SCHEMA_FILE
    if above.is_file() and above.read_text(encoding="utf-8") == text:
        schema = f"../{SCHEMA_FILE}"
    else:
        write_atomically(folder / SCHEMA_FILE, text.encode())
        schema = SCHEMA_FILE
    if not template.picture or given.picture:
        return [schema]
    if not (folder / template.picture).exists():
        sample = configs_folder() / "campaigns" / "products" / template.picture
        write_atomically(folder / template.picture, sample.read_bytes())
    return [schema, template.picture]


def _planned(file: Path, market: _Market) -> Plan:
    try:
        campaign = load_campaign(file, market.catalogue, market.providers)
        return plan(campaign, market.catalogue, market.providers, "plan", market.settings.today)
    except CampaignError as error:
        next_step = f"The file is written and needs an edit; then check it: runoff plan {file.name}"
        raise CampaignError(file.name, error.faults, next_step) from error


def _budget(high_usd: Decimal) -> int:
    """Round the most that a run can cost up to whole dollars: large sums to two digits."""
    whole = max(1, math.ceil(high_usd))
    step = int("1" + "0" * max(0, len(str(whole)) - 2))
    return -(-whole // step) * step


def _headline(file: Path, planned: Plan) -> str:
    campaign = planned.campaign
    size = (
        f"{count_of(len(campaign.arms), 'arm')} × {count_of(campaign.n_rows, 'row')}"
        f" × {campaign.drafts.per_prompt} drafts"
    )
    play = " of play money" if campaign.provider == EMULATOR else ""
    low, high = format_usd(planned.low_usd), format_usd(planned.high_usd)
    return f"Wrote {file.name}: {size} at {campaign.provider}, {low} to {high}{play} a run."
