"""Estimates the cost of rounds before their arms are known: the lowest and the highest possible.

The cost is highest when arms are dropped as late as possible and the most expensive ones stay. It is lowest
when one arm leads so clearly after the first round that the last round follows at once, with the two cheapest
arms.

A picture of a later round is assumed to cost as much as one of the first. With several pictures per request
that is slightly too high, because a larger request spreads its prompt's tokens over more pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tasks.campaign.rounds import LAST_ARMS, Round
from tasks.order import Order

Range = tuple[Decimal, Decimal]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """One round: its most arms, its pictures of each arm and row, and its range of cost.

    Args:
        number: From 1.
        arms: The most arms.
        replicates: Pictures of each arm and row.
        fewest_pictures: The number of pictures when arms are dropped as early as possible; 0 if the round may
            be skipped.
        pictures: The most pictures.
        low_usd: Dollars for the fewest pictures, of the cheapest arms.
        high_usd: Dollars for the most pictures, of the most expensive arms.
    """

    number: int
    arms: int
    replicates: int
    fewest_pictures: int
    pictures: int
    low_usd: Decimal
    high_usd: Decimal


def plan_round_costs(
    rounds: Sequence[Round], n_rows: int, first_usd: Mapping[str, Range]
) -> tuple[RoundPlan, ...]:
    """Price each round.

    Args:
        rounds: The rounds.
        n_rows: The number of the campaign's rows.
        first_usd: The lowest and highest cost of the first round, dollars, by arm.
    """
    first = rounds[0].replicates
    lows, highs = sorted(low for low, _ in first_usd.values()), sorted(high for _, high in first_usd.values())
    fewest = [rounds[0].n_arms, *(0 for _ in rounds[1:-1]), LAST_ARMS]
    return tuple(
        RoundPlan(
            number=each.number,
            arms=each.n_arms,
            replicates=each.replicates,
            fewest_pictures=least * each.replicates * n_rows,
            pictures=each.n_arms * each.replicates * n_rows,
            low_usd=sum(lows[:least], ZERO) * each.replicates / first,
            high_usd=sum(highs[-each.n_arms :], ZERO) * each.replicates / first,
        )
        for each, least in zip(rounds, fewest, strict=False)
    )


def plan_added_round(number: int, orders: Sequence[Order], low_usd: Decimal) -> RoundPlan:
    """Price a round that added arms, of which all is known.

    Args:
        number: From 1.
        orders: Its draft orders.
        low_usd: The least that they cost, dollars.
    """
    pictures, arms = sum(order.n for order in orders), len({order.arm for order in orders})
    n_rows = len({order.row for order in orders})
    return RoundPlan(
        number=number,
        arms=arms,
        replicates=pictures // max(arms * n_rows, 1),
        fewest_pictures=pictures,
        pictures=pictures,
        low_usd=low_usd,
        high_usd=sum((order.estimate_usd for order in orders), ZERO),
    )
