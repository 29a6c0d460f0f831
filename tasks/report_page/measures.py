"""The page's figures: each arm's measures, the scores' histogram, the money, and what went wrong.

Counts are whole numbers and dollars are exact; a rate whose base is empty is ``None``, never 0.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean
from typing import Any

from tasks.report_page.facts import RunFacts
from tasks.report_page.rows import (
    Row,
    add_usd,
    count_orders,
    count_pictures,
    is_copy,
    is_estimated,
    is_survivor,
)

_BIN_THOUSANDTHS = 20


def measure_arm(rows: Sequence[Row], tested: Mapping[str, Any]) -> dict[str, Any]:
    """Measure one arm's drafts; what the test itself measured goes first.

    Args:
        rows: The arm's report rows of stage ``draft``.
        tested: The test's figures for this arm, or nothing.

    Returns:
        ``pictures``, ``duplicate_rate``, ``refusal_rate``, ``failure_rate`` (shares of 1), ``mean_score`` and
        ``cost_per_keeper_usd``: the drafts' cost shared over the survivors, ``None`` while an
        order's cost is unknown.
    """
    pictures, survivors = count_pictures(rows), [row for row in rows if is_survivor(row)]
    answered = count_orders(rows, "received", "refused", "failed")
    scores = [row["score"] for row in survivors if row["score"] is not None]
    spent, is_settled = add_usd(rows, "cost_usd"), not any(map(is_estimated, rows))
    own: dict[str, Any] = {
        "pictures": pictures,
        "duplicate_rate": _share(sum(map(is_copy, rows)), sum(1 for row in rows if row["status"])),
        "refusal_rate": _share(count_orders(rows, "refused"), answered),
        "failure_rate": _share(count_orders(rows, "failed"), answered),
        "mean_score": fmean(scores) if scores else None,
        "cost_per_keeper_usd": spent / len(survivors) if survivors and spent and is_settled else None,
    }
    return own | {key: tested[key] for key in own if key in tested}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often each score occurs in one arm.

    Args:
        arm: The arm.
        low: Where the axis begins, in thousandths of a score.
        counts: Pictures in each bin of 0.02, from ``low`` up; the last bin includes its upper end.
        highest: The highest count of any arm, so that arms share one scale.
        mean: The mean score.
    """

    arm: str
    low: int
    counts: tuple[int, ...]
    highest: int
    mean: float

    @property
    def high(self) -> int:
        """Where the axis ends, in thousandths."""
        return self.low + _BIN_THOUSANDTHS * len(self.counts)

    @property
    def mean_bins(self) -> float:
        """Where the mean stands, in bins from the left."""
        return (self.mean * 1000 - self.low) / _BIN_THOUSANDTHS

    @property
    def ticks(self) -> list[float]:
        """Round scores along the axis."""
        step = 100 if self.high - self.low <= 500 else 200
        first = -(-self.low // step) * step
        return [tick / 1000 for tick in range(first, self.high + 1, step)]

    @property
    def total(self) -> int:
        """How many pictures have a score."""
        return sum(self.counts)


def count_scores(scores: Mapping[str, Sequence[float]]) -> list[Histogram]:
    """Count the scores of each arm on one shared axis of whole tenths, 0.4 wide or more.

    Args:
        scores: Arm to its scores, each in [0, 1]; arms without a score are left out.
    """
    given = {arm: [round(score * 1000) for score in values] for arm, values in scores.items() if values}
    if not given:
        return []
    low, high = _choose_axis(value for values in given.values() for value in values)
    counts = {arm: _count(values, low, high) for arm, values in given.items()}
    highest = max(max(bins) for bins in counts.values())
    return [Histogram(arm, low, bins, highest, fmean(scores[arm])) for arm, bins in counts.items()]


def _choose_axis(thousandths: Iterable[int]) -> tuple[int, int]:
    values = list(thousandths)
    low, high = min(values) // 100 * 100, math.ceil(max(values) / 100) * 100
    while high - low < 400:
        low, high = (low - 100, high) if high >= 1000 else (low, high + 100)
        if high - low < 400 and low > 0:
            low -= 100
    return low, high


def _count(thousandths: Iterable[int], low: int, high: int) -> tuple[int, ...]:
    bins = [0] * ((high - low) // _BIN_THOUSANDTHS)
    for value in thousandths:
        bins[min((value - low) // _BIN_THOUSANDTHS, len(bins) - 1)] += 1
    return tuple(bins)


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line of the money table; ``arm`` is ``None`` for what belongs to no arm.

    Args:
        stage: What the orders were for.
        arm: Their arm.
        orders: How many.
        pictures: How many pictures came of them.
        billed_usd: What those cost whose cost is known.
        estimated_usd: What stands for the others: their estimates.
        refused: Orders refused.
        failed: Orders that failed.
        unknown: Orders without an answer.
    """

    stage: str
    arm: str | None
    orders: int
    pictures: int
    billed_usd: Decimal
    estimated_usd: Decimal
    refused: int
    failed: int
    unknown: int

    @property
    def spent_usd(self) -> Decimal:
        """What these orders weigh on the budget."""
        return self.billed_usd + self.estimated_usd


def account(rows: Sequence[Row], facts: RunFacts) -> list[MoneyLine]:
    """Tell where the money went, by stage and arm.

    What a stage spent beyond its rows (a judge's calls) gets a line of its own.
    """
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["stage"], row["arm"]].append(row)
    lines = [_sum_up(stage, arm, group) for (stage, arm), group in sorted(groups.items())]
    for stage, spent in facts.spent_usd.items():
        rest = spent - sum((line.spent_usd for line in lines if line.stage == stage), Decimal(0))
        if rest:
            lines.append(MoneyLine(stage, None, 0, 0, rest, Decimal(0), 0, 0, 0))
    return lines


def _sum_up(stage: str, arm: str, rows: Sequence[Row]) -> MoneyLine:
    return MoneyLine(
        stage,
        arm,
        orders=len({row["order_id"] for row in rows}),
        pictures=count_pictures(rows),
        billed_usd=add_usd(rows, "cost_usd"),
        estimated_usd=add_usd(filter(is_estimated, rows), "estimate_usd"),
        refused=count_orders(rows, "refused"),
        failed=count_orders(rows, "failed"),
        unknown=count_orders(rows, "unknown"),
    )


def total_spent(rows: Sequence[Row], facts: RunFacts) -> Decimal:
    """Add up what the run weighs on its budget: the ledger's figure if the facts have it, else the rows'."""
    if facts.spent_usd:
        return sum(facts.spent_usd.values(), Decimal(0))
    return add_usd(rows, "cost_usd") + add_usd(filter(is_estimated, rows), "estimate_usd")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Orders that went wrong in the same way.

    Args:
        state: ``refused``, ``failed``, ``unknown``, ``unfit`` or ``downgraded``.
        code: The error code, or what was different.
        orders: How many.
        arms: Arm to how many.
        example: One message.
        prompt: The prompt of that example.
    """

    state: str
    code: str
    orders: int
    arms: Mapping[str, int]
    example: str | None
    prompt: str


def group_troubles(rows: Iterable[Row]) -> list[Trouble]:
    """Group what went wrong by kind and code, the most frequent first."""
    groups: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if kind := _what_is_wrong(row):
            groups[kind].setdefault(row["candidate_id"] or row["order_id"], row)
    troubles = [_describe(kind, list(group.values())) for kind, group in groups.items()]
    return sorted(troubles, key=lambda trouble: (-trouble.orders, trouble.state, trouble.code))


def _what_is_wrong(row: Row) -> tuple[str, str] | None:
    if row["state"] in ("refused", "failed", "unknown"):
        return row["state"], row["error_code"] or "no code given"
    if row["status"] == "unfit":
        return "unfit", row["error_code"] or "not fit to show"
    return ("downgraded", row["downgraded"]) if row["downgraded"] else None


def _describe(kind: tuple[str, str], rows: Sequence[Row]) -> Trouble:
    arms: dict[str, int] = defaultdict(int)
    for row in rows:
        arms[row["arm"]] += 1
    example = next((row for row in rows if row["error_message"]), rows[0])
    return Trouble(*kind, len(rows), dict(sorted(arms.items())), example["error_message"], example["prompt"])
