"""When a campaign runs by itself: five cron fields in a time zone.

Only what every cron agrees on is taken: five fields of numbers, names, lists, ranges and steps. Shorthands
such as ``@daily`` and six fields are refused, because the engine's own parser reads them differently.
"""

import re
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

_FIVE_FIELDS = re.compile(r"^[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4}$")
ACCEPTED_CRON = 'five fields "minute hour day month weekday", such as "0 6 * * 1-5"'


def cron_fault(cron: str) -> str | None:
    """Tell what is wrong with five cron fields; ``None`` when nothing is."""
    if not _FIVE_FIELDS.match(cron.strip()):
        return f"{cron!r} is no five cron fields"
    try:
        next(CronSim(cron.upper().strip(), datetime(2026, 1, 1)))
    except (CronSimError, StopIteration) as error:
        return f"{cron!r} never comes or is misspelt ({error})" if str(error) else f"{cron!r} never comes"
    return None


def is_time_zone(name: str) -> bool:
    """Tell whether a name is an IANA time zone."""
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def next_run(cron: str, timezone: str, after: datetime) -> datetime:
    """Find the first run after a moment, in the schedule's time zone.

    Args:
        cron: Five fields without fault.
        timezone: An IANA time zone.
        after: A moment with its own time zone.
    """
    return next(CronSim(cron.upper().strip(), after.astimezone(ZoneInfo(timezone))))
