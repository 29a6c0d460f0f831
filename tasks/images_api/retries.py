"""When an order is sent again: backoff with jitter, by what its failures mean for the money.

No retry library: tenacity and its like wrap one call, while here an order goes back to ``planned`` in the
ledger before each wait, and some waits hold every run on the account.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.images_api.failures import Failure, FailureKind

JITTER = 0.25
"""Each wait is longer by up to this share, at random, so that many processes do not wake at once.

It is only added: what the provider asks for in ``Retry-After`` is the least.
"""
UNSENT_BACKOFF_S = (1.0, 4.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)
"""Nothing left this machine: exponential, since most broken connections are back within a second, then capped
at what a router or a proxy takes to start anew; five minutes in all, for all orders together
(``tasks.images_api.outage``).
"""
SERVER_FAULT_BACKOFF_S = (5.0, 20.0)
"""The provider failed and said so: twice, since a third failure is more likely the request's own."""
RATE_LIMIT_BACKOFF_S = 10.0
"""After a rate limit without a ``Retry-After``; what slows the run down is the rate, which is halved."""
RETRY_AFTER_MARGIN_S = 0.5
"""Providers tell ``Retry-After`` in whole seconds, and their clocks may be a little behind."""
SLOW_DOWN_HOLD_S = 900.0
"""How long the rate stays halved after the vendor's "Slow Down", which asks for a quarter of an hour."""
LONGEST_RATE_LIMIT_S = 1800.0
"""A run that is told to wait longer than this in all for one order is stopped; it can be resumed."""

Chance = Callable[[], float]
"""Draws from [0, 1), as ``random.random`` does."""


def with_jitter(wait_s: float, chance: Chance) -> float:
    """Lengthen a wait at random, by up to `JITTER` of it.

    Args:
        wait_s: The least, seconds.
        chance: Where the randomness comes from.
    """
    return wait_s * (1 + JITTER * chance())


@dataclass(slots=True)
class Retries:
    """What one order has met so far.

    Args:
        chance: Where the jitter comes from.
    """

    chance: Chance
    _failures: Counter[FailureKind] = field(default_factory=Counter)
    _limited_s: float = 0.0

    def wait_s(self, failure: Failure) -> float | None:
        """Tell how long to wait before the order is sent again, seconds; ``None`` when it is not."""
        least_s = self._least_wait_s(failure)
        return None if least_s is None else with_jitter(least_s, self.chance)

    def _least_wait_s(self, failure: Failure) -> float | None:
        n_before = self._failures[failure.kind]
        self._failures[failure.kind] += 1
        if failure.kind not in (FailureKind.rate_limited, FailureKind.server_fault):
            return None
        if failure.kind is FailureKind.rate_limited:
            asked_s = failure.retry_after_s
            least_s = RATE_LIMIT_BACKOFF_S if asked_s is None else asked_s + RETRY_AFTER_MARGIN_S
            self._limited_s += least_s
            return least_s if self._limited_s <= LONGEST_RATE_LIMIT_S else None
        return SERVER_FAULT_BACKOFF_S[n_before] if n_before < len(SERVER_FAULT_BACKOFF_S) else None
