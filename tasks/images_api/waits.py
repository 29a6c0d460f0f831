"""How long a provider asks to wait: in its headers, or in the words of its message."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tasks.limits import NUMBER_DIGITS

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = rf"(?<!\d)\d{{1,{NUMBER_DIGITS}}}(?:\.\d{{1,{NUMBER_DIGITS}}})?"
_UNIT = r"(?:milliseconds?|ms|seconds?|sec|s|minutes?|min|m|hours?|h|days?|d)(?![a-z])"
_PART = re.compile(rf"({_NUMBER})\s*({_UNIT})", re.IGNORECASE)
_WORDS = re.compile(
    rf"(?:try again|retry|resets?) (?:in|after) ((?:{_NUMBER}\s*{_UNIT}(?:,? and |[, ]*)?)+)", re.IGNORECASE
)


def retry_after_s(headers: Mapping[str, str], message: str) -> float | None:
    """Find how long the provider asks to wait, seconds; ``None`` where it does not say.

    Args:
        headers: The answer's: ``Retry-After-Ms``, or ``Retry-After`` in seconds or as a date.
        message: The error's message, such as "Please try again in 1m2.5s."
    """
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        found = _number_or_date_s(headers.get(header, ""), unit_s, headers.get("date"))
        if found is not None:
            return found
    return _in_words_s(message)


def _number_or_date_s(text: str, unit_s: float, answered_at: str | None) -> float | None:
    try:
        wait_s = float(text) * unit_s
    except ValueError:
        until = _date(text)
        if until is None:
            return None
        # By the provider's own clock, which may differ from this machine's.
        wait_s = (until - (_date(answered_at or "") or datetime.now(UTC))).total_seconds()
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _in_words_s(message: str) -> float | None:
    """Read "1h2m3s" as well as "2 hours and 5 minutes"."""
    found = _WORDS.search(message)
    if found is None:
        return None
    return sum(float(number) * _seconds_of(unit.lower()) for number, unit in _PART.findall(found[1]))


def _seconds_of(unit: str) -> float:
    return 0.001 if unit.startswith(("ms", "milli")) else _UNITS_S[unit[0]]
