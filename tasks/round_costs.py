"""What rounds cost, before anybody knows which arms they will be: the cheapest and the dearest it could be.

A picture of a later round costs what one of the arm's first round does. With several pictures a request that
is a little more than it will be: a larger request shares its prompt's tokens over more pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tasks.rounds import Round

Range = tuple[Decimal, Decimal]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """One round: how many arms, how many pictures of each arm and row, and between which dollars.

    Args:
        number: From 1.
        arms: How many arms.
        replicates: Pictures of each arm and row.
        pictures: Pictures in all.
        low_usd: Dollars when the cheapest arms are in it.
        high_usd: Dollars when the dearest are.
    """

    number: int
    arms: int
    replicates: int
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
    return tuple(
        RoundPlan(
            number=each.number,
            arms=each.n_arms,
            replicates=each.replicates,
            pictures=each.n_arms * each.replicates * n_rows,
            low_usd=sum(lows[: each.n_arms], ZERO) * each.replicates / first,
            high_usd=sum(highs[-each.n_arms :], ZERO) * each.replicates / first,
        )
        for each in rounds
    )
