"""The forest plot of segments: where each of two arms is better, kind of row by kind of row."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.report_page.facts import RunFacts

MOST_SHOWN = 24
LEAST_REACH = 0.05


def complete_segments(facts: RunFacts) -> list[dict[str, Any]]:
    """List the segments with an interval, with a common scale for drawing; those that are found come first.

    Returns:
        Mappings with ``arms``, ``variable``, ``value``, ``rows``, ``difference``, ``shrunk``, ``low``,
        ``high``, ``winner`` and ``reach``, half the scale.
    """
    known = [
        dict(segment)
        for segment in _segments(facts.ab_test or {})
        if segment["low"] is not None and segment["high"] is not None
    ]
    shown = sorted(known, key=lambda segment: segment["winner"] is None)[:MOST_SHOWN]
    ends = [abs(segment[end]) for segment in shown for end in ("low", "high")]
    reach = max([LEAST_REACH, *ends]) * 1.1
    return [segment | {"reach": reach} for segment in shown]


def known_interactions(facts: RunFacts) -> list[Mapping[str, Any]]:
    """List, for every two arms and variable, whether their difference depends on it, where that is known."""
    found = (facts.ab_test or {}).get("interactions") or ()
    return [one for one in found if one["p_value"] is not None]


def _segments(ab_test: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return ab_test.get("segments") or ()
