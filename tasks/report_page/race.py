"""The race of the arms over all nights of a campaign: every two arms, and which arms are out."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tasks.report_page.facts import RunFacts

LEAST_REACH = 0.05


class Race(NamedTuple):
    """What the page shows of the nights.

    Args:
        nights: Number of nights.
        pairs: Every two arms, as ``tasks.ab_test.night_verdicts.NightsPair`` has them, with ``reach``, half
            the common scale; those with a winner first.
        out: The arms that are retired, or are from the next run on, and why.
    """

    nights: int
    pairs: list[dict[str, Any]]
    out: Mapping[str, str]


def show_race(facts: RunFacts) -> Race | None:
    """Describe the race; ``None`` if there was one night only."""
    found = (facts.ab_test or {}).get("nights")
    if not found:
        return None
    pairs = sorted(found["pairs"], key=lambda pair: pair["winner"] is None)
    ends = [abs(pair[end] or 0.0) for pair in pairs for end in ("anytime_low", "anytime_high")]
    reach = max([LEAST_REACH, *ends]) * 1.1
    out = found.get("retired", {}) | found.get("retiring", {})
    return Race(found["nights"], [pair | {"reach": reach} for pair in pairs], out)
