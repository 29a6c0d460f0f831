"""Composes what spends money for a run: its buyer, its Batch lane and its judge's buyer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from openai import AsyncOpenAI

from tasks.campaign import Campaign
from tasks.images_api.batch_lane.lane import BatchLane
from tasks.images_api.batch_lane.settler import BatchSettler
from tasks.images_api.buyer import Buyer, Purchase
from tasks.images_api.circuit_breaker import for_pictures, for_questions
from tasks.images_api.in_flight import InFlight
from tasks.images_api.rate_limiter.limiter import RateLimiter, rate_limiter_of
from tasks.images_api.sellers import Sellers
from tasks.images_api.terms import Terms
from tasks.images_api.wait_notices import WaitNotices
from tasks.ledger import Ledger, Limits


class Purchasing(NamedTuple):
    """The parts through which a run buys.

    Args:
        buyer: Buys pictures one request at a time, each at its provider.
        batch_lane: Buys pictures in batches.
        judging: Asks judging models; closed separately, by its own circuit breaker.
    """

    buyer: Sellers
    batch_lane: BatchLane
    judging: Sellers


def compose(
    clients: Mapping[str, AsyncOpenAI],
    campaign: Campaign,
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
    say: Callable[[str], None] = lambda _: None,
) -> Purchasing:
    """Compose the parts through which a run buys. Nothing is sent yet.

    Args:
        clients: The connections to the providers that the run buys from, by name.
        campaign: What is bought where; batches are made at the provider of the first arm's drafts.
        terms: The terms of the campaign's provider, which know those of the others.
        ledger: The ledger.
        folder: The run's folder.
        limits: What the run may spend.
        watch: Called with every order's end.
        say: Shows a line about a long wait.
    """
    waits, drafts_at = WaitNotices(say), campaign.draft_sellers[0]
    sellers = compose_sellers(clients, terms, ledger, folder, limits, watch, waits)
    settler = BatchSettler(
        terms.at(drafts_at), ledger, folder, watch, lambda reason: sellers.close_for(drafts_at, reason)
    )
    lane = BatchLane(
        client=clients[drafts_at],
        settler=settler,
        limits=limits,
        closed_by=lambda: sellers.closed_at(drafts_at),
        waits=waits,
    )

    def judging_at(name: str) -> Buyer:
        return compose_buyer(
            clients[name],
            terms.at(name),
            ledger,
            folder,
            limits,
            for_questions(watch, lambda reason: judging.close_for(name, reason)),
            RateLimiter(None),  # the limit of pictures per minute does not apply to questions
            waits,
        )

    judges_at = campaign.judge_sellers or (drafts_at,)  # one that is never asked, without a judge
    judging: Sellers = Sellers({name: judging_at(name) for name in judges_at})
    return Purchasing(sellers, lane, judging)


def compose_sellers(
    clients: Mapping[str, AsyncOpenAI],
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
    waits: WaitNotices | None = None,
) -> Sellers:
    """Compose a buyer for each provider, in this process or at a worker; they share what is in flight.

    Args:
        clients: The connections to the providers, by name.
        terms: The terms of one provider, which know those of the others.
        ledger: The ledger.
        folder: The run's folder.
        limits: What the run may spend.
        watch: Called with every order's end.
        waits: Tells people about long waits; by default nobody.
    """
    in_flight = InFlight()
    return Sellers(
        {
            name: compose_buyer(
                client, terms.at(name), ledger, folder, limits, watch, waits=waits, in_flight=in_flight
            )
            for name, client in clients.items()
        }
    )


def compose_buyer(
    client: AsyncOpenAI,
    terms: Terms,
    ledger: Ledger,
    folder: Path,
    limits: Limits,
    watch: Callable[[Purchase], None],
    rate_limiter: RateLimiter | None = None,
    waits: WaitNotices | None = None,
    in_flight: InFlight | None = None,
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
        in_flight: The orders in flight of the run; by default only this buyer's.
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
        in_flight=in_flight,
    )
    return buyer
