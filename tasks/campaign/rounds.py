"""Rounds: how a campaign's drafts are shared out when arms that do badly are dropped on the way.

With ``allocation: halving`` at most the drafts that ``fixed`` would buy (arms x rows x ``per_prompt``) are
bought, in up to five rounds. Every round makes about as many pictures of each of its arms and every row.
After each, every arm is dropped that trails so clearly that the pictures still to come would hardly bring it
to the front; and the last rounds drop the worse half in any case, so that the drafts suffice. Once only the
leader is left, the last round follows at once, and the rounds between are not bought.

Two arms come to the last round, the leader and the runner-up. Its pictures chose nobody, so what they say of
the two is not flattered by the choice.

Source: Z. Karnin, T. Koren, O. Somekh (2013), "Almost Optimal Exploration in Multi-Armed Bandits" (sequential
halving); stochastic curtailment, see ``tasks.ab_test.arm_leads``. The last round is held out, as sample
splitting does: D. Cox (1975), "A note on data-splitting for the evaluation of significance levels".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Allocation = Literal["fixed", "halving"]
LAST_ARMS = 2
LEAST_PER_PROMPT = 2
"""With 2 each round can make a picture of each of its arms and every row."""
MOST_ROUNDS = 5
"""Each is a wait for pictures and scores. More of them save little more: benchmarks/halving.py."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round as it is planned, before anybody knows which arms it will be.

    Args:
        number: From 1.
        n_arms: Of how many arms it makes pictures at most.
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
        chance: That it would lead once all its pictures were made, 0 to 1; ``None`` for the leader, without
            a score, and where nothing tells how much pictures vary.
    """

    arm: str
    lead: float | None
    mean_score: float | None
    pictures: int
    goes_on: bool
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class RoundDecision:
    """Which arms went on from a round, what that was decided by, and the round that it began.

    Args:
        number: The round, from 1.
        standings: Its arms, the best first.
        next_first_replicate: Where the replicates of the next round begin.
        next_replicates: How many pictures the next round makes of each of its arms and every row.
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
    """Share out ``n_arms * per_prompt`` pictures of each row over rounds.

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
    """Halve the arms down to two, after as many more looks at all as rounds and pictures allow."""
    sizes = [n_arms]
    while sizes[-1] > LAST_ARMS:
        sizes.append(max(LAST_ARMS, sizes[-1] // 2))
    looks = min(MOST_ROUNDS - len(sizes), (pictures - sum(sizes)) // n_arms)
    return [n_arms] * max(0, looks) + sizes


def passes_of(
    rounds: Sequence[Round], arms: Sequence[str], decided: Sequence[RoundDecision]
) -> tuple[Pass, ...]:
    """Tell what the rounds begun so far make: the first one every arm, each later one what was decided.

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


def is_complete(rounds: Sequence[Round], decided: Sequence[RoundDecision]) -> bool:
    """Tell whether the last round has begun, so that there is nothing left to decide."""
    return len(rounds) == 1 or any(decision.is_next_last for decision in decided)
