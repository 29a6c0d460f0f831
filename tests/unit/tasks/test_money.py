"""Exact dollars: what goes in comes out, nothing is rounded, shares add up."""

from decimal import Decimal, getcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.money import NANOUSD_PER_USD, format_usd, from_nanousd, read_usd, share_nanousd, to_nanousd

LEDGER_AMOUNTS = st.integers(-(2**63), 2**63 - 1)
AMOUNTS = st.integers(0, 2**63 - 1)


@given(LEDGER_AMOUNTS)
def test_nano_dollars_come_back_exactly(nanousd: int) -> None:
    """Whatever a ledger's column holds is the same amount as dollars."""
    usd = from_nanousd(nanousd)
    assert Fraction(usd) == Fraction(nanousd, NANOUSD_PER_USD)
    assert to_nanousd(usd) == nanousd


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_dollars_are_counted_exactly_or_not_at_all(usd: Decimal) -> None:
    """An amount with something below a nano-dollar is refused, however many digits it has."""
    exact = Fraction(usd) * NANOUSD_PER_USD
    if exact.denominator == 1:
        assert to_nanousd(usd) == exact
    else:
        with pytest.raises(ValueError, match="whole nano-dollars"):
            to_nanousd(usd)


def test_more_digits_than_decimals_context_are_not_rounded_away() -> None:
    """A product of Decimals would round to 28 digits; here it is an error."""
    usd = Decimal("1." + "0" * getcontext().prec + "1")
    with pytest.raises(ValueError, match="whole nano-dollars"):
        to_nanousd(usd)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_money(text: str) -> None:
    """Not a number and the infinities are refused, not counted."""
    with pytest.raises(ValueError, match="whole nano-dollars"):
        to_nanousd(Decimal(text))


@given(AMOUNTS, st.integers(1, 50))
def test_shares_add_up_and_differ_by_one_at_most(nanousd: int, parts: int) -> None:
    """No nano-dollar is lost or made, and nobody pays visibly more."""
    shares = share_nanousd(nanousd, parts)
    assert len(shares) == parts
    assert sum(shares) == nanousd
    assert max(shares) - min(shares) <= 1
    assert shares == sorted(shares, reverse=True)


@given(AMOUNTS)
def test_what_was_written_can_be_read(nanousd: int) -> None:
    """A person's dollars are taken as they stand."""
    assert to_nanousd(read_usd(f"{from_nanousd(nanousd):f}")) == nanousd


@pytest.mark.parametrize("text", ["", "ten", "-0.01", "NaN", "inf", "0.0000000001", "1,5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Text that is no amount, is below zero, or is finer than a nano-dollar."""
    with pytest.raises(ValueError, match="is not dollars, 0 or more"):
        read_usd(text)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0.00"),
        ("1234.5", "$1,234.50"),
        ("1", "$1.00"),
        ("0.0022", "$0.0022"),
        ("0.0001", "$0.0001"),
        ("0.000012", "$0.000012"),
    ],
)
def test_dollars_are_written_for_people(usd: str, text: str) -> None:
    """As many digits as say something."""
    assert format_usd(Decimal(usd)) == text
