"""A campaign built in Python, written into its run's folder."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasks.campaign import Campaign
from tasks.campaign_file.load import as_stand_alone_yaml
from tasks.errors import RunoffError
from tasks.ledger import has_ledger, open_ledger
from tasks.settings import Settings
from tasks.storage.atomic import delete, write_atomically
from tasks.storage.home import CAMPAIGN_FILE, run_folder


@contextmanager
def written_campaign(campaign: Campaign, settings: Settings, run_id: str) -> Iterator[Path]:
    """Write a campaign into its run's folder, and delete it if no run was made.

    Args:
        campaign: Its paths are relative to the working folder.
        settings: The home and the environment.
        run_id: The id of the new run.

    Raises:
        CampaignError: Its rows cannot be read. Nothing was written.
        SettingError: The folder cannot be written.
    """
    file = run_folder(settings.home, campaign.name, run_id) / CAMPAIGN_FILE
    if not file.exists():
        write_atomically(file, as_stand_alone_yaml(campaign, Path.cwd()).encode())
    try:
        yield file
    except RunoffError:
        if not _is_known(settings, run_id):
            delete([file])
            with suppress(OSError):
                file.parent.rmdir()
        raise


def _is_known(settings: Settings, run_id: str) -> bool:
    if not has_ledger(settings.home, settings.environ):
        return False
    with open_ledger(settings.home, settings.environ) as ledger:
        return run_id in {run.run_id for run in ledger.runs.all()}
