"""Exact amounts of money, in nano-dollars and ``Decimal`` dollars.

A price is in dollars per million tokens, so one token costs a few micro-dollars or, at half price, a fraction
of one. Amounts are therefore stored and summed as whole nano-dollars (no rounding; sums are exact in any
order) and passed around as ``Decimal`` dollars. Floats appear only in the report's columns.
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

NANOUSD_PER_USD = 1_000_000_000


def to_nanousd(usd: Decimal) -> int:
    """Turn dollars into whole nano-dollars.

    Args:
        usd: Dollars, exact to nine decimals.

    Raises:
        ValueError: ``usd`` is not a whole number of nano-dollars, or is not finite.

    Example:
        >>> to_nanousd(Decimal("0.0022"))
        2200000
    """
    # Integer arithmetic: a product of Decimals is silently rounded to 28 digits.
    numerator, denominator = usd.as_integer_ratio() if usd.is_finite() else (1, 0)
    if denominator == 0 or numerator * NANOUSD_PER_USD % denominator:
        message = f"{usd} dollars cannot be counted in whole nano-dollars"
        raise ValueError(message)
    return numerator * NANOUSD_PER_USD // denominator


@lru_cache(10_000)
def from_nanousd(nanousd: int) -> Decimal:
    """Turn whole nano-dollars into dollars, exactly.

    Args:
        nanousd: Up to 28 digits; the ledger's columns hold 19.

    Example:
        >>> from_nanousd(2_200_000)
        Decimal('0.0022')
    """
    return (Decimal(nanousd) / NANOUSD_PER_USD).normalize() + Decimal(0)


def read_usd(text: str) -> Decimal:
    """Read an amount of dollars that a person typed.

    Raises:
        ValueError: The text is not an amount, is below 0, or has more than 9 decimals.

    Example:
        >>> read_usd("49.90")
        Decimal('49.90')
    """
    message = f"{text!r} is not dollars, 0 or more, with at most 9 decimals"
    try:
        usd = Decimal(text)
        if to_nanousd(usd) >= 0:
            return usd
    except (InvalidOperation, ValueError) as error:
        raise ValueError(message) from error
    raise ValueError(message)


def read_amount(value: object) -> Decimal | None:
    """Read an amount that somebody else states, as a number or a text; ``None`` for what is no finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def share_nanousd(nanousd: int, parts: int) -> list[int]:
    """Split an amount into ``parts`` shares that add up to it exactly.

    Args:
        nanousd: The whole amount, 0 or more.
        parts: How many shares, 1 or more; the first ones carry the remainder.

    Example:
        >>> share_nanousd(10, 3)
        [4, 3, 3]
    """
    share, remainder = divmod(nanousd, parts)
    return [share + (1 if index < remainder else 0) for index in range(parts)]


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """Format a count with its noun, in the singular for one.

    Args:
        number: The count.
        noun: The noun in the singular.
        plural: Its plural; by default the noun with an s.

    Example:
        >>> count_of(1, "copy", "copies"), count_of(1200, "picture")
        ('1 copy', '1,200 pictures')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def format_share(share: float) -> str:
    """Format a share that somebody has set, with as many digits as it takes to tell it from others.

    Example:
        >>> format_share(0.5), format_share(0.125), format_share(0.00001), format_share(2)
        ('50%', '12.5%', '0.001%', '200%')
    """
    return f"{share * 100:.3g}%" if share < 1 else f"{share * 100:.0f}%"


def format_usd(usd: Decimal) -> str:
    """Format dollars for people: two decimals from a dollar up, otherwise the significant digits.

    Example:
        >>> format_usd(Decimal("12.3456")), format_usd(Decimal("0.0022")), format_usd(Decimal(0))
        ('$12.35', '$0.0022', '$0.00')
    """
    if usd == 0 or abs(usd) >= 1:
        return f"${usd:,.2f}"
    return f"${usd:.4f}" if abs(usd) >= Decimal("0.0001") else f"${usd:.6f}"
