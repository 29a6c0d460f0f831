"""The plot of interactions: the mean score of every two levels; parallel lines are no interaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.report_page.facts import RunFacts

MOST_PLOTS = 6
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 220, 42, 96, 14, 34
COLOURS = 6
_LABEL_GAP = 14
_LABEL_CHARACTERS = 13
_LEAST_SPAN = 0.02


def draw_interactions(facts: RunFacts) -> list[dict[str, Any]]:
    """Lay out one plot for every two factors, those that were found to work together first.

    Returns:
        Mappings with ``title``, ``found``, ``ticks`` (text and y), ``levels`` (text and x of the first
        factor's), and ``lines``, each with ``label``, ``colour``, ``label_y`` and ``points`` (x, y and mean).
    """
    effects = (facts.ab_test or {}).get("effects") or {}
    told = {
        tuple(one["factors"])
        for one in (effects.get("measures") or {}).get("total", {}).get("effects", ())
        if len(one["factors"]) > 1 and one["matters"]
    }
    pairs = sorted(effects.get("pair_means") or (), key=lambda pair: tuple(pair["factors"]) not in told)
    shown = pairs[:MOST_PLOTS]
    means = [value for pair in shown for line in pair["means"] for value in line]
    if not means:
        return []
    middle, span = (max(means) + min(means)) / 2, max(max(means) - min(means), _LEAST_SPAN)
    scale = (middle - span * 0.55, middle + span * 0.55)
    return [_plot(pair, scale, is_found=tuple(pair["factors"]) in told) for pair in shown]


def _plot(pair: Mapping[str, Any], scale: tuple[float, float], *, is_found: bool) -> dict[str, Any]:
    (along, by), (firsts, seconds) = pair["factors"], pair["levels"]
    low, high = scale
    room = (WIDTH - LEFT - RIGHT) / max(len(firsts) - 1, 1)
    x = [round(LEFT + place * room, 1) for place in range(len(firsts))]

    def y_of(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    lines = [
        {
            "label": _short(second),
            "colour": place % COLOURS,
            "points": [(x[at], y_of(row[place]), row[place]) for at, row in enumerate(pair["means"])],
        }
        for place, second in enumerate(seconds)
    ]
    ends = _apart([y_of(value) for value in pair["means"][-1]])
    return {
        "title": f"{along} and {by}",
        "found": is_found,
        "by": by,
        "ticks": [(f"{value:.2f}", y_of(value)) for value in (low, (low + high) / 2, high)],
        "levels": [(_short(first), at) for first, at in zip(firsts, x, strict=True)],
        "lines": [line | {"label_y": end} for line, end in zip(lines, ends, strict=True)],
    }


def _short(name: str) -> str:
    return name if len(name) <= _LABEL_CHARACTERS else f"{name[: _LABEL_CHARACTERS - 1]}…"


def _apart(heights: Sequence[float]) -> list[float]:
    """Move labels apart where lines end close to one another, and keep them in the plot."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    placed = [0.0] * len(heights)
    least = float(TOP)
    for place in order:
        placed[place] = max(heights[place], least)
        least = placed[place] + _LABEL_GAP
    over = max(placed) - (HEIGHT - BOTTOM)
    return [round(max(one - max(over, 0.0), TOP - 8.0) + 4, 1) for one in placed]
