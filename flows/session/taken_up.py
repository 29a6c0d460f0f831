"""Taking a run up again: it may go on, though its drafts' models were shut down, where all drafts were sent.

Nothing of them is bought any more. A batch that the provider still has was paid for: it is collected even
where the run cannot go on, because a model is gone by which something is left to buy.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from flows.session.begun_orders import left_orders
from flows.session.prepare import Prepared, prepare, prepare_amended, with_other_models
from tasks.campaign.rounds import is_complete
from tasks.campaign.succession import EVERY_PART, FINALS, NO_PART, find_shut_down
from tasks.campaign_file.overrides import NO_OVERRIDES, Overrides
from tasks.errors import CatalogueError
from tasks.ledger import has_ledger, open_existing_ledger
from tasks.settings import Settings


def prepare_again(
    own_file: Path, settings: Settings, run_id: str, overrides: Overrides = NO_OVERRIDES
) -> Prepared:
    """Do as ``prepare_amended`` for a run of which drafts, finals or both may be left to buy.

    Where a model was shut down, what the provider has of the run's batches is collected first. Buys nothing.

    Args:
        own_file: The run's own campaign file.
        settings: The home and the environment.
        run_id: The run; a new one is prepared as any.
        overrides: What is otherwise than in the file.

    Raises:
        CatalogueError: A model is retired by which something is left to buy, and has no successor.
        RunoffError: As ``prepare``, or a batch could not be collected.
    """
    try:
        return prepare_amended(own_file, settings, run_id, overrides)
    except CatalogueError:
        if not _is_known(settings, run_id):
            raise
        as_it_was = prepare(own_file, settings, run_id, needed=NO_PART)
        asyncio.run(_collect(as_it_was))
        shut_down = find_shut_down(as_it_was.campaign, as_it_was.catalogue, settings.today)
        if any(key.startswith("score.") for key in shut_down) or not _are_drafts_sent(as_it_was):
            raise
        try:
            return prepare_amended(own_file, settings, run_id, overrides, needed=FINALS)
        except CatalogueError as error:
            of_finals = {key: model for key, model in shut_down.items() if key.startswith("finals.")}
            raise with_other_models(error, of_finals, run_id, EVERY_PART) from None


def _is_known(settings: Settings, run_id: str) -> bool:
    if not has_ledger(settings.home, settings.environ):
        return False
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        return ledger.runs.is_known(run_id)


def _are_drafts_sent(prepared: Prepared) -> bool:
    """Whether no draft of the run is left to send, in this round or a later one."""
    settings, run_id = prepared.settings, prepared.run_id
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        if not is_complete(prepared.campaign.rounds, ledger.rounds.of_run(run_id)):
            return False
        return not any(order.is_draft for order in left_orders(prepared, ledger))


async def _collect(prepared: Prepared) -> None:
    """Fetch what the provider has finished of the run's batches."""
    settings, run_id = prepared.settings, prepared.run_id
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        if not ledger.batches.open_of(run_id):
            return
    from flows.session.session import open_session  # loading what buys takes a moment

    async with open_session(prepared, "close") as run:
        n_out = await run.batch_lane.go_on(run_id)
        run.ledger.runs.end(run_id, "waiting" if n_out else "stopped", datetime.now(UTC))
