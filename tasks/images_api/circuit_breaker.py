"""The circuit breaker: it closes a judge's buyer after several failures in a row."""

from collections.abc import Callable

from tasks.errors import RunoffError, StopRunError
from tasks.images_api.buyer import Purchase

FAILURE_THRESHOLD = 6
"""In a row, without an answer between them. The retry policy has been applied to each already, so six of them
are minutes without a judge, not one bad moment.
"""


class CircuitBreaker:
    """Watches a buyer and closes it after several failures in a row.

    Args:
        watch: Called with every order's end as well.
        close: Closes the buyer.
        failure_threshold: How many failures in a row close the buyer.
    """

    def __init__(
        self,
        watch: Callable[[Purchase], None],
        close: Callable[[RunoffError], None],
        failure_threshold: int = FAILURE_THRESHOLD,
    ) -> None:
        self._watch = watch
        self._close = close
        self._failure_threshold = failure_threshold
        self._n_failures = 0

    def __call__(self, purchase: Purchase) -> None:
        """Count one order's end; an answer or a refusal resets the count."""
        self._watch(purchase)
        self._n_failures = self._n_failures + 1 if purchase.state in ("failed", "unknown") else 0
        if self._n_failures >= self._failure_threshold:
            self._close(_given_up(purchase, self._n_failures))


def _given_up(last: Purchase, n_failures: int) -> StopRunError:
    cause = f"; the last: {last.fault.code}: {last.fault.message}" if last.fault else ""
    return StopRunError(
        where=f"provider {last.order.provider}, model {last.order.parameters.get('model')}",
        what=f"{n_failures} questions in a row failed{cause}",
        money="Answers are kept; questions without an answer are charged only if they are unknown.",
        next_step=f"Ask again later with: runoff run --resume {last.order.run_id}",
    )
