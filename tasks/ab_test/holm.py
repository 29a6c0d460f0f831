"""Holm's correction, so that many pairs of arms do not produce a winner by chance.

Written out, since statsmodels' ``multipletests`` collects garbage at each call (0.07 s and more).

Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure".
"""

from collections.abc import Sequence


def correct_by_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct the p-values that exist, in their order; a single one needs no correction."""
    known = sorted((p_value, place) for place, p_value in enumerate(p_values) if p_value is not None)
    corrected: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p_value, place) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p_value))
        corrected[place] = least
    return corrected
