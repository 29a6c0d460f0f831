"""The plot of effects: what each level of a factor changes, measure by measure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.report_page.facts import RunFacts

NAMES = {
    "total": "Total score",
    "people": "People’s votes",
    "dollars": "Dollars a picture",
    "seconds": "Seconds a request",
    "refusals": "Refusals",
    "duplicates": "Duplicates",
}
LEAST_REACH = 1e-6
MOST_DECIMALS = 9
"""Those of a nano-dollar."""


def complete_effects(facts: RunFacts) -> list[dict[str, Any]]:
    """List the measures with the effects to draw: main effects, and interactions that are told from none.

    Returns:
        Mappings with ``name``, ``headline``, ``decimals``, ``left_out``, the number of interactions that are
        not drawn, and ``effects``, each with ``label``, ``against``, ``difference``, ``low``, ``high``,
        ``verdict`` and ``reach``, half the measure's scale.
    """
    measures = ((facts.ab_test or {}).get("effects") or {}).get("measures") or {}
    return [_complete(name, measure) for name, measure in measures.items()]


def _complete(name: str, measure: Mapping[str, Any]) -> dict[str, Any]:
    effects: Sequence[Mapping[str, Any]] = measure["effects"]
    shown = [one for one in effects if len(one["factors"]) == 1 or one["matters"]]
    ends = [abs(one[end]) for one in shown for end in ("low", "high", "difference") if one[end] is not None]
    reach = max([LEAST_REACH, *ends]) * 1.1
    return {
        "name": NAMES.get(name, f"Score {name}"),
        "headline": measure["headline"],
        "decimals": _decimals(4 if name == "dollars" else 3, effects),
        "left_out": len(effects) - len(shown),
        "effects": [_label(one, measure["negligible"]) | {"reach": reach} for one in shown],
    }


def _decimals(usual: int, effects: Sequence[Mapping[str, Any]]) -> int:
    """Return how many decimals show every difference that matters, if only by one digit."""
    least = min((abs(one["difference"]) for one in effects if one["matters"]), default=0)
    return min(MOST_DECIMALS, max(usual, math.ceil(-math.log10(least)))) if least else usual


def _label(effect: Mapping[str, Any], negligible: float) -> dict[str, Any]:
    pairs = zip(effect["factors"], effect["levels"], strict=True)
    label = " and ".join(f"{factor} {level}" for factor, level in pairs)
    is_main = len(effect["factors"]) == 1
    against = f"instead of {effect['baselines'][0]}" if is_main else "together, beyond what each does alone"
    ends = [abs(end) for end in (effect["low"], effect["high"]) if end is not None]
    verdict = "does not matter" if ends and max(ends) <= negligible else "not settled"
    verdict = "matters" if effect["matters"] else verdict
    return dict(effect) | {"label": label, "against": against, "verdict": verdict}
