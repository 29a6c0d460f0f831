"""What rounds cost, before anybody knows which arms they will be: the least and the most it could be.

The most is when no arm is dropped before it must be, and the dearest arms stay. The least is when one arm
leads so clearly after the first round that the last one follows at once, and two cheap arms are in it.

A picture of a later round costs what one of the arm's first round does. With several pictures a request that
is a little more than it will be: a larger request shares its prompt's tokens over more pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tasks.campaign.rounds import LAST_ARMS, Round

Range = tuple[Decimal, Decimal]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """One round: how many arms at most, how many pictures of each arm and row, and between which dollars.

    Args:
        number: From 1.
        arms: How many arms at most.
        replicates: Pictures of each arm and row.
        fewest_pictures: Pictures when the choice is over as early as can be; 0 where the round is not needed.
        pictures: Pictures at most.
        low_usd: Dollars for the fewest, of the cheapest arms.
        high_usd: Dollars for the most, of the dearest.
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
        n_rows: How many rows the campaign has.
        first_usd: Arm to the low and high dollars of its first round.
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
