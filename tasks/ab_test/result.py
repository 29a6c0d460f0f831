"""The result of the A/B test: for each arm, for each pair of arms, and as one sentence."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

NOT_ENOUGH = "not enough evidence"


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm alone. A share whose base is empty is ``None``.

    Args:
        orders: Orders sent.
        pictures: Pictures received.
        compared: Unique images whose score is compared, each with its duplicates.
        duplicate_rate: Share of the pictures that are duplicates.
        refusal_rate: Share of the answered orders that were refused.
        failure_rate: Share of the answered orders that failed.
        mean_score: Mean score of what is compared.
        cost_per_unique_image_usd: Dollars spent for each unique image; ``None`` without one, or when a cost
            is unknown.
    """

    orders: int
    pictures: int
    compared: int
    duplicate_rate: float | None
    refusal_rate: float | None
    failure_rate: float | None
    mean_score: float | None
    cost_per_unique_image_usd: Decimal | None


def state_winner(arm: str) -> str:
    """Return the verdict that an arm wins."""
    return f"{arm} wins"


def winner_by(verdict: str | None, arms: Iterable[str]) -> str | None:
    """Return which of two arms wins by a verdict; ``None`` if neither does."""
    return next((arm for arm in arms if verdict == state_winner(arm)), None)


@dataclass(frozen=True, slots=True)
class PairResult:
    """Two arms against each other; figures are ``None`` when they share no row, or are unknown.

    Args:
        arms: The two names, A and B below.
        difference: Mean score of A minus B, over the shared rows.
        low: Lower end of its 95 % interval.
        high: Upper end.
        probability: Probability that a random picture of A beats one of B, ties counting half.
        p_value: Probability that equal arms show so large a difference, before correction.
        p_value_holm: The same, corrected for the number of pairs.
        verdict: ``<arm> wins`` or ``not enough evidence``.
        more_rows_needed: New rows, with as many pictures as now, to decide it with a probability of 80 %
            if the difference is as measured; ``None`` when decided, too small to matter, or unknown.
        more_pictures_needed: Pictures of each arm in those new rows; of one row, more pictures of it.
        rows: Rows compared.
        rows_left_out: Rows in which only one of the two has a score.
        pictures: Unique images compared, of A and of B.
        note: A caveat, or empty.
        unseen_share: The share of rows in which an arm may fail badly although, by a chance of 5 %, none of
            these rows shows it: the interval cannot contain that. ``None`` without rows.
    """

    arms: tuple[str, str]
    difference: float | None
    low: float | None
    high: float | None
    probability: float | None
    p_value: float | None
    p_value_holm: float | None
    verdict: str
    more_rows_needed: int | None
    more_pictures_needed: int | None
    rows: int
    rows_left_out: int
    pictures: tuple[int, int]
    note: str
    unseen_share: float | None = None

    @property
    def winner(self) -> str | None:
        """The arm that wins, or ``None``."""
        return winner_by(self.verdict, self.arms)


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """Two arms against each other in the rows that share a variable's value.

    Args:
        variable: The variable's name.
        value: Its value.
        arms: The two names, A and B below.
        rows: Rows compared.
        difference: Mean score of A minus B; ``None`` when they share no row there.
        low: Lower end of its 95 % interval.
        high: Upper end.
        shrunk: ``difference``, shrunk toward the mean of the variable's segments.
        p_value: Probability that equal arms show so large a difference, before correction.
        q_value: The same, corrected for false discoveries over all segments.
        winner: The arm that is better there, or ``None`` if the evidence is not enough.
    """

    variable: str
    value: str
    arms: tuple[str, str]
    rows: int
    difference: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    p_value: float | None
    q_value: float | None
    winner: str | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """Whether the difference of two arms depends on a variable.

    Args:
        variable: The variable's name.
        arms: The two names.
        p_value: Probability that rows whose difference does not depend on it vary so between its values;
            ``None`` where the differences of a value's rows do not vary.
    """

    variable: str
    arms: tuple[str, str]
    p_value: float | None


@dataclass(frozen=True, slots=True)
class AbTest:
    """The whole test.

    Args:
        headline: One sentence for people.
        arms: Each arm's own figures, by name.
        pairs: Every two arms, in order of their names.
        segments: Every two arms in each segment of the rows, if there are any.
        interactions: For every two arms, whether their difference depends on each variable of the segments.
    """

    headline: str
    arms: dict[str, ArmResult]
    pairs: tuple[PairResult, ...]
    segments: tuple[SegmentResult, ...] = ()
    interactions: tuple[Interaction, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Turn the result into JSON values: dollars become floats, tuples lists.

        ``cost_per_keeper_usd`` is the former name of ``cost_per_unique_image_usd``, kept for readers of it.
        """
        arms = {}
        for arm, result in self.arms.items():
            cost = result.cost_per_unique_image_usd
            cost_usd = None if cost is None else float(cost)
            arms[arm] = asdict(result) | {
                "cost_per_unique_image_usd": cost_usd,
                "cost_per_keeper_usd": cost_usd,
            }
        pairs = [
            asdict(pair) | {"arms": list(pair.arms), "pictures": list(pair.pictures)} for pair in self.pairs
        ]
        segments = [asdict(segment) | {"arms": list(segment.arms)} for segment in self.segments]
        depends = [asdict(one) | {"arms": list(one.arms)} for one in self.interactions]
        return {
            "headline": self.headline,
            "arms": arms,
            "pairs": pairs,
            "segments": segments,
            "interactions": depends,
        }
