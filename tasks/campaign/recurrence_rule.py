"""The times of a recurrence rule (RFC 5545), searched within bounds.

dateutil searches a rule that never occurs, such as the 30th of February, day by day up to the year 9999.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from dateutil.rrule import rrule, rrulestr

FIRST_YEAR = 2020
LONGEST_GAP_YEARS = 10
"""The 29th of February can be eight years away."""
_READS_PER_YEAR = 5


class _NothingFoundError(Exception):
    pass


class _SearchedRule(rrule):
    """A rule whose search ends after some years without a time."""

    _reads_left = 0

    @property
    def _byweekno(self) -> object:  # dateutil reads it for each year that it comes to
        self._reads_left -= 1
        if self._reads_left < 0:
            raise _NothingFoundError
        return self.__dict__["_byweekno"]


def times_of_rule(rule: str, after: datetime) -> Iterator[datetime]:
    """Yield a rule's times, on the wall, after a time on the wall; none that is more than ten years later.

    Raises:
        ValueError, TypeError, KeyError: It is no valid rule.
    """
    read = cast("rrule", rrulestr(rule, dtstart=datetime(FIRST_YEAR, 1, 1)))
    read.__class__ = _SearchedRule
    searched = cast("_SearchedRule", read)
    searched._reads_left = _READS_PER_YEAR * (after.year - FIRST_YEAR + LONGEST_GAP_YEARS + 2)
    try:
        for time in searched.xafter(after):
            if time.year > after.year + LONGEST_GAP_YEARS:
                return
            yield time
    except _NothingFoundError:
        return
