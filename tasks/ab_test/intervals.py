"""The interval of a mean over rows."""

from collections.abc import Sequence
from statistics import fmean, stdev

LEVEL = 0.95


def mean_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a mean of scores, by Student's t, within 0 to 1.

    Args:
        values: One value a row, each in [0, 1].

    Returns:
        Its ends; ``None`` twice with fewer than two values, which say nothing of it.

    Example:
        >>> [round(end, 3) for end in mean_interval([0.5, 0.6, 0.7]) if end is not None]
        [0.352, 0.848]
    """
    if len(values) < 2:
        return None, None
    from scipy import special

    t = float(special.stdtrit(len(values) - 1, (1 + LEVEL) / 2))
    mean, half = fmean(values), t * stdev(values) / len(values) ** 0.5
    return max(0.0, mean - half), min(1.0, mean + half)
