"""Reading campaign files for the flows, and the budget of a run."""

from pathlib import Path

from flows.runs.lock import fetch_campaign
from tasks.campaign import Campaign
from tasks.campaign.campaign import Budget
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.ledger import RunRecord
from tasks.marked_yaml import read_yaml
from tasks.settings import Settings
from tasks.storage.home import run_folder


def read_campaign(file: Path, settings: Settings) -> Campaign:
    """Read a campaign file with the models and providers known here.

    Raises:
        CampaignError: It is invalid.
    """
    catalogue = load_catalogue(settings.home, settings.environ)
    return load_campaign(file, catalogue, load_providers(settings.home, settings.environ))


def run_budget(home: Path, run: RunRecord) -> Budget | None:
    """Read only a run's budget, which works even if the rest of its campaign is out of date.

    Returns:
        The budget; ``None`` if the file is missing.
    """
    file = fetch_campaign(run_folder(home, run.campaign, run.run_id))
    if not file.exists():
        return None
    return Budget.model_validate(read_yaml(file.read_text(encoding="utf-8")).data["budget"])
