"""CircuitBreaker with a judge that is down: after some failures in a row it is not asked any more."""

from collections.abc import Callable

from tasks.errors import RunoffError, StopRunError
from tasks.images_api.buyer import Purchase

FAILURE_THRESHOLD = 6
"""In a row, without one answer between. Each has been sent again already where that may help, so six of them
are minutes of a judge that is down, and not one bad moment.
"""


class CircuitBreaker:
    """Watches a buyer and closes it when nothing but failures comes back.

    Args:
        watch: Told of every order's end as well.
        close: Closes the buyer.
        failure_threshold: How many in a row are borne.
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
        """Count one order's end; an answer or a refusal begins the count anew."""
        self._watch(purchase)
        self._n_failures = self._n_failures + 1 if purchase.state in ("failed", "unknown") else 0
        if self._n_failures >= self._failure_threshold:
            self._close(_given_up(purchase, self._n_failures))


def _given_up(last: Purchase, n_failures: int) -> StopRunError:
    said = f"; the last: {last.fault.code}: {last.fault.message}" if last.fault else ""
    return StopRunError(
        where=f"provider {last.order.provider}, model {last.order.parameters.get('model')}",
        what=f"{n_failures} questions in a row failed{said}",
        money="What was answered stays; questions without an answer are charged only where it is unknown.",
        next_step=f"Ask again later with: runoff run --resume {last.order.run_id}",
    )
