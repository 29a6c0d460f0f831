"""A campaign built in Python, written down where its run will look for it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasks.campaign import Campaign
from tasks.campaign_file.load import as_stand_alone_yaml
from tasks.errors import RunoffError
from tasks.ledger import has_ledger, open_ledger
from tasks.storage.atomic import write_atomically
from tasks.storage.home import CAMPAIGN_FILE, run_folder


@contextmanager
def written_campaign(campaign: Campaign, home: Path, run_id: str) -> Iterator[Path]:
    """Write a campaign into its run's folder, and take it away again if no run came of it.

    Args:
        campaign: Its paths are relative to the working folder.
        home: Runoff's home.
        run_id: The run to be.

    Raises:
        CampaignError: Its rows cannot be read. Nothing was written.
        SettingError: The folder cannot be written.
    """
    file = run_folder(home, campaign.name, run_id) / CAMPAIGN_FILE
    if not file.exists():
        write_atomically(file, as_stand_alone_yaml(campaign, Path.cwd()).encode())
    try:
        yield file
    except RunoffError:
        if not _is_known(home, run_id):
            file.unlink()
            with suppress(OSError):
                file.parent.rmdir()
        raise


def _is_known(home: Path, run_id: str) -> bool:
    if not has_ledger(home):
        return False
    with open_ledger(home) as ledger:
        return run_id in {run.run_id for run in ledger.runs.all()}
