"""When a campaign runs by itself: three ways of saying it, and what is wrong with each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign.recurrence import next_run, schedule_faults
from tasks.campaign.schedule import Schedule

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"cron": "0 6 * * 1-5", "timezone": "Europe/Paris"}, "2026-11-23 06:00:00+01:00"),
        ({"interval": "15m"}, "2026-11-22 12:15:00+00:00"),
        ({"interval": "6h", "timezone": "Asia/Kolkata"}, "2026-11-22 18:00:00+05:30"),
        ({"interval": "7d"}, "2026-11-25 00:00:00+00:00"),  # Wednesdays, as 1 January 2020 was one
        ({"rrule": "FREQ=DAILY"}, "2026-11-23 00:00:00+00:00"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=6;BYMINUTE=30"}, "2026-12-07 06:30:00+00:00"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "timezone": "Asia/Tokyo"},
         "2028-02-29 00:00:00+09:00"),
    ],
)  # fmt: skip
def test_next_run_of_each_kind(said: dict[str, Any], expected: str) -> None:
    """Worked out by hand, in the schedule's own time zone."""
    assert list(schedule_faults(Schedule(**said))) == []
    assert str(next_run(Schedule(**said), SUNDAY)) == expected


@pytest.mark.parametrize(
    ("said", "key", "what"),
    [
        ({}, "", "has no cron, interval or rrule"),
        ({"cron": "0 6 * * *", "interval": "6h"}, "", "has cron and interval"),
        ({"interval": "0m"}, "interval", "'0m' is not an interval"),
        ({"interval": "six hours"}, "interval", "is not an interval"),
        ({"rrule": "every day"}, "rrule", "does not have the form KEY=VALUE"),
        ({"rrule": "FREQ=HOURLY"}, "rrule", "its FREQ is not one of DAILY"),
        ({"rrule": "BYHOUR=6"}, "rrule", "its FREQ is not one of DAILY"),
        ({"rrule": "FREQ=DAILY;COUNT=3"}, "rrule", "COUNT is not accepted"),
        ({"rrule": "FREQ=DAILY;UNTIL=20270101"}, "rrule", "UNTIL is not accepted"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "rrule", "is not a valid rule"),
        ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "rrule", "never occurs"),
        ({"interval": "6h", "timezone": "Mars/Base"}, "timezone", "there is no time zone 'Mars/Base'"),
    ],
)
def test_a_wrong_schedule_is_one_fault(said: dict[str, Any], key: str, what: str) -> None:
    """The key, what is wrong and what is accepted."""
    ((place, found, accepted),) = schedule_faults(Schedule(**said))
    assert place == key
    assert what in found
    assert accepted


@given(
    st.sampled_from(
        [
            {"cron": "*/20 5 * * 2"}, {"interval": "90m"}, {"interval": "5d"},
            {"rrule": "FREQ=WEEKLY;BYDAY=TU,SA;BYHOUR=3"},
        ]
    ),
    st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC)),
)  # fmt: skip
def test_each_run_is_after_the_last_and_none_is_left_out(
    said: dict[str, str], timezone: str, after: datetime
) -> None:
    """From any moment: the next run lies after it, and the moment before that run finds the same run."""
    schedule = Schedule.model_validate(said | {"timezone": timezone})
    first = next_run(schedule, after)
    assert first > after
    assert next_run(schedule, first) > first
    if first - timedelta(seconds=1) > after:
        assert next_run(schedule, first - timedelta(seconds=1)) == first
