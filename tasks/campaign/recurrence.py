"""When a campaign runs automatically: cron fields, an interval or a recurrence rule, in a time zone.

Only what all parsers of such schedules agree on is accepted, because the engine parses it again by itself.
A cron schedule has five fields of numbers, names, lists, ranges and steps. An interval is elapsed time, which
daylight saving does not change. A rule of RFC 5545 repeats daily or less often and never ends.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from dateutil.rrule import rrule

_FIVE_FIELDS = re.compile(r"^[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4}$")
_INTERVAL = re.compile(r"^([1-9][0-9]{0,4})([mhd])$")
_RULE = re.compile(r"^[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*$")
_RULE_KEYS = ("FREQ", "INTERVAL", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO",
              "BYDAY", "BYHOUR", "BYMINUTE")  # fmt: skip
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST_GAP = timedelta(days=366 * 10)  # the 29th of February can be eight years away

ACCEPTED_CRON = 'five fields "minute hour day month weekday", such as "0 6 * * 1-5"'
ACCEPTED_INTERVAL = "a whole number of minutes, hours or days, such as 15m, 6h or 2d"
ACCEPTED_RULE = "such as FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=6;BYMINUTE=30, daily or less often, without an end"
ACCEPTED_WAYS = "exactly one of cron, interval and rrule"


class When(Protocol):
    """A schedule: exactly one of cron, interval and rule, and its time zone."""

    @property
    def cron(self) -> str | None:
        """Five cron fields."""

    @property
    def interval(self) -> str | None:
        """Elapsed time between runs."""

    @property
    def rrule(self) -> str | None:
        """A rule of RFC 5545."""

    @property
    def timezone(self) -> str:
        """An IANA time zone."""


def schedule_faults(when: When) -> Iterator[tuple[str, str, str]]:
    """Yield the faults of a schedule: the key, what is wrong, and what is accepted."""
    given = {key: value for key in _CHECKS if (value := getattr(when, key)) is not None}
    if len(given) != 1:
        yield "", f"has {' and '.join(given) if given else 'no cron, interval or rrule'}", ACCEPTED_WAYS
    for key, value in given.items():
        fault, accepted = _CHECKS[key]
        if wrong := fault(value):
            yield key, wrong, accepted
    if not is_time_zone(when.timezone):
        yield (
            "timezone",
            f"there is no time zone {when.timezone!r}",
            "an IANA name such as Europe/Paris or UTC",
        )


def cron_fault(cron: str) -> str | None:
    """Return what is wrong with five cron fields, or ``None``."""
    if not _FIVE_FIELDS.match(cron.strip()):
        return f"{cron!r} does not have five cron fields"
    try:
        next(CronSim(cron.upper().strip(), datetime(2026, 1, 1)))
    except (CronSimError, StopIteration) as error:
        return f"{cron!r} never occurs or is invalid ({error})" if str(error) else f"{cron!r} never occurs"
    return None


def interval_fault(interval: str) -> str | None:
    """Return what is wrong with an interval, or ``None``."""
    return None if _INTERVAL.match(interval) else f"{interval!r} is not an interval"


def rule_fault(rule: str) -> str | None:
    """Return what is wrong with a recurrence rule, or ``None``."""
    if not _RULE.match(rule):
        return f"{rule!r} does not have the form KEY=VALUE;KEY=VALUE"
    parts = dict(part.split("=") for part in rule.split(";"))
    if unknown := [key for key in parts if key not in _RULE_KEYS]:
        return f"{', '.join(unknown)} is not accepted"
    if parts.get("FREQ") not in _FREQUENCIES:
        return f"its FREQ is not one of {', '.join(_FREQUENCIES)}"
    try:
        starts_at = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
        return None if _next_of_rule(rule, "UTC", starts_at) else f"{rule!r} never occurs"
    except (ValueError, TypeError, KeyError) as error:
        return f"{rule!r} is not a valid rule ({error})"


_CHECKS = {
    "cron": (cron_fault, ACCEPTED_CRON),
    "interval": (interval_fault, ACCEPTED_INTERVAL),
    "rrule": (rule_fault, ACCEPTED_RULE),
}


def is_time_zone(name: str) -> bool:
    """Return whether a name is an IANA time zone."""
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def next_run(when: When, after: datetime) -> datetime:
    """Return the first run after a time, in the schedule's time zone.

    Args:
        when: A valid schedule.
        after: A time with a time zone.
    """
    zone = ZoneInfo(when.timezone)
    if when.cron is not None:
        return next(CronSim(when.cron.upper().strip(), after.astimezone(zone)))
    if when.interval is not None:
        anchor, step = first_moment(when.timezone), interval_of(when.interval)
        return (anchor + ((after - anchor) // step + 1) * step).astimezone(zone)
    found = _next_of_rule(str(when.rrule), when.timezone, after)
    assert found is not None
    return found


def interval_of(interval: str) -> timedelta:
    """Read a valid interval."""
    found = _INTERVAL.match(interval)
    assert found is not None
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def first_moment(timezone: str) -> datetime:
    """Return the start of intervals and rules: the first moment of 2020 in a time zone, as UTC."""
    return datetime(2020, 1, 1, tzinfo=ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))


def _next_of_rule(rule: str, timezone: str, after: datetime) -> datetime | None:
    from dateutil.rrule import rrulestr

    zone = ZoneInfo(timezone)
    read = cast("rrule", rrulestr(rule, dtstart=datetime(2020, 1, 1, tzinfo=zone)))
    bounded = read.replace(until=after.astimezone(zone) + _LONGEST_GAP)
    found: datetime | None = bounded.after(after.astimezone(zone))
    return found
