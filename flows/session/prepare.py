"""Preparation of a run: its campaign is read, checked and planned before anything is written or spent.

``prepare`` only reads files; ``flows.session.asking`` asks the provider. A command passes the plan that it
has shown to its flow, so that what was shown is what is bought, and the provider is asked once.
"""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from flows.evaluation.retirement import Market, as_asked_for, without_retired
from flows.session.gone_pictures import GonePictures, load_as_sent, require_for_drafts
from tasks.attachments.sent_before import NOTHING_BEFORE, SentBefore
from tasks.campaign import Campaign
from tasks.campaign.succession import EVERY_PART, FINALS, Part, find_shut_down
from tasks.campaign_file.load import check_built_campaign, load_campaign
from tasks.campaign_file.overrides import NO_OVERRIDES, Overrides
from tasks.catalogue import Catalogue, load_catalogue
from tasks.catalogue.providers import Providers, load_providers
from tasks.errors import CampaignError, CatalogueError, SettingError
from tasks.images_api.terms import Terms
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.ledger.spending import MonthSpent, known_month
from tasks.ledger.spending_limits import known_limit, lower_of
from tasks.plan import Plan, plan
from tasks.settings import Settings
from tasks.storage.given_path import resolve_path
from tasks.storage.home import CAMPAIGN_FILE, run_folder


@dataclass(frozen=True)
class Prepared:
    """A run whose campaign was read, checked and planned; nothing is written or spent yet.

    Args:
        place: The campaign in error messages: its file, or its name.
        settings: The home and the environment.
        requested: The campaign as in its file, with retired models not replaced.
        catalogue: Models and prices.
        providers: The providers.
        terms: The provider's terms.
        plan: The planned orders and their cost.
        needed: The parts of the campaign of which something will be bought; models of the others may be
            retired.
        note: Why the provider's list of models could not be read; empty otherwise.
        ledger_per_month_usd: What the whole ledger may spend in a month, dollars.
        is_ledger_away: The ledger did not answer, so it is not waited for again to show the plan.
        questions_folder: Where statements that a model writes are kept: the campaign file's folder; ``None``
            for a run's own file, and for a campaign built in Python.
        amended_from: The text of the run's own file that the campaign, which has more arms or other models,
            takes the place of; ``None`` where it is that file.
        gone: What was sent before of pictures that cannot be read any more; ``None`` if all can.
    """

    place: str
    settings: Settings
    requested: Campaign
    catalogue: Catalogue
    providers: Providers
    terms: Terms
    plan: Plan
    needed: frozenset[Part] = EVERY_PART
    note: str = ""
    ledger_per_month_usd: Decimal | None = None
    is_ledger_away: bool = False
    questions_folder: Path | None = None
    amended_from: str | None = None
    gone: GonePictures | None = None

    @property
    def before(self) -> SentBefore:
        """The pictures that the run sent before, where some cannot be read any more."""
        return self.gone.before if self.gone else NOTHING_BEFORE

    @property
    def home(self) -> Path:
        """Runoff's home."""
        return self.settings.home

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.plan.run_id

    @property
    def campaign(self) -> Campaign:
        """The campaign as it runs, with successors of retired models."""
        return self.plan.campaign

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(self.home, self.campaign.name, self.run_id)


def prepare(
    campaign_file: Path | Campaign,
    settings: Settings,
    run_id: str,
    *,
    needed: frozenset[Part] = EVERY_PART,
    overrides: Overrides = NO_OVERRIDES,
) -> Prepared:
    """Read, check and plan a campaign. Asks no provider, spends and writes nothing.

    Args:
        campaign_file: The campaign file; or a campaign built in Python, its paths relative to the working
            folder.
        settings: The home and the environment.
        run_id: The run.
        needed: The parts of which something will be bought; models of the others may be retired. What was
            bought is looked at, fetched or given up without any.
        overrides: What is otherwise than in the file.

    Raises:
        CampaignError: The file is invalid.
        CatalogueError: A model is retired and has no successor, or has no price.
        SettingError: The ledger's monthly limit is not an amount.
        BudgetError: The budget is below the least that the run can cost.
    """
    known = known_limit(settings.home, settings.environ)
    ledger_limit_usd = lower_of(ledger_per_month_usd(settings.home, settings.environ), known.per_month_usd)
    catalogue = load_catalogue(settings.home, settings.environ)
    providers = load_providers(settings.home, settings.environ)
    gone = None
    if isinstance(campaign_file, Campaign):
        campaign = check_built_campaign(campaign_file, Path.cwd(), catalogue, providers)
        place = campaign.name
    else:
        place = str(campaign_file)
        try:
            campaign = load_campaign(campaign_file, catalogue, providers, overrides=overrides)
        except CampaignError as error:
            if _questions_folder(campaign_file, settings.home) is not None:
                raise
            gone = load_as_sent(campaign_file, settings, run_id, (catalogue, providers), error, overrides)
            campaign = gone.campaign
    providers = providers.with_pace(campaign.provider, campaign.images_per_minute)
    if overrides.only_arms:
        campaign = as_asked_for(campaign)
    elif "drafts" in needed:
        market = Market(catalogue, providers.provider(campaign.provider), settings.today, providers)
        campaign = without_retired(campaign, settings, run_id, market)
    prepared = Prepared(
        place=place,
        settings=settings,
        requested=campaign,
        catalogue=catalogue,
        providers=providers,
        terms=Terms(providers.provider(campaign.provider), catalogue, settings.environ, providers),
        plan=_plan(place, campaign, catalogue, providers, run_id, settings, needed, gone),
        needed=needed,
        ledger_per_month_usd=ledger_limit_usd,
        is_ledger_away=known.is_away,
        questions_folder=_questions_folder(campaign_file, settings.home),
        gone=gone,
    )
    if gone and "drafts" in needed:
        require_for_drafts(gone, prepared.plan, settings)
    return _with_missing_keys(prepared)


def prepare_amended(
    own_file: Path,
    settings: Settings,
    run_id: str,
    overrides: Overrides,
    *,
    needed: frozenset[Part] = EVERY_PART,
) -> Prepared:
    """Do as ``prepare`` for a run that was begun, with what is otherwise from now on than in its own file.

    Args:
        own_file: The run's own campaign file; it is written anew when a session of the run is opened.
        settings: The home and the environment.
        run_id: The run.
        overrides: What is otherwise than in the file.
        needed: The parts of which something will be bought; models of the others may be retired.

    Raises:
        RunoffError: As ``prepare``.
    """
    text = own_file.read_text(encoding="utf-8") if overrides.is_any else None
    prepared = prepare(own_file, settings, run_id, needed=needed, overrides=overrides)
    return replace(prepared, amended_from=text)


def _questions_folder(campaign_file: Path | Campaign, home: Path) -> Path | None:
    if isinstance(campaign_file, Campaign):
        return None
    folder = resolve_path(campaign_file).parent
    return None if folder.is_relative_to(resolve_path(home)) else folder


def spent_this_month(prepared: Prepared) -> MonthSpent | None:
    """Read what this month was charged, if a limit of it applies; ``None`` if not, or if it is not known.

    Args:
        prepared: The prepared run.
    """
    if prepared.is_ledger_away:
        return None
    if prepared.campaign.budget.per_month_usd is None and prepared.ledger_per_month_usd is None:
        return None
    return known_month(prepared.home, prepared.settings.environ, datetime.now(UTC))


def plan_again(prepared: Prepared) -> Prepared:
    """Plan what is requested by now.

    Raises:
        CatalogueError: A model is retired and has no successor.
        BudgetError: The budget is below the least that the run can cost.
    """
    planned = _plan(
        prepared.place,
        prepared.requested,
        prepared.catalogue,
        prepared.providers,
        prepared.run_id,
        prepared.settings,
        prepared.needed,
        prepared.gone,
    )
    return replace(prepared, plan=planned)


def without_arms(prepared: Prepared, seller: str, error: SettingError) -> SettingError:
    """Add to what a provider lacks how to run without it, where only some arms are bought there."""
    campaign = prepared.campaign
    others = [name for name in campaign.arms if campaign.provider_of(name) != seller]
    if not others or len(others) == len(campaign.arms):
        return error
    options = " ".join(f"--only-arm {name}" for name in others)
    command = f"runoff run {shlex.quote(prepared.place)} {options}"
    own = ", ".join(name for name in campaign.arms if name not in others)
    return SettingError(
        where=f"arms.{own}: {error.where}",
        what=error.what,
        accepted=error.accepted,
        money=error.money,
        next_step=f"{error.next_step} Or run the other arms alone: {command}",
    )


def _with_missing_keys(prepared: Prepared) -> Prepared:
    """Warn of what a provider of some arms lacks; a campaign at one provider can be planned without a key."""
    if len(prepared.campaign.sellers) == 1:
        return prepared
    warnings = []
    for name in prepared.campaign.sellers:
        try:
            prepared.terms.at(name).check()
        except SettingError as error:
            missing = without_arms(prepared, name, error)
            warnings.append(f"{missing.where}: {missing.what}. {missing.next_step}")
    return replace(prepared, plan=replace(prepared.plan, warnings=(*prepared.plan.warnings, *warnings)))


def with_other_models(
    error: CatalogueError, shut_down: Mapping[str, str | None], run_id: str, needed: frozenset[Part]
) -> CatalogueError:
    """Name the command by which a run goes on with other models, where some of its own were shut down.

    Args:
        error: The error.
        shut_down: The models to use instead, by the key of each that was shut down.
        run_id: The run.
        needed: The parts of which something is to be bought.
    """
    if not shut_down:
        return error
    options = " ".join(f"--set {key}={model or 'MODEL'}" for key, model in shut_down.items())
    command = f"runoff promote {run_id}" if needed == FINALS else f"runoff run --resume {run_id}"
    return CatalogueError(
        where=error.where,
        what=error.what,
        accepted=error.accepted,
        money="Nothing was bought now; what was bought before is kept.",
        next_step=f"Go on with another model: {command} {options}",
    )


_PREPARED: ContextVar[Prepared | None] = ContextVar("prepared", default=None)


@contextmanager
def with_prepared(prepared: Prepared) -> Iterator[None]:
    """Let a flow that is started inside use what was prepared, shown and agreed to."""
    token = _PREPARED.set(prepared)
    try:
        yield
    finally:
        _PREPARED.reset(token)


def prepared_before(settings: Settings, run_id: str) -> Prepared | None:
    """Return what ``with_prepared`` set for a run, if it did."""
    prepared = _PREPARED.get()
    is_same = prepared is not None and (prepared.home, prepared.run_id) == (settings.home, run_id)
    return prepared if is_same else None


def _plan(
    place: str,
    campaign: Campaign,
    catalogue: Catalogue,
    providers: Providers,
    run_id: str,
    settings: Settings,
    needed: frozenset[Part],
    gone: GonePictures | None,
) -> Plan:
    try:
        return plan(
            campaign,
            catalogue,
            providers,
            run_id,
            settings.today,
            home=settings.home,
            needed=needed,
            before=gone.before if gone else NOTHING_BEFORE,
        )
    except CampaignError as error:
        raise gone.error if gone else error from error
    except CatalogueError as error:
        error = error.at(place)
        goes_on = needed in (EVERY_PART, FINALS)  # and asks for nothing else
        if goes_on and Path(place) == run_folder(settings.home, campaign.name, run_id) / CAMPAIGN_FILE:
            shut_down = find_shut_down(campaign, catalogue, settings.today, needed)
            error = with_other_models(error, shut_down, run_id, needed)
        raise error from None
