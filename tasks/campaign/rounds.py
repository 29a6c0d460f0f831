"""Rounds: how a campaign's drafts are divided when weak arms are dropped on the way.

With ``allocation: halving`` at most the drafts that ``fixed`` would buy (arms x rows x ``per_prompt``) are
bought, in up to five rounds. Each round makes about the same number of pictures of each of its arms and rows.
After each round every arm is dropped that is unlikely to lead once all pictures are made; the last rounds
drop the worse half in any case, so that the drafts suffice. If only the leader is left, the last round
follows at once, and the rounds between are not bought.

The last round has two arms, the leader and the runner-up. Its pictures played no part in the selection, so
they compare the two without selection bias.

Source: Z. Karnin, T. Koren, O. Somekh (2013), "Almost Optimal Exploration in Multi-Armed Bandits" (sequential
halving); stochastic curtailment, see ``tasks.ab_test.arm_leads``. The last round is held out, as sample
splitting does: D. Cox (1975), "A note on data-splitting for the evaluation of significance levels".
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Allocation = Literal["fixed", "halving"]
LAST_ARMS = 2
LEAST_PER_PROMPT = 2
"""With 2, each round can make a picture of each of its arms and rows."""
MOST_ROUNDS = 5
"""Each round waits for pictures and scores; more rounds save little more (benchmarks/halving.py)."""


@dataclass(frozen=True, slots=True)
class Round:
    """One planned round, before it is known which arms it will have.

    Args:
        number: From 1.
        n_arms: The most arms that it makes pictures of.
        first_replicate: Its first replicate.
        replicates: How many pictures of each of its arms and rows.
    """

    number: int
    n_arms: int
    first_replicate: int
    replicates: int


@dataclass(frozen=True, slots=True)
class Pass:
    """Replicates to buy of some arms, the same for every row."""

    arms: tuple[str, ...]
    first_replicate: int
    replicates: int


@dataclass(frozen=True, slots=True)
class ArmStanding:
    """An arm's result when a round was decided.

    Args:
        arm: The arm.
        lead: How far its pictures score above the mean of all arms of the round, averaged over the rows;
            ``None`` when none of its pictures has a score.
        mean_score: Mean total score of its pictures so far; ``None`` likewise.
        pictures: How many of its pictures are compared.
        goes_on: Whether it is in the next round.
        chance: Probability that it leads once all its pictures are made, 0 to 1; ``None`` for the leader,
            without a score, and while the variance of pictures is unknown.
    """

    arm: str
    lead: float | None
    mean_score: float | None
    pictures: int
    goes_on: bool
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class RoundDecision:
    """Which arms went on from a round, their results, and the round that follows.

    Args:
        number: The round, from 1.
        standings: Its arms, the best first.
        next_first_replicate: The first replicate of the next round.
        next_replicates: How many pictures the next round makes of each of its arms and rows.
        is_next_last: Whether the next round is the last one.
    """

    number: int
    standings: tuple[ArmStanding, ...]
    next_first_replicate: int
    next_replicates: int
    is_next_last: bool

    @property
    def arms_going_on(self) -> tuple[str, ...]:
        """The arms of the next round, the best first."""
        return tuple(standing.arm for standing in self.standings if standing.goes_on)


def plan_rounds(n_arms: int, per_prompt: int, allocation: Allocation) -> tuple[Round, ...]:
    """Divide ``n_arms * per_prompt`` pictures of each row over rounds.

    Args:
        n_arms: How many arms there are.
        per_prompt: How many pictures of each arm and row ``fixed`` makes; halving needs 2.
        allocation: ``fixed`` is a single round.

    Returns:
        The rounds if no arm is dropped before it must be. Together they make no more pictures than ``fixed``.

    Example:
        >>> [(each.n_arms, each.replicates) for each in plan_rounds(8, 6, "halving")]
        [(8, 1), (8, 1), (8, 2), (4, 2), (2, 4)]
    """
    if allocation == "fixed" or n_arms <= LAST_ARMS:
        return (Round(1, n_arms, 0, per_prompt),)
    left, first = n_arms * per_prompt, 0
    sizes, rounds = _sizes(n_arms, left), []
    for index, size in enumerate(sizes):
        replicates = left // sum(sizes[index:])
        rounds.append(Round(index + 1, size, first, replicates))
        left, first = left - replicates * size, first + replicates
    return tuple(rounds)


def _sizes(n_arms: int, pictures: int) -> list[int]:
    """Halve the arms down to two, after as many rounds of all arms as rounds and pictures allow."""
    sizes = [n_arms]
    while sizes[-1] > LAST_ARMS:
        sizes.append(max(LAST_ARMS, sizes[-1] // 2))
    full_rounds = min(MOST_ROUNDS - len(sizes), (pictures - sum(sizes)) // n_arms)
    return [n_arms] * max(0, full_rounds) + sizes


def passes_of(
    rounds: Sequence[Round], arms: Sequence[str], decided: Sequence[RoundDecision]
) -> tuple[Pass, ...]:
    """Return what the rounds begun so far make: the first round every arm, each later one what was decided.

    Args:
        rounds: From ``plan_rounds``.
        arms: All arms, in the campaign's order.
        decided: The decisions so far, in order.
    """
    first = Pass(tuple(arms), rounds[0].first_replicate, rounds[0].replicates)
    later = (
        Pass(
            tuple(arm for arm in arms if arm in decision.arms_going_on),
            decision.next_first_replicate,
            decision.next_replicates,
        )
        for decision in decided
    )
    return (first, *later)


def added_round_of(replicate: int, added_from: Sequence[int]) -> int:
    """Return the number of the added round that made a replicate, from 1; 0 for the campaign's own rounds.

    Args:
        replicate: The replicate.
        added_from: The first replicate of each added round, in order.

    Example:
        >>> [added_round_of(replicate, [4, 6]) for replicate in (3, 4, 5, 6)]
        [0, 1, 1, 2]
    """
    return bisect_right(added_from, replicate)


def is_complete(rounds: Sequence[Round], decided: Sequence[RoundDecision]) -> bool:
    """Return whether the last round has begun, so that there is nothing left to decide."""
    return len(rounds) == 1 or any(decision.is_next_last for decision in decided)
