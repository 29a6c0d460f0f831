"""Segments: the rows that have one value of a variable in common, such as all prompts of one category.

Two arms may be alike on the whole because each is better for something else. So they are compared in every
segment too, and the share of false discoveries among all segments of a run is held at 5 %: with equal arms
everywhere, at most one campaign in twenty names a segment.

A difference seen in a few rows is too large more often than too small. So each is shrunk toward the mean of
its variable's segments, by as much as the segments' spread is what their errors alone would show.

Source: Y. Benjamini, Y. Hochberg (1995), "Controlling the false discovery rate"; R. DerSimonian, N. Laird
(1986), "Meta-analysis in clinical trials" (the variance between segments); B. Efron, C. Morris (1975), "Data
analysis using Stein's estimator and its generalizations" (shrinkage).
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

LEAST_ROWS = 3
MOST_VALUES = 8
"""A variable with more values is no kind of prompt, but what tells prompts apart."""
FALSE_DISCOVERIES = 0.05


class Segment(NamedTuple):
    """Rows that share a variable's value.

    Args:
        variable: The variable's name.
        value: Its value, as text.
        rows: Indices of the rows.
    """

    variable: str
    value: str
    rows: frozenset[int]


def find_segments(
    variables: Sequence[Mapping[str, Any]], names: Collection[str] | None = None
) -> list[Segment]:
    """Find the segments of a campaign: of each variable with two to eight values, those with three rows.

    Args:
        variables: The campaign's rows, in order.
        names: The variables that count, whatever number of values they have; ``None`` for all.

    Example:
        >>> rows = [{"light": light, "n": n} for n in range(9) for light in ("hard", "soft")]
        >>> [(one.variable, one.value, len(one.rows)) for one in find_segments(rows)]
        [('light', 'hard', 9), ('light', 'soft', 9)]
    """
    by_value: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for place, row in enumerate(variables):
        for name, value in row.items():
            by_value[name][str(value)].add(place)
    found = []
    for name, values in by_value.items():
        large = {value: rows for value, rows in values.items() if len(rows) >= LEAST_ROWS}
        is_wanted = len(values) <= MOST_VALUES if names is None else name in names
        if is_wanted and len(large) >= 2:
            found += [Segment(name, value, frozenset(rows)) for value, rows in large.items()]
    return found


def hold_false_discoveries(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values: of those that are up to 5 % then, at most 5 % are false discoveries."""
    known = [place for place, p_value in enumerate(p_values) if p_value is not None]
    corrected: list[float | None] = [None] * len(p_values)
    if known:
        from scipy import stats

        adjusted = stats.false_discovery_control([p_values[place] or 0.0 for place in known])
        for place, value in zip(known, adjusted.tolist(), strict=True):
            corrected[place] = value
    return corrected


def shrink_in_groups(
    groups: Sequence[Hashable], values: Sequence[float | None], errors: Sequence[float | None]
) -> list[float | None]:
    """Shrink each value toward the mean of its group; ``None`` where it, or its error, is not known.

    Args:
        groups: What each belongs to, such as two arms and a variable.
        values: What was measured in each.
        errors: Their standard errors; 0 is not known either.
    """
    together: dict[Hashable, list[tuple[int, float, float]]] = defaultdict(list)
    for place, (group, value, error) in enumerate(zip(groups, values, errors, strict=True)):
        if value is not None and error:
            together[group].append((place, value, error))
    found: list[float | None] = [None] * len(groups)
    for known in together.values():
        places, measured, uncertain = zip(*known, strict=True)
        for place, value in zip(places, shrink(measured, uncertain), strict=True):
            found[place] = value
    return found


def shrink(values: Sequence[float], errors: Sequence[float]) -> list[float]:
    """Shrink a variable's segments toward their mean.

    Args:
        values: What was measured in each.
        errors: Their standard errors, above 0.
    """
    measured, precision = np.array(values), np.array(errors) ** -2.0
    mean = float(precision @ measured / precision.sum())
    spread = float(precision @ (measured - mean) ** 2)
    scale = float(precision.sum() - (precision**2).sum() / precision.sum())
    between = max(spread - (len(values) - 1), 0.0) / scale if scale > 0 else 0.0
    trusted = between / (between + 1 / precision)
    return [float(one) for one in mean + trusted * (measured - mean)]
