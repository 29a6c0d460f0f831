"""Fuzzing of doors: a few examples every day, many with ``make fuzz``, within a time and a memory limit."""

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

PROFILE_VARIABLE = "HYPOTHESIS_PROFILE"
FACTOR_VARIABLE = "FUZZ_FACTOR"
FUZZ = "fuzz"
EXAMPLES = 50
"""How many examples of each property are tried every day, unless the test says otherwise."""
TIME_LIMIT_S = 5.0
MEMORY_LIMIT_MB = 500


def load_profile() -> None:
    """Load the profile that the environment names; every day ``same``, for ``make fuzz`` ``fuzz``.

    Every day the examples are the same ones, so that a change fails for itself; ``fuzz`` finds new ones.
    """
    # A shared machine breaks hypothesis's limit of 200 ms an example now and then.
    settings.register_profile("same", deadline=None, derandomize=True, max_examples=EXAMPLES)
    settings.register_profile(FUZZ, deadline=None, print_blob=True)
    settings.load_profile(os.environ.get(PROFILE_VARIABLE, "same"))


def fuzz(examples: int) -> Callable[[Any], Any]:
    """Mark a Hypothesis test as one that ``make fuzz`` runs with many more examples.

    Args:
        examples: How many to try every day: as many as fit into a second. With the profile ``fuzz`` it is
            ``FUZZ_FACTOR`` (100 by default) times as many.

    Example:
        >>> @fuzz(examples=30)
        ... @given(st.binary())
        ... def test_any_bytes_are_read_or_refused(content: bytes) -> None: ...
    """
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    bounds = settings(max_examples=examples * fuzz_factor(), suppress_health_check=slow)

    def marked(test: Any) -> Any:
        decorated = pytest.mark.fuzz(bounds(test))
        return pytest.mark.timeout(0)(decorated) if fuzz_factor() > 1 else decorated

    return marked


def fuzz_factor() -> int:
    """Return how many times as many examples are wanted as every day."""
    is_long = os.environ.get(PROFILE_VARIABLE) == FUZZ
    return int(os.environ.get(FACTOR_VARIABLE, "100")) if is_long else 1


@contextmanager
def bounded(time_s: float = TIME_LIMIT_S, memory_mb: float = MEMORY_LIMIT_MB) -> Iterator[None]:
    """Fail if what is inside takes too long or too much memory; call it in the main thread.

    More memory cannot be had (``MemoryError``), so that a fault does not take the machine.

    Args:
        time_s: The most seconds of this process's own time; waiting is interrupted after six times that.
        memory_mb: How many megabytes may be added to what the process has.
    """
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space_bytes() + int(memory_mb * 1e6 * 1.5), hard))
    previous = signal.signal(signal.SIGALRM, _too_slow)
    pytest_s, _ = signal.setitimer(signal.ITIMER_REAL, 6 * time_s)  # pytest-timeout has the same timer
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        took_s = time.perf_counter() - begun_s
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, max(pytest_s - took_s, 1) if pytest_s else 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    took_cpu_s = time.process_time() - begun_cpu_s
    added_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) * 1024 / 1e6
    assert took_cpu_s < time_s, f"took {took_cpu_s:.1f} s"
    assert added_mb < memory_mb, f"took {added_mb:.0f} MB"


def _too_slow(*_: object) -> None:
    pytest.fail("takes far longer than the time limit")


def _address_space_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as facts:  # noqa: PTH123 - no file of the disk
        return int(facts.read().split()[0]) * resource.getpagesize()
