"""The one place that puts together what spends money: a run's buyer, its Batch lane, its judge's buyer."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from openai import AsyncOpenAI

from tasks.images_api.batch_lane.lane import BatchLane
from tasks.images_api.batch_lane.settler import BatchSettler
from tasks.images_api.buyer import Buyer, Purchase
from tasks.images_api.circuit_breaker import CircuitBreaker
from tasks.images_api.rate_limiter import RateLimiter, rate_limiter_of
from tasks.images_api.terms import Terms
from tasks.ledger import Ledger, Limits


class Purchasing(NamedTuple):
    """What a run buys with.

    Args:
        buyer: Buys pictures one request at a time.
        batch_lane: Buys pictures in batches.
        judging: Asks judging models; it closes alone when the judge is down.
    """

    buyer: Buyer
    batch_lane: BatchLane
    judging: Buyer


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
    settler = BatchSettler(terms, ledger, folder, watch, buyer.close)
    lane = BatchLane(client=client, settler=settler, limits=limits, closed_by=lambda: buyer.closed_by)
    judging: Buyer = Buyer(
        client=client,
        terms=terms,
        ledger=ledger,
        folder=folder,
        limits=limits,
        rate_limiter=RateLimiter(None),  # a limit of pictures a minute is not one of questions
        watch=CircuitBreaker(watch, lambda reason: judging.close(reason)),
    )
    return Purchasing(buyer, lane, judging)


def compose_buyer(
    client: AsyncOpenAI,
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
) -> Buyer:
    """Put together a buyer of pictures, here or at a worker; the arguments are those of ``compose``."""
    return Buyer(
        client=client,
        terms=terms,
        ledger=ledger,
        folder=folder,
        limits=limits,
        rate_limiter=rate_limiter_of(terms, ledger),
        watch=watch,
    )
