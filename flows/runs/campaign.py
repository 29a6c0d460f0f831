"""The campaign that a run was decided by: the one in its own folder."""

from pathlib import Path

from flows.runs.lock import bring_campaign
from tasks.campaign import Campaign
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import RunError
from tasks.ledger import RunRecord
from tasks.storage.home import run_folder


def rules_of(home: Path, run: RunRecord) -> Campaign:
    """Read a run's campaign.

    Raises:
        RunError: The file is gone.
        CampaignError: It was changed and is wrong now.
    """
    file = bring_campaign(run_folder(home, run.campaign, run.run_id))
    if not file.exists():
        raise RunError(where=str(file), what="the run's campaign is gone", money="The ledger is untouched.")
    return load_campaign(file, catalogue=load_catalogue(home), providers=load_providers(home))
