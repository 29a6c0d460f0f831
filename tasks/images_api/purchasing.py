"""Composes what spends money for a run: its buyer, its Batch lane and its judge's buyer."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from openai import AsyncOpenAI

from tasks.images_api.batch_lane.lane import BatchLane
from tasks.images_api.batch_lane.settler import BatchSettler
from tasks.images_api.buyer import Buyer, Purchase
from tasks.images_api.circuit_breaker import for_pictures, for_questions
from tasks.images_api.rate_limiter.limiter import RateLimiter, rate_limiter_of
from tasks.images_api.terms import Terms
from tasks.images_api.wait_notices import WaitNotices
from tasks.ledger import Ledger, Limits


class Purchasing(NamedTuple):
    """The parts through which a run buys.

    Args:
        buyer: Buys pictures one request at a time.
        batch_lane: Buys pictures in batches.
        judging: Asks judging models; closed separately, by its own circuit breaker.
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
    say: Callable[[str], None] = lambda _: None,
) -> Purchasing:
    """Compose the parts through which a run buys. Nothing is sent yet.

    Args:
        client: The connection to the provider.
        terms: The provider's terms.
        ledger: The ledger.
        folder: The run's folder.
        limits: What the run may spend.
        watch: Called with every order's end.
        say: Shows a line about a long wait.
    """
    waits = WaitNotices(say)
    buyer = compose_buyer(client, terms, ledger, folder, limits, watch, waits=waits)
    settler = BatchSettler(terms, ledger, folder, watch, buyer.close)
    lane = BatchLane(
        client=client, settler=settler, limits=limits, closed_by=lambda: buyer.closed_by, waits=waits
    )
    breaker = for_questions(watch, lambda reason: judging.close(reason))
    unlimited = RateLimiter(None)  # the limit of pictures per minute does not apply to questions
    judging: Buyer = compose_buyer(client, terms, ledger, folder, limits, breaker, unlimited, waits)
    return Purchasing(buyer, lane, judging)


def compose_buyer(
    client: AsyncOpenAI,
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
    rate_limiter: RateLimiter | None = None,
    waits: WaitNotices | None = None,
) -> Buyer:
    """Compose a buyer, in this process or at a worker. It closes when answer after answer is lost.

    Args:
        client: The connection to the provider.
        terms: The provider's terms.
        ledger: The ledger.
        folder: The run's folder.
        limits: What the run may spend.
        watch: Called with every order's end.
        rate_limiter: Its own; default: the account's, which all processes on the ledger share.
        waits: Tells people about long waits; by default nobody.
    """
    breaker = for_pictures(watch, lambda reason: buyer.close(reason), terms.provider.concurrency)
    buyer = Buyer(
        client=client,
        terms=terms,
        ledger=ledger,
        folder=folder,
        limits=limits,
        rate_limiter=rate_limiter or rate_limiter_of(terms, ledger),
        watch=breaker,
        waits=waits,
    )
    return buyer
