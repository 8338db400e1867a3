from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.when import oracle

from audiences.campaign.when import When
from audiences.when.recurrence import Recurrence

if TYPE_CHECKING:
    from collections.abc import Callable

ANCHOR = date(2024, 1, 1)
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0, tzinfo=None, fold=0))
NIGHT = st.builds(time, st.integers(0, 3), st.sampled_from((0, 15, 30, 59)))  # when clocks change
MOMENTS = st.datetimes(datetime.fromisoformat("2008-01-01"), datetime.fromisoformat("2036-01-01")).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
ON = {
    "day": st.just(()),
    "week": st.lists(st.sampled_from(oracle.NAMES), max_size=3).map(tuple),
    "month": st.lists(
        st.integers(1, 31)
        | st.just("last")
        | st.builds(
            "{} {}".format,
            st.sampled_from(("first", "second", "third", "fourth", "last")),
            st.sampled_from(oracle.NAMES),
        ),
        max_size=3,
    ).map(tuple),
}


def recurrence(when: Any, zone: str = "UTC") -> Recurrence:
    return Recurrence.of(When.model_validate(when), zone)


def local(found: Recurrence, after: str, n: int) -> list[str]:
    """The next `n` occurrences on the campaign's clock, after a moment on the same clock."""
    since = datetime.fromisoformat(after).replace(tzinfo=found.zone)
    return [f"{due.astimezone(found.zone):%Y-%m-%d %H:%M}" for due in islice(found.occurrences(since), n)]


@pytest.mark.parametrize(
    ("when", "after", "due"),
    [
        ({"date": "2026-12-01 09:00"}, "2026-11-01", ["2026-12-01 09:00"]),
        ({"date": "2026-12-01"}, "2026-11-01", ["2026-12-01 00:00"]),
        ({"date": "2026-12-01 09:00"}, "2026-12-01 09:00", []),
        ({"dates": ["2026-12-05 09:00", "2026-12-01 10:00"]}, "2026-11-01", ["2026-12-01 10:00", "2026-12-05 09:00"]),
        (
            {"repeat": {"every": "1 day", "at": ["18:00", "09:00"]}},
            "2026-12-31 09:00",
            ["2026-12-31 18:00", "2027-01-01 09:00", "2027-01-01 18:00"],
        ),
        (
            {"repeat": {"every": "2 weeks", "on": ["Mon", "friday"], "at": "09:00"}, "start": "2026-12-02"},
            "2026-01-01",
            ["2026-12-04 09:00", "2026-12-14 09:00", "2026-12-18 09:00", "2026-12-28 09:00"],
        ),
        ({"repeat": {"every": "1 week", "at": "09:00"}, "start": "2026-12-02"}, "2026-12-03", ["2026-12-09 09:00"]),
        (
            {"repeat": {"every": "1 month", "on": [31], "at": "09:00"}},
            "2026-01-31 09:00",
            ["2026-03-31 09:00", "2026-05-31 09:00", "2026-07-31 09:00", "2026-08-31 09:00"],
        ),
        (
            {"repeat": {"every": "1 month", "on": "last", "at": "09:00"}},
            "2028-01-31 09:00",
            ["2028-02-29 09:00", "2028-03-31 09:00", "2028-04-30 09:00"],
        ),
        (
            {"repeat": {"every": "1 month", "on": ["first Monday", 1], "at": "09:00"}},
            "2026-05-31",
            ["2026-06-01 09:00", "2026-07-01 09:00", "2026-07-06 09:00"],
        ),
        ({"repeat": {"every": "1 month", "on": "last fri", "at": "09:00"}}, "2026-02-01", ["2026-02-27 09:00"]),
        (
            {"repeat": {"every": "3 months", "on": 15, "at": "09:00"}, "start": "2026-11-20"},
            "2026-11-01",
            ["2027-02-15 09:00", "2027-05-15 09:00"],
        ),
        (
            {"repeat": {"every": "12 months", "on": 29, "at": "09:00"}, "start": "2024-02-01"},
            "2026-01-01",
            ["2028-02-29 09:00", "2032-02-29 09:00"],
        ),
        ({"cron": "30 9 * * mon-fri"}, "2026-12-04 09:30", ["2026-12-07 09:30"]),
        ({"cron": ["0 9 * * *", "0 9,10 * * mon"]}, "2026-12-07", ["2026-12-07 09:00", "2026-12-07 10:00", "2026-12-08 09:00"]),
    ],
)  # fmt: skip
def test_each_kind_of_schedule_is_due_when_its_words_say(when: Any, after: str, due: list[str]) -> None:
    assert local(recurrence(when, "Asia/Kolkata"), after, max(len(due), 1)) == due


@pytest.mark.parametrize(
    ("when", "after", "due"),
    [
        ("02:30", "2026-03-28", ["2026-03-28 02:30", "2026-03-29 03:00", "2026-03-30 02:30"]),
        (["02:10", "02:50", "03:00"], "2026-03-29", ["2026-03-29 03:00", "2026-03-30 02:10"]),
        ("02:30", "2026-10-24", ["2026-10-24 02:30", "2026-10-25 02:30", "2026-10-26 02:30"]),
    ],
    ids=["a skipped time", "several skipped times", "a time shown twice"],
)
def test_when_the_clocks_change_a_time_of_day_is_due_once(when: Any, after: str, due: list[str]) -> None:
    daily = recurrence({"repeat": {"every": "1 day", "at": when}}, "Europe/Berlin")
    assert local(daily, after, len(due)) == due
    line = [f"{int(clock[3:])} {int(clock[:2])} * * *" for clock in ([when] if isinstance(when, str) else when)]
    assert local(recurrence({"cron": line}, "Europe/Berlin"), after, len(due)) == due


def test_a_time_shown_twice_is_due_the_first_time() -> None:
    daily = recurrence({"repeat": {"every": "1 day", "at": "02:30"}}, "Europe/Berlin")
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert list(islice(daily.occurrences(midnight), 2)) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)])
def test_a_cron_line_for_every_hour_keeps_its_pace_when_the_clocks_change(day: datetime) -> None:
    hourly = recurrence({"cron": "5 * * * *"}, "Europe/Berlin")
    assert {late - early for early, late in pairwise(islice(hourly.occurrences(day), 12))} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("bounds", "due"),
    [
        ({"start": "2026-12-02"}, ["02", "03", "04", "05"]),
        ({"start": "2026-12-02 09:00"}, ["02", "03", "04", "05"]),
        ({"start": "2026-12-02 09:01"}, ["03", "04", "05", "06"]),
        ({"end": "2026-12-03"}, ["01", "02", "03"]),
        ({"end": "2026-12-03 09:00"}, ["01", "02", "03"]),
        ({"end": "2026-12-03 08:59"}, ["01", "02"]),
        ({"end": "2026-12-03 03:30+00:00"}, ["01", "02", "03"]),
        ({"start": "2026-11-30", "ends": {"after": "3 runs"}}, ["01", "02"]),
        ({"start": "2026-11-30", "ends": {"after": "3 runs"}, "end": "2026-12-01"}, ["01"]),
        ({"start": "2026-11-01", "ends": {"after": "3 runs"}}, []),
        ({"ends": {"after": "3 runs"}}, ["01", "02", "03"]),
    ],
)
def test_start_end_and_number_of_runs_are_kept(bounds: Any, due: list[str]) -> None:
    daily = recurrence({"repeat": {"every": "1 day", "at": "09:00"}, **bounds}, "Asia/Kolkata")
    assert [moment[8:10] for moment in local(daily, "2026-12-01", 4)] == due


def test_the_midnight_after_the_last_day_is_beyond_the_end() -> None:
    daily = recurrence({"repeat": {"every": "1 day", "at": "00:00"}, "end": "2026-12-03"}, "Asia/Kolkata")
    assert local(daily, "2026-12-01", 4) == ["2026-12-02 00:00", "2026-12-03 00:00"]


def test_the_number_of_runs_counts_every_time_of_day_from_the_first_after_the_start() -> None:
    twice = {"repeat": {"every": "1 day", "at": ["09:00", "18:00"]}, "start": "2026-12-01 10:00", "ends": {"after": 4}}
    expected = ["2026-12-01 18:00", "2026-12-02 09:00", "2026-12-02 18:00", "2026-12-03 09:00"]
    assert local(recurrence(twice), "2026-01-01", 9) == expected


def test_now_is_due_at_once_or_at_its_start_and_never_after_its_end() -> None:
    moment = datetime(2026, 12, 1, 15, tzinfo=ZoneInfo("Asia/Kolkata"))
    assert list(recurrence("now").occurrences(moment)) == [moment]
    assert list(recurrence({"now": True, "start": "2026-12-05"}).occurrences(moment)) == [
        datetime(2026, 12, 5, tzinfo=UTC)
    ]
    assert list(recurrence({"now": True, "end": "2026-11-30"}).occurrences(moment)) == []


def test_a_day_that_never_comes_ends_the_schedule() -> None:
    never = {"repeat": {"every": "12 months", "on": 30, "at": "09:00"}, "start": "2026-02-01"}
    assert local(recurrence(never), "2026-01-01", 1) == []
    assert local(recurrence({"cron": "0 9 30 2 *"}), "2026-01-01", 1) == []


@pytest.mark.parametrize("every", ["3 days", "2 weeks", "5 months"])
def test_an_interval_without_start_is_the_same_from_wherever_one_looks(every: str) -> None:
    found = recurrence({"repeat": {"every": every, "at": "09:00"}}, "Europe/Berlin")
    begin, far = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    all_of_them = [due for due in islice(found.occurrences(begin), 700) if due < far]
    assert all(next(found.occurrences(due - timedelta(hours=5))) == due for due in all_of_them)
    assert all(next(found.occurrences(a)) == b for a, b in pairwise(all_of_them))


@pytest.mark.parametrize(
    "when",
    [
        "now",
        {"date": "2026-12-01 09:00+02:00"},
        {"dates": ["2026-12-01", "2026-12-05 09:00"], "start": "2026-01-01"},
        {"repeat": {"every": "1 month", "on": [1, "last", "first monday"], "at": "09:00"}, "ends": {"after": 3}},
        {"cron": ["0 9 * * *", "*/5 * * * *"], "end": "2027-01-01"},
    ],
)
def test_a_recurrence_survives_json(when: Any) -> None:
    found = recurrence(when, "Asia/Kolkata")
    assert Recurrence.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("0 9 * * 5-5", "0 9 * * 5"),
        ("0 9 * * Fri-fri", "0 9 * * 5"),
        ("0 9 * * 5-fri,mon", "0 9 * * 1,5"),
        ("0 09-9 * * *", "0 9 * * *"),
        ("30-30/5 9 * jun-6 *", "30 9 * 6 *"),
        ("0 9 7-7 * *", "0 9 7 * *"),
        ("0 9 * * fri-mon", "0 9 * * 0,1,5,6"),
        ("0 9 * * 0-7", "0 9 * * *"),
    ],
)
def test_a_range_of_one_in_a_cron_line_is_that_one(line: str, plain: str) -> None:
    assert local(recurrence({"cron": line}), "2026-05-01", 50) == local(recurrence({"cron": plain}), "2026-05-01", 50)


def test_what_does_not_belong_to_the_schedule_is_not_kept() -> None:
    windows = [{"from": "09:00", "to": "18:00"}]
    assert recurrence({"now": True, "windows": windows}) == recurrence("now")


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_repetitions_agree_with_looking_at_every_day(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(oracle.ZONES))
    unit = data.draw(st.sampled_from(("day", "week", "month")))
    every, on = data.draw(st.integers(1, 5)), data.draw(ON[unit])
    at = data.draw(st.lists(NIGHT | CLOCKS, min_size=1, max_size=3))
    start = data.draw(st.none() | st.dates(date(2010, 1, 1), date(2035, 1, 1)))
    after = data.draw(MOMENTS)
    when = {"repeat": {"every": f"{every} {unit}", "at": [f"{clock:%H:%M}" for clock in at]}}
    found = recurrence(when | {"repeat": when["repeat"] | ({"on": list(on)} if on else {}), "start": start}, zone)

    info = ZoneInfo(zone)
    begin = oracle.first_instant(datetime.combine(start, time()), info) if start else after
    since = max(after, begin - timedelta(seconds=1))
    until = since + timedelta(days=120 * every if unit == "month" else 45 * every)
    anchor = oracle.shown(begin, info).date() if start else ANCHOR
    expected = oracle.repeated(info, unit, every, on, at, anchor, since, until)
    assert list(takewhile(lambda due: due < until, found.occurrences(after))) == expected


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_cron_lines_agree_with_looking_at_every_minute(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(oracle.ZONES))
    minute = data.draw(st.sets(st.sampled_from((0, 15, 30, 59)), min_size=1))
    hour = data.draw(st.none() | st.sets(st.integers(0, 22), min_size=1, max_size=5))
    info = ZoneInfo(zone)
    year = data.draw(st.integers(2012, 2035))
    after = data.draw(st.sampled_from(clock_changes(zone, year) or [datetime(year, 3, 1, tzinfo=UTC)]))
    after += data.draw(st.integers(-1500, 200)) * timedelta(minutes=1)
    line = f"{','.join(map(str, sorted(minute)))} {'*' if hour is None else ','.join(map(str, sorted(hour)))} * * *"

    until = after + timedelta(days=2)
    expected = oracle.fired(info, minute, hour, after, until)
    found = recurrence({"cron": line}, zone)
    assert list(takewhile(lambda due: due < until, found.occurrences(after))) == expected


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("0 9 */2 * mon", lambda day: day.day % 2 == 1 and day.isoweekday() == 1),
        ("0 9 1 * */2", lambda day: day.day == 1 and day.isoweekday() % 7 % 2 == 0),
        ("0 9 *,5 * mon", lambda day: day.isoweekday() == 1),
        ("0 9 1-31/2 * mon", lambda day: day.day % 2 == 1 or day.isoweekday() == 1),
        ("0 9 1,15 * mon", lambda day: day.day in (1, 15) or day.isoweekday() == 1),
        ("0 9 * * fri-mon", lambda day: day.isoweekday() in (5, 6, 7, 1)),
        ("0 9 * * 7", lambda day: day.isoweekday() == 7),
        ("0 9 31 2 mon", lambda day: day.month == 2 and day.isoweekday() == 1),
    ],
)
def test_days_of_a_cron_line_are_those_of_cron(line: str, wanted: Callable[[date], bool]) -> None:
    """Of either field, and of both where one begins with `*`, as Vixie's cron has it."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    found = takewhile(lambda due: due.year == 2026, recurrence({"cron": line}, "UTC").occurrences(begin))
    days = (begin + timedelta(days=number, hours=9) for number in range(365))
    assert list(found) == [day for day in days if wanted(day)]


def clock_changes(zone: str, year: int) -> list[datetime]:
    """The days of a year on which the clocks change."""
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(366)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, (before, after) in zip(days, pairwise(offsets), strict=False) if before != after]
