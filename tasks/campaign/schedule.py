"""The campaign file's ``schedule``: one way of saying when, and when not to."""

from pydantic import Field

from tasks.campaign.section import Section


class Schedule(Section):
    """When the campaign runs by itself (`runoff serve`, `runoff deploy`): exactly one of the first three."""

    cron: str | None = None
    """Five fields: minute, hour, day of the month, month, day of the week."""

    interval: str | None = None
    """Elapsed time between runs, such as 15m, 6h or 2d, counted from the first moment of 2020 there."""

    rrule: str | None = None
    """A rule of RFC 5545, such as `FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6`; without an hour it is midnight."""

    timezone: str = "UTC"
    """The IANA time zone that it is meant in, such as Europe/Paris."""

    pause_when_unreviewed: int | None = Field(default=None, ge=1)
    """Skip a run while this many earlier ones wait for review."""
