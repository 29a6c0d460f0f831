"""The circuit breaker: it closes a buyer after several losses in a row.

A judge's buyer closes when questions fail, since pictures can be shown without them. A buyer of pictures
closes when more answers are lost than one broken connection can take with it, since each loss is charged.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tasks.errors import RunoffError, StopRunError
from tasks.images_api.buyer import Purchase
from tasks.order import OrderState

FAILURE_THRESHOLD = 6
"""In a row, without an answer between them. The retry policy has been applied to each already, so six of them
are minutes without an answer, not one bad moment.
"""

UNANSWERED: tuple[OrderState, ...] = ("failed", "unknown")
LOST: tuple[OrderState, ...] = ("unknown",)


@dataclass(slots=True)
class CircuitBreaker:
    """Watches a buyer and closes it after several losses in a row.

    Args:
        watch: Called with every order's end as well.
        close: Closes the buyer.
        losses: The ends that count; any other begins the count anew.
        threshold: How many in a row close the buyer.
        explain: Builds the reason from the last loss and the number of losses.
    """

    watch: Callable[[Purchase], None]
    close: Callable[[RunoffError], None]
    losses: Collection[OrderState]
    threshold: int
    explain: Callable[[Purchase, int], RunoffError]
    _n_losses: int = 0

    def __call__(self, purchase: Purchase) -> None:
        """Count one order's end."""
        self.watch(purchase)
        self._n_losses = self._n_losses + 1 if purchase.state in self.losses else 0
        if self._n_losses >= self.threshold:
            self.close(self.explain(purchase, self._n_losses))


def for_questions(
    watch: Callable[[Purchase], None],
    close: Callable[[RunoffError], None],
    threshold: int = FAILURE_THRESHOLD,
) -> CircuitBreaker:
    """Make the breaker of a judge: what counts is a question without an answer.

    Args:
        watch: Called with every order's end as well.
        close: Closes the judge's buyer.
        threshold: How many in a row close it.
    """
    return CircuitBreaker(watch, close, UNANSWERED, threshold, _without_judge)


def for_pictures(
    watch: Callable[[Purchase], None], close: Callable[[RunoffError], None], concurrency: int
) -> CircuitBreaker:
    """Make the breaker of a buyer of pictures: what counts is a lost answer, which is charged.

    Args:
        watch: Called with every order's end as well.
        close: Closes the buyer.
        concurrency: How many requests may be in flight; one broken connection may lose all of them.
    """
    return CircuitBreaker(watch, close, LOST, concurrency + FAILURE_THRESHOLD, _losing_answers)


def _without_judge(last: Purchase, n_losses: int) -> StopRunError:
    return StopRunError(
        where=f"provider {last.order.provider}, model {last.order.parameters.get('model')}",
        what=f"{n_losses} questions in a row failed{_cause(last)}",
        money="Answers are kept; questions without an answer are charged only if they are unknown.",
        next_step=f"Ask again later with: runoff run --resume {last.order.run_id}",
    )


def _losing_answers(last: Purchase, n_losses: int) -> StopRunError:
    return StopRunError(
        where=f"provider {last.order.provider}, model {last.order.parameters.get('model')}",
        what=f"the answers to {n_losses} requests in a row were lost{_cause(last)}",
        money="They may have been billed, so they stay charged at their estimates. Nothing more is sent; "
        "what came before is kept.",
        next_step="Compare them with the provider's bill: runoff ledger unknown. "
        f"Then: runoff run --resume {last.order.run_id}",
    )


def _cause(last: Purchase) -> str:
    return f"; the last: {last.fault.code}: {last.fault.message}" if last.fault else ""
