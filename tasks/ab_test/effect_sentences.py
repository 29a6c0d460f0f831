"""What factors do, as a sentence: which matter and by how much, which do not, which are not known yet."""

import math
from collections.abc import Callable, Sequence

from tasks.ab_test.best_combination import BestCombination
from tasks.ab_test.effects import Effect

NEGLIGIBLE = 0.02
"""A factor does not matter to a score or a share whose effects' intervals all stay within this."""
Show = Callable[[float], str]


def state_effects(
    effects: Sequence[Effect], by: str, show: Show, negligible: float = NEGLIGIBLE, step: float = 0.01
) -> str:
    """State the main effects, and the interactions that are told from none.

    Args:
        effects: From ``estimate_effects``.
        by: What is measured, as a sentence begins.
        show: Writes a difference, without a sign.
        negligible: The largest difference that does not matter.
        step: The smallest difference that is shown.

    Example:
        >>> effect = Effect(("light",), ("hard",), ("soft",), 0.08, 0.06, 0.1, 0.001, 0.001, True)
        >>> state_effects([effect], "by the judge", lambda value: f"{value:.2f}")
        'By the judge, light matters (+0.08 for hard instead of soft).'
    """
    mains = [one for one in effects if len(one.factors) == 1]
    if not mains:
        return ""
    said: dict[str, list[str]] = {"matters": [], "does not": [], "open": []}
    for factor in dict.fromkeys(one.factors[0] for one in mains):
        kind, words = _state([one for one in mains if one.factors[0] == factor], show, negligible, step)
        said[kind].append(f"{factor} {words}")
    if not said["matters"] and said["does not"]:
        said["does not"][0] = said["does not"][0].replace("does not", "does not matter", 1)
    parts = [part for kind in said.values() for part in kind]
    together = [_together(one, show) for one in effects if len(one.factors) > 1 and one.matters]
    return " ".join([f"{by[0].upper()}{by[1:]}, {', '.join(parts)}.", *together])


def state_best(best: BestCombination) -> str:
    """State the best combination, the score that is predicted for it, and whether it was made."""
    named = ", ".join(f"{factor} {level}" for factor, level in best.levels.items())
    interval = "" if best.low is None or best.high is None else f" ({best.low:.2f} to {best.high:.2f})"
    rest = "" if best.is_made else " It was never made: the prediction adds what its levels do elsewhere."
    if not best.is_told:
        rest = f" No level is told from another yet, so others may be as good.{rest}"
    return f"Best combination: {named}, predicted to score {best.value:.2f}{interval}.{rest}"


def _state(found: Sequence[Effect], show: Show, negligible: float, step: float) -> tuple[str, str]:
    """State one factor: it matters, it does not, or that is still open."""
    if told := [one for one in found if one.matters]:
        each = ", ".join(f"{_signed(one.difference, show)} for {one.levels[0]}" for one in told)
        return "matters", f"matters ({each} instead of {told[0].baselines[0]})"
    ends = [end for one in found for end in (one.low, one.high) if end is not None]
    if len(ends) < 2 * len(found):
        return "open", "is not settled"
    widest = max(map(abs, ends))
    if widest <= negligible:
        return "does not", f"does not (within ±{show(math.ceil(round(widest / step, 6)) * step)})"
    return "open", f"is not settled ({_signed(min(ends), show)} to {_signed(max(ends), show)})"


def _together(one: Effect, show: Show) -> str:
    both = " with ".join(f"{factor} {level}" for factor, level in zip(one.factors, one.levels, strict=True))
    kind = "more" if one.difference > 0 else "less"
    return f"Together, {both} makes {show(abs(one.difference))} {kind} than the two alone."


def _signed(value: float, show: Show) -> str:
    shown = show(abs(value))
    return shown if shown == show(0) else f"{'+' if value > 0 else '−'}{shown}"
