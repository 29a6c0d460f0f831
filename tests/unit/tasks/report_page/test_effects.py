"""The plot of effects writes each difference so that what matters can be read."""

from typing import Any

import pytest

from tasks.report_page.effects import complete_effects
from tests.support.report_rows import make_facts


def decimals(name: str, difference: float, *, matters: bool = True) -> int:
    """Return the decimals of a measure with one effect."""
    effect: dict[str, Any] = {
        "factors": ("light",),
        "levels": ("hard",),
        "baselines": ("soft",),
        "difference": difference,
        "low": difference / 2,
        "high": difference * 2,
        "matters": matters,
    }
    measure = {"headline": "", "negligible": 0.0, "effects": [effect]}
    facts = make_facts(ab_test={"effects": {"measures": {name: measure}}})
    (shown,) = complete_effects(facts)
    return int(shown["decimals"])


@pytest.mark.parametrize(
    ("name", "difference", "expected"),
    [("dollars", 0.02, 4), ("dollars", -0.00003, 5), ("dollars", 4e-8, 8), ("total", 0.1, 3)],
)
def test_a_difference_that_matters_is_never_written_as_nothing(
    name: str, difference: float, expected: int
) -> None:
    """Half a cent has four decimals; less than a hundredth of a cent has as many as it takes."""
    assert decimals(name, difference) == expected
    assert float(f"{difference:.{expected}f}") != 0


def test_what_does_not_matter_may_be_written_as_nothing() -> None:
    """Its column stays narrow."""
    assert decimals("dollars", 1e-7, matters=False) == 4
