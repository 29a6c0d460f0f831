"""The draft orders of the rounds that have begun: the first round, and one after each decided round."""

from collections.abc import Sequence

from flows.session.prepare import Prepared
from tasks.attachments.attachments import SentPictures
from tasks.campaign.rounds import Pass, passes_of
from tasks.catalogue.estimates import Estimates
from tasks.ledger import Ledger
from tasks.ledger.replanning import left_to_send
from tasks.order import Order
from tasks.orders.drafts import draft_orders, draft_prompts
from tasks.storage.home import drawn_folder


def begun_drafts(prepared: Prepared, ledger: Ledger) -> list[Order]:
    """List the draft orders of every round that has begun, whatever their state; writes nothing.

    Raises:
        CatalogueError: Something has no price.
        CampaignError: A mask cannot be made.
    """
    campaign, decided = prepared.campaign, ledger.rounds.of_run(prepared.run_id)
    _first, *later = passes_of(campaign.rounds, campaign.first_arms, decided)
    return [*prepared.plan.orders, *_round_orders(prepared, later)]


def left_orders(prepared: Prepared, ledger: Ledger) -> list[Order]:
    """List the drafts, further ones and planned finals too, that a resumed run would still send.

    Writes nothing.

    Raises:
        CatalogueError: Something has no price.
        CampaignError: A mask cannot be made.
    """
    drafts = left_to_send(ledger, prepared.run_id, begun_drafts(prepared, ledger))
    planned = [record.order for record in ledger.orders.of_run(prepared.run_id, "planned")]
    return [*drafts, *(order for order in planned if order.is_final or order.is_further_draft)]


def _round_orders(prepared: Prepared, passes: Sequence[Pass]) -> list[Order]:
    """Plan the draft orders of later rounds."""
    if not passes:
        return []
    campaign = prepared.campaign
    pictures = SentPictures(campaign, drawn_folder(prepared.home), prepared.before)
    estimates = Estimates(prepared.catalogue, prepared.terms.provider, prepared.providers)
    prompts = draft_prompts(campaign)
    return list(draft_orders(campaign, prompts, pictures, estimates, prepared.run_id, passes))
