"""The adaptive rate of an account: halved by a rate limit error, raised again by each window without one.

Additive increase and multiplicative decrease, with a slow start where no limit is known. The names are those
of congestion control in TCP (RFC 5681). Rates are pictures per window.
"""

MULTIPLICATIVE_DECREASE = 1 / 2
"""The share of the rate that is left after a rate limit error: the backlog drains within a window."""
ADDITIVE_INCREASE = 1 / 10
"""The share of the known limit that a window without an error restores: five windows from half to all of it,
slow enough that a permanently lowered limit is hit once in some minutes, not in each.
"""
SLOW_START = 1.5
"""The factor per window by which the rate grows where no limit is known. TCP doubles; here a rate that is too
high costs errors and a wait of the whole account, and doubling overshoots at once.
"""
MOST_SLOW_START_WINDOWS = 60
"""The most windows that a pause makes up for: the rate stays finite."""
LEAST_RATE = 1.0
"""Pictures per window: a lower rate would never find out that the limit was raised."""


def halved(rate: float) -> float:
    """Return the rate after a rate limit error at this rate."""
    return max(LEAST_RATE, rate * MULTIPLICATIVE_DECREASE)


def recovered(rate: float, limit: float | None, n_windows: int) -> float:
    """Return the rate after windows without a rate limit error.

    Args:
        rate: The rate before.
        limit: The provider's limit; ``None`` when not known.
        n_windows: How many windows have passed, 0 or more.

    Returns:
        At most the limit; a rate that is above a known limit is left as it is.
    """
    if limit is None:
        return rate * SLOW_START ** min(n_windows, MOST_SLOW_START_WINDOWS)
    return rate if rate >= limit else min(limit, rate + n_windows * ADDITIVE_INCREASE * limit)
