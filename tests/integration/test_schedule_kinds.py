"""What Runoff says of a schedule's next run is what the engine does."""

from datetime import UTC, datetime
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
    told = schedule_of(schedule)
    engine: Any
    if told.cron is not None:
        engine = CronSchedule(cron=told.cron, timezone=told.timezone)
    elif told.interval is not None:
        engine = IntervalSchedule.model_validate(
            {"interval": told.interval, "anchor_date": told.anchor_date, "timezone": told.timezone}
        )
    else:
        assert told.rrule is not None
        engine = RRuleSchedule(rrule=told.rrule, timezone=told.timezone)
    for moment in MOMENTS:
        expected = await engine.get_dates(n=3, start=moment)
        ours: list[datetime] = []
        for _ in range(3):
            ours.append(next_run(schedule, ours[-1] if ours else moment).astimezone(UTC))
        assert ours == [found.astimezone(UTC) for found in expected]
