"""A run whose pictures to send are gone: it goes on as far as what is left to buy does not send them.

Its ledger knows what each order was made from, so that the run is planned from that. Where something that is
left does need them, the error is the one that its campaign file has.
"""

from pathlib import Path
from typing import NamedTuple

from tasks.attachments.sent_before import SentBefore, find_gone
from tasks.campaign import Campaign
from tasks.campaign.rounds import is_complete
from tasks.campaign_file.load import load_campaign
from tasks.campaign_file.overrides import NO_OVERRIDES, Overrides
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Providers
from tasks.errors import CampaignError
from tasks.ledger import has_ledger, open_existing_ledger
from tasks.ledger.replanning import left_to_send
from tasks.plan import Plan
from tasks.settings import Settings


class GonePictures(NamedTuple):
    """What a run's campaign is without the pictures that are gone.

    Args:
        campaign: The campaign; its pictures were not looked at.
        before: What the run sent before.
        error: The error of the campaign file, raised where the pictures are needed.
    """

    campaign: Campaign
    before: SentBefore
    error: CampaignError


def load_as_sent(
    file: Path,
    settings: Settings,
    run_id: str,
    prices: tuple[Catalogue, Providers],
    error: CampaignError,
    overrides: Overrides = NO_OVERRIDES,
) -> GonePictures:
    """Read a run's own campaign file that has errors, of which all may be pictures that are gone.

    Args:
        file: The run's own campaign file.
        settings: The home and the environment.
        run_id: The run.
        prices: The catalogue and the providers.
        error: The error of the file.
        overrides: What is otherwise than in the file.

    Raises:
        CampaignError: ``error``, if the file has others, or the run never sent pictures.
    """
    next_step = (
        "Put back what is missing, or write where it is now into that file of the run; "
        "then repeat the command."
    )
    if overrides.is_any:
        next_step = f"Correct the option, or what is missing: {next_step[0].lower()}{next_step[1:]}"
    error = CampaignError(str(file), error.faults, next_step)
    if not has_ledger(settings.home, settings.environ):
        raise error
    try:
        campaign = load_campaign(file, *prices, sends_pictures=False, overrides=overrides)
    except CampaignError:
        raise error from None
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        before = SentBefore.of(one.order for one in ledger.orders.of_run(run_id))
    return GonePictures(campaign, before, error)


def require_for_drafts(gone: GonePictures, planned: Plan, settings: Settings) -> None:
    """Check that the pictures that are gone are not needed by the drafts that are left.

    Finals that need them are left out, each by itself, when they are bought.

    Raises:
        CampaignError: They are. Nothing was bought.
    """
    campaign, run_id = planned.campaign, planned.run_id
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        left = left_to_send(ledger, run_id, planned.orders)
        is_more_to_come = not is_complete(campaign.rounds, ledger.rounds.of_run(run_id))
    if is_more_to_come or any(find_gone(left)):
        raise gone.error
