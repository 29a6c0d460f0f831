"""When an order is sent again: as often as its failures allow, never sooner than asked, not all at once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.images_api.failures import Failure, FailureKind
from tasks.images_api.retries import JITTER, Retries, with_jitter


def waits_s(kind: FailureKind, chance: float = 0.0, retry_after_s: float | None = None) -> list[float]:
    """Fail in the same way until the order is not sent again; returns the waits between, seconds."""
    retries = Retries(lambda: chance)
    found: list[float] = []
    while (wait_s := retries.wait_s(Failure(kind, "x", "x", retry_after_s=retry_after_s))) is not None:
        found.append(wait_s)
    return found


@pytest.mark.parametrize(
    ("kind", "expected_s"),
    [
        (FailureKind.unsent, []),  # an outage is the provider's, not an order's
        (FailureKind.server_fault, [5, 20]),
        (FailureKind.refused, []),
        (FailureKind.rejected, []),
        (FailureKind.stop_run, []),
        (FailureKind.unknown, []),
        (FailureKind.empty, []),
    ],
)
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_an_order_is_sent_again_as_often_as_its_failure_allows(
    kind: FailureKind, expected_s: list[float], chance: float
) -> None:
    """What may have been billed never is; each wait is longer by its share of chance."""
    assert waits_s(kind, chance) == [pytest.approx(wait_s * (1 + JITTER * chance)) for wait_s in expected_s]


@given(st.floats(0, 1700), st.randoms())
def test_a_rate_limits_retry_after_is_the_least(retry_after_s: float, chance: random.Random) -> None:
    """Whatever chance says, nothing is sent before the provider asked for it."""
    wait_s = Retries(chance.random).wait_s(
        Failure(FailureKind.rate_limited, "x", "x", retry_after_s=retry_after_s)
    )
    assert wait_s is not None
    assert retry_after_s < wait_s <= (retry_after_s + 0.5) * (1 + JITTER)


def test_waits_for_a_rate_limit_end_after_half_an_hour_whatever_chance_says() -> None:
    """Jitter does not count: how often an order is tried again is no matter of luck."""
    for chance in (0.0, 0.999):
        assert len(waits_s(FailureKind.rate_limited, chance, retry_after_s=700)) == 2


def test_processes_that_fail_together_come_back_apart() -> None:
    """Two hundred of them, ten seconds on: spread over two seconds and a half."""
    chance = random.Random(0)
    found = sorted(with_jitter(10, chance.random) for _ in range(200))
    assert 10 <= found[0] < 10.2
    assert 12.3 < found[-1] < 12.5
