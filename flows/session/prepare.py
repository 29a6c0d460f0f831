"""Preparing a run: its campaign is read, checked and planned before anything is written or spent."""

import os
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.campaign import Campaign
from tasks.campaign.succession import heed_announced
from tasks.campaign_file.load import check_built_campaign, load_campaign
from tasks.catalogue import Catalogue, load_catalogue
from tasks.catalogue.providers import Providers, load_providers
from tasks.clock import today
from tasks.errors import CatalogueError
from tasks.images_api.terms import Terms
from tasks.ledger.monthly_limit import ledger_per_month_usd
from tasks.plan import Plan, plan
from tasks.storage.home import run_folder

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Prepared:
    """A run that was read, checked and planned, before anything is written or spent.

    Args:
        home: Runoff's home.
        catalogue: Models and prices.
        providers: Who sells.
        terms: The provider's terms.
        plan: What will be ordered, and for how much.
        note: Why the provider's own list of models is not known, when it was asked for in vain.
        ledger_per_month_usd: What the whole ledger may spend in a month, dollars.
    """

    home: Path
    catalogue: Catalogue
    providers: Providers
    terms: Terms
    plan: Plan
    note: str = ""
    ledger_per_month_usd: Decimal | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.plan.run_id

    @property
    def campaign(self) -> Campaign:
        """The campaign as it runs, successors of retired models in their places."""
        return self.plan.campaign

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(self.home, self.campaign.name, self.run_id)


def prepare(
    campaign_file: Path | Campaign,
    home: Path,
    run_id: str,
    *,
    asks_provider: bool = False,
    are_drafts_done: bool = False,
) -> Prepared:
    """Read, check and plan a campaign. Spends nothing and writes nothing.

    Args:
        campaign_file: The campaign file; or a campaign built in Python, its paths relative to the working
            folder.
        home: Runoff's home.
        run_id: The run.
        asks_provider: Read the provider's own list of models too, for a few seconds at most; without an
            answer the catalogue's dates count.
        are_drafts_done: No more drafts will be bought: their models may be gone.

    Raises:
        CampaignError: The file is wrong.
        CatalogueError: A model is retired and has no successor, or has no price.
        SettingError: The provider's key is missing, or the ledger's monthly limit is none.
        BudgetError: The budget is below the least that the run can cost.
    """
    ledger_limit_usd = ledger_per_month_usd(home, os.environ)
    catalogue, providers = load_catalogue(home), load_providers(home)
    if isinstance(campaign_file, Campaign):
        campaign = check_built_campaign(campaign_file, Path.cwd(), catalogue, providers)
    else:
        campaign = load_campaign(campaign_file, catalogue=catalogue, providers=providers)
    terms = Terms(providers.provider(campaign.provider), catalogue, os.environ)
    said: list[str] = []
    note = ""
    if asks_provider and terms.base_url is not None:
        from tasks.images_api.models_endpoint import read_models  # loads the SDK, a second of work

        answer = read_models(terms)
        catalogue, said = heed_announced(campaign, catalogue, answer.announced)
        terms = replace(terms, catalogue=catalogue)
        note = f"{answer.what}; the catalogue's dates of models count." if answer.what else ""
    try:
        planned = plan(
            campaign, catalogue, providers, run_id, today(), home=home, are_drafts_done=are_drafts_done
        )
    except CatalogueError as error:
        place = campaign.name if isinstance(campaign_file, Campaign) else str(campaign_file)
        raise error.at(place) from error
    planned = replace(planned, warnings=(*said, *planned.warnings))
    return Prepared(home, catalogue, providers, terms, planned, note, ledger_limit_usd)
