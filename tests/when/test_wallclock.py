from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.when import oracle

from audiences.when.wallclock import after_end_of, every_instant, first_instant, start_of, wall_time

WALLS = st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2037-01-01")).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(wall: str, zone: str) -> datetime:
    return first_instant(datetime.fromisoformat(wall), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2026-12-01 09:00", "Asia/Kolkata", "2026-12-01 03:30"),
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-03-29 02:00", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-03-29 03:00", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25 00:30"),
        ("2026-10-04 02:10", "Australia/Lord_Howe", "2026-10-03 15:30"),
        ("2026-04-05 01:40", "Australia/Lord_Howe", "2026-04-04 14:40"),
        ("2026-09-06 00:00", "America/Santiago", "2026-09-06 04:00"),
        ("2011-12-30 09:00", "Pacific/Apia", "2011-12-30 10:00"),
        ("2010-11-07 00:00", "America/St_Johns", "2010-11-07 02:30"),
    ],
    ids=[
        "plain", "skipped", "start of gap", "end of gap", "shown twice", "gap of half an hour", "fold of half an hour",
        "midnight skipped", "day skipped", "midnight shown twice",
    ],
)  # fmt: skip
def test_a_wall_time_is_its_first_instant_or_the_one_after_the_gap(wall: str, zone: str, instant: str) -> None:
    assert at(wall, zone) == utc(instant)


def test_the_clocks_may_change_between_two_minutes() -> None:
    # Before 1972 Liberia was 44 minutes and 30 seconds behind; the clocks then skipped from 00:00:00 to 00:44:30.
    assert at("1972-01-07 00:20:15", "Africa/Monrovia") == utc("1972-01-07 00:44:30")


@given(WALLS, st.sampled_from(oracle.ZONES).map(ZoneInfo))
def test_first_instant_agrees_with_looking_at_the_clock(wall: datetime, zone: ZoneInfo) -> None:
    assert first_instant(wall, zone) == oracle.first_instant(wall, zone)


@given(WALLS, st.timedeltas(timedelta(0), timedelta(days=2)), st.sampled_from(oracle.ZONES).map(ZoneInfo))
def test_later_on_the_wall_is_never_earlier_in_time(wall: datetime, more: timedelta, zone: ZoneInfo) -> None:
    assert first_instant(wall, zone) <= first_instant(wall + more, zone)


def test_every_instant_skips_the_gap_and_repeats_the_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = [datetime.fromisoformat(f"2026-03-29 {clock}") for clock in ("01:30", "02:30", "03:30")]
    walls = ("01:00", "01:30", "02:00", "02:30", "03:00", "03:30")
    autumn = [datetime.fromisoformat(f"2026-10-25 {clock}") for clock in walls]
    assert [f"{i:%H:%M}" for i in every_instant(spring, berlin)] == ["00:30", "01:30"]
    shown = [f"{wall_time(i, berlin):%H:%M}" for i in every_instant(autumn, berlin)]
    assert shown == ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]


def test_a_day_is_cut_where_its_own_midnights_are() -> None:
    santiago = ZoneInfo("America/Santiago")
    skipped = date(2026, 9, 6)  # begins at 01:00
    assert (start_of(skipped, santiago), after_end_of(skipped, santiago)) == (
        utc("2026-09-06 04:00"),
        utc("2026-09-07 03:00"),
    )


def test_a_time_with_an_offset_keeps_it() -> None:
    moment = datetime.fromisoformat("2026-12-01 09:00+02:00")
    assert start_of(moment, ZoneInfo("Asia/Kolkata")) == utc("2026-12-01 07:00")
    assert after_end_of(moment, ZoneInfo("Asia/Kolkata")) == utc("2026-12-01 07:00:00.000001")
