"""When a campaign runs automatically: cron fields, an interval or a recurrence rule, in a time zone.

Only what all parsers of such schedules agree on is accepted, because the engine parses it again by itself.
A cron schedule has five fields of numbers, names, lists, ranges and steps. An interval is elapsed time, which
daylight saving does not change. A rule of RFC 5545 repeats daily or less often and never ends.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from tasks.text import did_you_mean

_FIVE_FIELDS = re.compile(r"^[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4}$")
_INTERVAL = re.compile(r"^([1-9][0-9]{0,4})([mhd])$")
_RULE = re.compile(r"^[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*$")
_RULE_KEYS = ("FREQ", "INTERVAL", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO",
              "BYDAY", "BYHOUR", "BYMINUTE")  # fmt: skip
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST_CHANGE = timedelta(hours=3)  # of a clock

MOST_CHARACTERS = 500
"""Of cron fields and rules."""

ACCEPTED_CRON = (
    'five fields "minute hour day month weekday", such as "0 6 * * 1-5"; for days that are both, an rrule'
    " such as FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=1,11,21,31"
)
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
            f"there is no time zone {when.timezone!r}{_near_zone(when.timezone)}",
            "an IANA name such as Europe/Paris or UTC",
        )


def _near_zone(name: str) -> str:
    """Return the hint at a zone of a place of this name, or of a name like it; empty without one."""
    zones, place = sorted(available_timezones()), name.strip().replace(" ", "_").lower()
    of_place = [zone for zone in zones if zone.lower().rpartition("/")[2] == place]
    return f" (did you mean {of_place[0]}?)" if of_place else did_you_mean(name, zones)


def cron_fault(cron: str) -> str | None:
    """Return what is wrong with five cron fields, or ``None``."""
    if len(cron) > MOST_CHARACTERS or not _FIVE_FIELDS.match(cron.strip()):
        return f"{cron[:60]!r} does not have five cron fields"
    if not _is_agreed_on(cron):
        return f"{cron!r} restricts both the day of the month and the weekday, one by steps of *"
    try:
        next(CronSim(cron.upper().strip(), datetime(2026, 1, 1)))
    except (CronSimError, StopIteration) as error:
        return f"{cron!r} never occurs or is invalid ({error})" if str(error) else f"{cron!r} never occurs"
    return None


def _is_agreed_on(cron: str) -> bool:
    """Return whether all parsers read the two days alike: either day will do, unless one begins with a star.

    Then some take days that are both, others still either.
    """
    _, _, day, _, weekday = cron.split()
    return "*" in (day, weekday) or not (day.startswith("*") or weekday.startswith("*"))


def interval_fault(interval: str) -> str | None:
    """Return what is wrong with an interval, or ``None``."""
    return None if _INTERVAL.match(interval) else f"{interval!r} is not an interval"


def rule_fault(rule: str) -> str | None:
    """Return what is wrong with a recurrence rule, or ``None``."""
    if not _RULE.match(rule):
        return f"{rule!r} does not have the form KEY=VALUE;KEY=VALUE"
    parts = dict(part.split("=") for part in rule.split(";"))
    if len(parts) != rule.count("=") or len(rule) > MOST_CHARACTERS:
        return f"{rule[:60]!r} has a key twice, or more than {MOST_CHARACTERS} characters"
    if unknown := [key for key in parts if key not in _RULE_KEYS]:
        return f"{', '.join(unknown)} is not accepted"
    if parts.get("FREQ") not in _FREQUENCIES:
        return f"its FREQ is not one of {', '.join(_FREQUENCIES)}"
    if parts.get("INTERVAL", "1").strip("0") == "":
        return "its INTERVAL is 0"
    from tasks.campaign.recurrence_rule import times_of_rule

    try:
        return None if any(times_of_rule(rule, datetime(2026, 1, 1))) else f"{rule!r} never occurs"
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
    """Return the first run after a time, in the schedule's time zone: the moment at which Prefect starts it.

    Cron fields and rules name times on the wall. One that a clock change skips is run an hour earlier by the
    clock before the change (by the clock after it from Python 3.13 on), one that comes twice is run the first
    time, because Prefect does so.

    Args:
        when: A valid schedule.
        after: A time with a time zone.
    """
    zone = ZoneInfo(when.timezone)
    if when.interval is not None:
        anchor, step = first_moment(when.timezone), interval_of(when.interval)
        return (anchor + ((after - anchor) // step + 1) * step).astimezone(zone)
    walls_from = after.astimezone(zone).replace(tzinfo=None) - _LONGEST_CHANGE
    if when.cron is not None:
        walls: Iterator[datetime] = CronSim(when.cron.upper().strip(), walls_from)
    else:
        from tasks.campaign.recurrence_rule import times_of_rule

        walls = times_of_rule(str(when.rrule), walls_from)
    found = _first_after(walls, zone, after)
    assert found is not None
    return found


MOST_RUNS_COUNTED = 200
"""A schedule with more runs is counted by its first ones."""


def count_runs(when: When, after: datetime, days: int) -> int:
    """Count the runs of the days after a time; those of very frequent schedules by their pace.

    Args:
        when: A valid schedule.
        after: A time with a time zone.
        days: How many days.
    """
    end, moment, n_runs = after + timedelta(days=days), after, 0
    while n_runs < MOST_RUNS_COUNTED:
        moment = next_run(when, moment)
        if moment > end:
            return n_runs
        n_runs += 1
    return round(n_runs * (end - after) / (moment - after))


def _first_after(walls: Iterator[datetime], zone: ZoneInfo, after: datetime) -> datetime | None:
    """Place times on the wall in a zone, and return the first that is after a moment."""
    found: datetime | None = None
    last_wall = datetime.max
    for wall in walls:
        if wall > last_wall:
            break
        moment = _placed(wall, zone)
        if moment > after:
            if found is None:
                last_wall = wall + _LONGEST_CHANGE  # a change may put a later one first
            found = min(found or moment, moment)
    return found


def _placed(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when a clock in the zone shows a time, as Prefect has it for times that a change skips."""
    before, behind = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    is_skipped = _offset(before) < _offset(behind)
    placed = behind if is_skipped and sys.version_info < (3, 13) else before
    return placed.astimezone(UTC).astimezone(zone)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def interval_of(interval: str) -> timedelta:
    """Read a valid interval."""
    found = _INTERVAL.match(interval)
    assert found is not None
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def first_moment(timezone: str) -> datetime:
    """Return the start of intervals and rules: the first moment of 2020 in a time zone, as UTC."""
    return datetime(2020, 1, 1, tzinfo=ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))
