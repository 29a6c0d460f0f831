"""How long pictures take at the rate limits of their providers, which all work at the same time."""

from collections import Counter
from collections.abc import Mapping

from tasks.campaign import Campaign
from tasks.catalogue.providers import Providers
from tasks.orders.finals_costs import FinalsPlan

SECONDS_PER_MINUTE = 60


def drafts_s(n_pictures: Mapping[str, int], campaign: Campaign, providers: Providers) -> float:
    """Return how long drafts take, seconds.

    Args:
        n_pictures: How many there are of each arm.
        campaign: Which arm is bought where.
        providers: Their limits.
    """
    by_seller: Counter[str] = Counter()
    for arm, count in n_pictures.items():
        by_seller[campaign.provider_of(arm)] += count
    return _longest_s(by_seller, providers)


def finals_s(finals: FinalsPlan, campaign: Campaign, providers: Providers) -> float:
    """Return how long all attempts at all finals take, seconds.

    Args:
        finals: What they may be.
        campaign: Which edition is bought where.
        providers: Their limits.
    """
    by_seller: Counter[str] = Counter()
    for edition, planned in zip(campaign.editions, finals.editions, strict=True):
        by_seller[campaign.final_provider(edition)] += planned.most_pictures
    return _longest_s(by_seller, providers)


def _longest_s(by_seller: Mapping[str, int], providers: Providers) -> float:
    return max(
        count * SECONDS_PER_MINUTE / providers.provider(name).surely_per_minute
        for name, count in by_seller.items()
    )
