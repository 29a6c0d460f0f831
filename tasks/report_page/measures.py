"""The page's figures: each arm's measures, the histogram of scores, the money, and what went wrong.

Counts are whole numbers and dollars are exact; a rate without a base is ``None``, never 0.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, median
from typing import Any

from tasks.report_page.facts import RunFacts
from tasks.report_page.rows import (
    Row,
    add_usd,
    count_orders,
    count_pictures,
    is_duplicate,
    is_estimated,
    is_unique_image,
)

_BIN_THOUSANDTHS = 20


def measure_arm(rows: Sequence[Row], tested: Mapping[str, Any]) -> dict[str, Any]:
    """Measure one arm's drafts; the test's own figures take precedence.

    Args:
        rows: The arm's report rows of stage ``draft``.
        tested: The test's figures for this arm; may be empty.

    Returns:
        ``pictures``, ``duplicate_rate``, ``refusal_rate``, ``failure_rate`` (shares of 1), ``mean_score`` and
        ``cost_per_unique_image_usd``: the drafts' cost divided by the unique images, ``None`` while an
        order's cost is unknown. ``cost_per_keeper_usd`` is its former name, with the same value.
        ``cost_per_acceptable_usd`` divides by those unique images that meet the campaign's conditions;
        ``None`` also without conditions, or while one is not answered.
        ``charged_per_unique_image_usd`` takes estimates for unknown costs. ``median_latency_s``,
        ``p95_latency_s`` and ``latency_per_unique_image_s``, seconds, are of requests that were answered with
        pictures; one answer is not asked for while another is awaited, so a run is faster than their sum.
    """
    pictures, unique_images = count_pictures(rows), [row for row in rows if is_unique_image(row)]
    answered = count_orders(rows, "received", "refused", "failed")
    scores = [row["score"] for row in unique_images if row["score"] is not None]
    spent, is_settled = add_usd(rows, "cost_usd"), not any(map(is_estimated, rows))
    cost_usd = spent / len(unique_images) if unique_images and spent and is_settled else None
    charged = spent + add_usd(filter(is_estimated, rows), "estimate_usd")
    own: dict[str, Any] = {
        "pictures": pictures,
        "duplicate_rate": _share(sum(map(is_duplicate, rows)), sum(1 for row in rows if row["status"])),
        "refusal_rate": _share(count_orders(rows, "refused"), answered),
        "failure_rate": _share(count_orders(rows, "failed"), answered),
        "mean_score": fmean(scores) if scores else None,
        "cost_per_unique_image_usd": cost_usd,
        "cost_per_keeper_usd": cost_usd,
        "cost_per_acceptable_usd": _cost_per_acceptable_usd(unique_images, spent if is_settled else None),
        "charged_per_unique_image_usd": charged / len(unique_images) if unique_images and charged else None,
        **_latencies(rows, len(unique_images)),
    }
    return own | {key: tested[key] for key in own if key in tested}


def measure_finals(drafts: Sequence[Row], finals: Sequence[Row]) -> dict[str, Any]:
    """Measure what one arm's accepted finals cost, with all its drafts and every attempt.

    Args:
        drafts: The arm's report rows of stage ``draft``.
        finals: Those of stage ``final``.

    Returns:
        ``accepted``, and ``charged_per_accepted_usd``: dollars, with estimates for unknown costs; ``None``
        without an accepted final.
    """
    accepted = sum(1 for row in finals if row["accepted"])
    rows = [*drafts, *finals]
    charged = add_usd(rows, "cost_usd") + add_usd(filter(is_estimated, rows), "estimate_usd")
    return {
        "accepted": accepted,
        "charged_per_accepted_usd": charged / accepted if accepted and charged else None,
    }


def _latencies(rows: Sequence[Row], n_unique: int) -> dict[str, float | None]:
    """Measure how long answers took, seconds; an order with several pictures counts once."""
    by_order = {
        row["order_id"]: row["latency_s"]
        for row in rows
        if row["state"] == "received" and row["latency_s"] is not None
    }
    seen = sorted(by_order.values())
    if not seen:
        return {"median_latency_s": None, "p95_latency_s": None, "latency_per_unique_image_s": None}
    return {
        "median_latency_s": median(seen),
        "p95_latency_s": seen[math.ceil(0.95 * len(seen)) - 1],
        "latency_per_unique_image_s": sum(seen) / n_unique if n_unique else None,
    }


def _cost_per_acceptable_usd(unique_images: Sequence[Row], spent_usd: Decimal | None) -> Decimal | None:
    are_met = [row["meets_conditions"] for row in unique_images]
    if not spent_usd or None in are_met or True not in are_met:
        return None
    return spent_usd / are_met.count(True)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Histogram:
    """The histogram of one arm's scores.

    Args:
        arm: The arm.
        low: The lower end of the axis, in thousandths of a score.
        counts: Pictures in each bin of 0.02, from ``low`` up; the last bin includes its upper end.
        highest: The highest count of any arm, so that all arms have one scale.
        mean: The mean score.
    """

    arm: str
    low: int
    counts: tuple[int, ...]
    highest: int
    mean: float

    @property
    def high(self) -> int:
        """The upper end of the axis, in thousandths."""
        return self.low + _BIN_THOUSANDTHS * len(self.counts)

    @property
    def mean_bins(self) -> float:
        """The position of the mean, in bins from the left."""
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
    """One line of the money table; ``arm`` is ``None`` for money that belongs to no arm.

    Args:
        stage: The stage of the orders.
        arm: The arm.
        orders: The number of orders.
        pictures: The number of pictures received.
        billed_usd: The sum of the known costs.
        estimated_usd: The sum of the estimates of orders whose cost is unknown.
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
        """The amount charged to the budget."""
        return self.billed_usd + self.estimated_usd


def account(rows: Sequence[Row], facts: RunFacts) -> list[MoneyLine]:
    """Sum the money by stage and arm.

    Money that a stage spent in addition to its rows has a line of its own.
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
    """Return the amount charged to the run's budget: the ledger's if known, else the rows' sum."""
    if facts.spent_usd:
        return sum(facts.spent_usd.values(), Decimal(0))
    return add_usd(rows, "cost_usd") + add_usd(filter(is_estimated, rows), "estimate_usd")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Orders that went wrong in the same way.

    Args:
        state: ``refused``, ``failed``, ``unknown``, ``unfit`` or ``downgraded``.
        code: The error code, or the difference from the order.
        orders: The number of orders.
        arms: Arm to number of orders.
        example: One of the messages.
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
