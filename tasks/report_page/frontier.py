"""Score against dollars: which arms no other arm beats in both, and what they differ in besides the model.

An arm is on the frontier if no other is at least as good for at most as much, and better in one of the two.
Dollars are those charged for each unique image, with estimates where a cost is not known.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tasks.money import format_usd
from tasks.report_page.facts import ArmFacts

WIDTH, HEIGHT = 640, 300
"""Of the chart, in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 20, 16, 34
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One arm in the chart.

    Args:
        arm: The arm.
        score: Its mean score.
        usd: Dollars for each unique image.
        is_best: Whether it is on the frontier.
        x: Its place from the left, in the chart's units.
        y: Its place from the top.
    """

    arm: str
    score: float
    usd: float
    is_best: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Frontier:
    """The chart.

    Args:
        points: The arms, the cheapest first.
        usd_ticks: Places from the left, with their labels.
        score_ticks: Places from the top, with their labels.
        sentence: Which arms are on the frontier.
        differences: What the arms differ in besides the model; empty where they differ in nothing else.
    """

    points: tuple[Point, ...]
    usd_ticks: tuple[tuple[float, str], ...]
    score_ticks: tuple[tuple[float, str], ...]
    sentence: str
    differences: str

    @property
    def line(self) -> str:
        """The frontier's corners, as an SVG path: a step where a dearer arm scores higher."""
        best = [point for point in self.points if point.is_best]
        steps = [f"M{best[0].x:.1f} {best[0].y:.1f}"] if best else []
        for before, after in itertools.pairwise(best):
            steps += [f"H{after.x:.1f}", f"V{after.y:.1f}"] if after.y != before.y else [f"H{after.x:.1f}"]
        return " ".join(steps)


def draw_frontier(arms: Sequence[Mapping[str, Any]]) -> Frontier | None:
    """Build the chart of a run; ``None`` with fewer than two arms that have a score and a price.

    Args:
        arms: Each arm's ``name``, ``facts`` and ``measures``.
    """
    known = [
        (str(arm["name"]), float(arm["measures"]["mean_score"]), _usd_of(arm["measures"]))
        for arm in arms
        if arm["measures"]["mean_score"] is not None and _usd_of(arm["measures"]) > 0
    ]
    if len(known) < 2:
        return None
    known.sort(key=lambda one: (one[2], -one[1]))
    most_usd = max(usd for *_, usd in known) * 1.12
    low = math.floor(min(score for _, score, _ in known) * 10 - 0.3) / 10
    high = math.ceil(max(score for _, score, _ in known) * 10 + 0.3) / 10
    low, high = max(low, 0.0), min(max(high, low + 0.2), 1.0)

    def x_of(usd: float) -> float:
        return _LEFT + usd / most_usd * (WIDTH - _LEFT - _RIGHT)

    def y_of(score: float) -> float:
        return _TOP + (high - score) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    points = tuple(
        Point(name, score, usd, _is_best((score, usd), known), x_of(usd), y_of(score))
        for name, score, usd in known
    )
    steps = [most_usd / 1.12 * step / _TICKS for step in range(_TICKS + 1)]
    n_scores = round((high - low) * 10)
    scores = [low + step / 10 for step in range(n_scores + 1)]
    return Frontier(
        points=points,
        usd_ticks=tuple((x_of(usd), f"${usd:.4f}" if usd else "$0") for usd in steps),
        score_ticks=tuple((y_of(score), f"{score:.1f}") for score in scores),
        sentence=_sentence(points),
        differences=describe_differences({str(arm["name"]): arm["facts"] for arm in arms}),
    )


def _usd_of(measures: Mapping[str, Any]) -> float:
    return float(measures["cost_per_unique_image_usd"] or measures["charged_per_unique_image_usd"] or 0)


def _is_best(one: tuple[float, float], known: Sequence[tuple[str, float, float]]) -> bool:
    score, usd = one
    return not any(
        other >= score and cost <= usd and (other > score or cost < usd) for _, other, cost in known
    )


def _sentence(points: Sequence[Point]) -> str:
    best = [point for point in points if point.is_best]
    names = " and ".join(point.arm for point in best)
    if len(best) == 1:
        return f"{names} has the highest mean score and the lowest price of a unique image."
    beaten = [point.arm for point in points if not point.is_best]
    told = f"; {' and '.join(beaten)} {'is' if len(beaten) == 1 else 'are'} beaten in both" if beaten else ""
    cheapest, dearest = best[0], best[-1]
    dollars = " instead of ".join(format_usd(Decimal(f"{one.usd:.6f}")) for one in (dearest, cheapest))
    more = f"{dearest.score - cheapest.score:.2f} more than {cheapest.arm}"
    return f"On the frontier: {names}{told}. {dearest.arm} scores {more}, at {dollars} a unique image."


def describe_differences(arms: Mapping[str, ArmFacts]) -> str:
    """Say what arms of different models or providers differ in besides; empty where in nothing.

    Args:
        arms: The arms by name.
    """
    asked = {name: {**facts.parameters, "provider": facts.provider} for name, facts in arms.items()}
    if all(len(_values(asked, key)) == 1 for key in ("model", "provider")):
        return ""
    keys = sorted({key for own in asked.values() for key in own} - {"model", "provider"})
    parts = []
    for key in keys:
        by_value = _values(asked, key)
        if len(by_value) > 1:
            told = "; ".join(f"{', '.join(names)}: {value}" for value, names in by_value.items())
            parts.append(f"{key.replace('_', ' ')} ({told})")
    return f"Besides the model and who sells it, the arms differ in {', '.join(parts)}." if parts else ""


def _values(asked: Mapping[str, Mapping[str, object]], key: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, own in asked.items():
        found.setdefault(str(own.get(key, "not given")), []).append(name)
    return found
