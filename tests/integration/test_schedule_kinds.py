"""What Runoff says of a schedule's next run is what the engine does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from flows.deployments import schedule_of
from tasks.campaign.recurrence import next_run
from tasks.campaign.schedule import Schedule

MOMENTS = [datetime(2026, month, day, 12, 7, tzinfo=UTC) for month in (3, 7, 10, 11) for day in (2, 28)]


@pytest.mark.parametrize(
    "said",
    [
        {"cron": "30 6 * * 1-5"}, {"cron": "0 3 1,15 * *"}, {"interval": "15m"}, {"interval": "6h"},
        {"interval": "2d"}, {"rrule": "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6"},
        {"rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;BYHOUR=7;BYMINUTE=30"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Paris", "America/New_York"])
async def test_prefect_reads_a_schedule_as_we_do(said: dict[str, Any], timezone: str) -> None:
    """The first three runs after moments on both sides of both changes of the clock."""
    schedule = Schedule(**said, timezone=timezone)
    engine = _engine_of(schedule)
    for moment in MOMENTS:
        expected = await engine.get_dates(n=3, start=moment)
        assert _ours(schedule, moment) == [found.astimezone(UTC) for found in expected]


CHANGES = {
    "Europe/Paris": [datetime(2026, 3, 28, 20, 7, tzinfo=UTC), datetime(2026, 10, 24, 22, 7, tzinfo=UTC)],
    "Asia/Beirut": [datetime(2026, 3, 28, 17, 7, tzinfo=UTC), datetime(2026, 10, 24, 18, 7, tzinfo=UTC)],
    "America/New_York": [datetime(2026, 3, 8, 3, 7, tzinfo=UTC), datetime(2026, 11, 1, 4, 7, tzinfo=UTC)],
}
"""Moments before the clock changes, by time zone."""


@pytest.mark.parametrize(
    ("said", "timezone"),
    [
        ({"cron": "30 2 * * *"}, "Europe/Paris"),
        ({"cron": "30 2 * * *"}, "America/New_York"),
        ({"cron": "0 0 * * *"}, "Asia/Beirut"),
        ({"cron": "*/30 * * * *"}, "Europe/Paris"),
        ({"cron": "30 1-3 * * *"}, "Europe/Paris"),
        ({"cron": "30 2 1,29 * 0"}, "Europe/Paris"),
        ({"rrule": "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"}, "Europe/Paris"),
        ({"rrule": "FREQ=DAILY"}, "Asia/Beirut"),
    ],
)
async def test_a_time_that_a_clock_skips_or_shows_twice_is_run_when_we_say(
    said: dict[str, Any], timezone: str
) -> None:
    """In the hours around both changes; what Prefect finds before the moment asked for has run already."""
    schedule = Schedule(**said, timezone=timezone)
    for start in CHANGES[timezone]:
        for moment in (start, start + timedelta(hours=2), start + timedelta(hours=4)):
            expected = [
                found.astimezone(UTC) for found in await _engine_of(schedule).get_dates(n=6, start=moment)
            ]
            assert _ours(schedule, moment) == [found for found in expected if found > moment][:3]


def _ours(schedule: Schedule, moment: datetime) -> list[datetime]:
    ours: list[datetime] = []
    for _ in range(3):
        ours.append(next_run(schedule, ours[-1] if ours else moment).astimezone(UTC))
    return ours


def _engine_of(schedule: Schedule) -> Any:
    told = schedule_of(schedule)
    if told.cron is not None:
        return CronSchedule(cron=told.cron, timezone=told.timezone)
    if told.interval is not None:
        return IntervalSchedule.model_validate(
            {"interval": told.interval, "anchor_date": told.anchor_date, "timezone": told.timezone}
        )
    assert told.rrule is not None
    return RRuleSchedule(rrule=told.rrule, timezone=told.timezone)
