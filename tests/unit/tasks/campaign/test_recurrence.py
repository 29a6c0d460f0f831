"""When a campaign runs by itself: three ways of saying it, and what is wrong with each."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.campaign.recurrence import next_run, schedule_faults
from tasks.campaign.schedule import Schedule
from tests.support.fuzzing import bounded, fuzz

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
        (
            {"rrule": "FREQ=DAILY;INTERVAL=7;BYDAY=TU"},
            "rrule",
            "never occurs",
        ),  # every seventh is a Wednesday
        ({"rrule": "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6"}, "rrule", "never occurs"),
        ({"cron": "0 6 */10 * 1"}, "cron", "restricts both the day of the month and the weekday"),
        ({"cron": "0 6 1 * */2"}, "cron", "restricts both the day of the month and the weekday"),
        ({"interval": "6h", "timezone": "Mars/Base"}, "timezone", "there is no time zone 'Mars/Base'"),
    ],
)
def test_a_wrong_schedule_is_one_fault(said: dict[str, Any], key: str, what: str) -> None:
    """The key, what is wrong and what is accepted."""
    ((place, found, accepted),) = schedule_faults(Schedule(**said))
    assert place == key
    assert what in found
    assert accepted


@pytest.mark.parametrize(
    ("said", "after", "expected"),
    [
        ({"cron": "30 2 * * *", "timezone": "Europe/Paris"}, "2026-03-28 12:00", "2026-03-29 01:30:00+01:00"),
        ({"cron": "30 2 * * *", "timezone": "Europe/Paris"}, "2026-10-24 12:00", "2026-10-25 02:30:00+02:00"),
        ({"cron": "0 0 * * *", "timezone": "Asia/Beirut"}, "2026-03-28 12:00", "2026-03-28 23:00:00+02:00"),
        ({"cron": "0 6 1 * 1"}, "2026-11-22 12:00", "2026-11-23 06:00:00+00:00"),  # either day
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Prefect takes the clock after the change there")
def test_the_time_told_is_the_time_run(said: dict[str, Any], after: str, expected: str) -> None:
    """The half hour that a clock skips is run an hour earlier; one that comes twice, the first time."""
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert list(schedule_faults(Schedule(**said))) == []
    assert str(next_run(Schedule(**said), moment)) == expected


RULES = st.sampled_from(["FREQ=DAILY", "FREQ=YEARLY", "FREQ=MONTHLY", "FREQ=WEEKLY"])
PARTS = st.sampled_from(
    ["INTERVAL=100000", "INTERVAL=0", "BYMONTH=2", "BYMONTHDAY=30", "BYYEARDAY=366",
     "BYWEEKNO=53", "BYDAY=MO",
     "BYSETPOS=99", "BYHOUR=1,2,3", "BYMINUTE=61", "BYDAY=5MO", "BYMONTH=13", "BYMONTHDAY=-31", "UNTIL=1"]
)  # fmt: skip


@fuzz(examples=25)
@given(RULES, st.lists(PARTS, max_size=4), st.text("0123456789*/,-LW?# MONJA", max_size=12))
def test_any_schedule_has_a_next_run_or_a_fault(rule: str, parts: list[str], cron: str) -> None:
    """Soon, also where it never occurs."""
    for said in ({"rrule": ";".join([rule, *parts])}, {"cron": cron}):
        with bounded():
            if not list(schedule_faults(schedule := Schedule.model_validate(said))):
                assert next_run(schedule, SUNDAY) > SUNDAY


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
