"""Cases of a test of which a few are tried every day, and the others by the slow tests."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def some_every_day(cases: Iterable[Any], is_chosen: Callable[[Any], bool]) -> list[Any]:
    """List a test's cases, those that are not chosen marked as slow.

    Args:
        cases: The cases, each a single value.
        is_chosen: Whether a case is tried every day.
    """
    return [case if is_chosen(case) else pytest.param(case, marks=pytest.mark.slow) for case in cases]
