"""Rounds: how a campaign's drafts are shared out when arms that do badly are dropped on the way.

With ``allocation: halving`` the drafts that ``fixed`` would buy (arms x rows x ``per_prompt``) are spent in
rounds of about equal size. The first round makes a few pictures of every arm and row. After each round at
least half of the arms are dropped, and the next round makes more pictures of each that is left. Two arms come
to the last round. Its pictures chose nobody, so what they say of the two is not flattered by the choice.

Source: Z. Karnin, T. Koren, O. Somekh (2013), "Almost Optimal Exploration in Multi-Armed Bandits" (sequential
halving; equal budgets by round). Here the last round is held out, as sample splitting does: D. Cox (1975), "A
note on data-splitting for the evaluation of significance levels".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Allocation = Literal["fixed", "halving"]
LAST_ARMS = 2
LEAST_PER_PROMPT = 2
"""With 2 each round can make a picture of each of its arms and every row."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round as it is planned, before anybody knows which arms it will be.

    Args:
        number: From 1.
        n_arms: How many arms it makes pictures of.
        first_replicate: Where its replicates begin.
        replicates: How many pictures of each of its arms and every row.
    """

    number: int
    n_arms: int
    first_replicate: int
    replicates: int


@dataclass(frozen=True, slots=True)
class Pass:
    """Replicates to be bought of some arms, every row alike."""

    arms: tuple[str, ...]
    first_replicate: int
    replicates: int


@dataclass(frozen=True, slots=True)
class ArmStanding:
    """How an arm stood when a round was decided.

    Args:
        arm: The arm.
        lead: How far its pictures score above the mean of all arms of the round, averaged over the rows;
            ``None`` when none of its pictures has a score.
        mean_score: Mean total score of its pictures so far; ``None`` likewise.
        pictures: How many of its pictures count.
        goes_on: Whether it is in the next round.
    """

    arm: str
    lead: float | None
    mean_score: float | None
    pictures: int
    goes_on: bool


@dataclass(frozen=True, slots=True)
class RoundDecision:
    """Which arms went on from a round, and what that was decided by.

    Args:
        number: The round, from 1.
        standings: Its arms, the best first.
    """

    number: int
    standings: tuple[ArmStanding, ...]

    @property
    def arms_going_on(self) -> tuple[str, ...]:
        """The arms of the next round, the best first."""
        return tuple(standing.arm for standing in self.standings if standing.goes_on)


def plan_rounds(n_arms: int, per_prompt: int, allocation: Allocation) -> tuple[Round, ...]:
    """Share out ``n_arms * per_prompt`` pictures of each row over rounds.

    Args:
        n_arms: How many arms there are.
        per_prompt: How many pictures of each arm and row ``fixed`` makes; halving needs 2.
        allocation: ``fixed`` is a single round.

    Returns:
        The rounds; together they make no more pictures than ``fixed`` does.

    Example:
        >>> [(each.n_arms, each.replicates) for each in plan_rounds(8, 4, "halving")]
        [(8, 1), (4, 3), (2, 6)]
    """
    if allocation == "fixed" or n_arms <= LAST_ARMS:
        return (Round(1, n_arms, 0, per_prompt),)
    sizes = [n_arms]
    while sizes[-1] > LAST_ARMS:
        sizes.append(max(LAST_ARMS, sizes[-1] // 2))
    rounds, left, first = [], n_arms * per_prompt, 0
    for index, size in enumerate(sizes):
        fair, afterwards = left // (len(sizes) - index) // size, sum(sizes[index + 1 :])
        replicates = max(1, min(fair, (left - afterwards) // size))
        rounds.append(Round(index + 1, size, first, replicates))
        left, first = left - replicates * size, first + replicates
    return tuple(rounds)


def passes_of(
    rounds: Sequence[Round], arms: Sequence[str], decided: Sequence[RoundDecision]
) -> tuple[Pass, ...]:
    """Tell what the rounds begun so far make: the first one every arm, each later one what was decided.

    Args:
        rounds: From ``plan_rounds``.
        arms: All arms, in the campaign's order.
        decided: The decisions so far, in order.
    """
    goes_on = [set(arms), *(set(decision.arms_going_on) for decision in decided)]
    return tuple(
        Pass(tuple(arm for arm in arms if arm in names), each.first_replicate, each.replicates)
        for each, names in zip(rounds, goes_on, strict=False)
    )
