"""The one place that puts together what spends money: a run's buyer, its Batch lane, its judge's buyer."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from openai import AsyncOpenAI

from tasks.images_api.batch_lane.lane import BatchLane
from tasks.images_api.batch_lane.settler import Clerk
from tasks.images_api.buyer import Desk, Purchase
from tasks.images_api.circuit_breaker import Patience
from tasks.images_api.rate_limiter import Pace, pace_of
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits


class Purchasing(NamedTuple):
    """What a run buys with.

    Args:
        buyer: Buys pictures one request at a time.
        batch_lane: Buys pictures in batches.
        judging: Asks judging models; it closes alone when the judge is down.
    """

    buyer: Desk
    batch_lane: BatchLane
    judging: Desk


def compose(
    client: AsyncOpenAI,
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
) -> Purchasing:
    """Put together what a run buys with. Nothing is sent yet.

    Args:
        client: The connection to the provider.
        terms: The provider's terms.
        ledger: The ledger.
        folder: The run's folder.
        limits: What the run may spend.
        watch: Is told how each order ended.
    """
    buyer = compose_buyer(client, terms, ledger, folder, limits, watch)
    clerk = Clerk(terms, ledger, folder, watch, buyer.close)
    lane = BatchLane(client=client, clerk=clerk, limits=limits, closed_by=lambda: buyer.closed_by)
    judging: Desk = Desk(
        client=client,
        terms=terms,
        ledger=ledger,
        folder=folder,
        limits=limits,
        pace=Pace(None),  # a limit of pictures a minute is not one of questions
        watch=Patience(watch, lambda reason: judging.close(reason)),
    )
    return Purchasing(buyer, lane, judging)


def compose_buyer(
    client: AsyncOpenAI,
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
) -> Desk:
    """Put together a buyer of pictures, here or at a worker; the arguments are those of ``compose``."""
    return Desk(
        client=client,
        terms=terms,
        ledger=ledger,
        folder=folder,
        limits=limits,
        pace=pace_of(terms, ledger),
        watch=watch,
    )
