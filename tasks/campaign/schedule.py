"""The campaign file's ``schedule``: when to run, and when to skip."""

from pydantic import Field

from tasks.campaign.section import Section


class Schedule(Section):
    """When the campaign runs automatically (`runoff serve`, `runoff deploy`); set one of the first three."""

    cron: str | None = None
    """Five fields: minute, hour, day of the month, month, day of the week."""

    interval: str | None = None
    """Elapsed time between runs, such as 15m, 6h or 2d, counted from 2020-01-01 00:00 in the time zone."""

    rrule: str | None = None
    """An RFC 5545 rule, such as `FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6`; without an hour it is midnight."""

    timezone: str = "UTC"
    """The IANA time zone of the schedule, such as Europe/Paris."""

    pause_when_unreviewed: int | None = Field(default=None, ge=1)
    """Skip a run while at least this many earlier ones await review."""
