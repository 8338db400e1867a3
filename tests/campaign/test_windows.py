from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audiences.campaign.windows import Duration, Window

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 4, 15, 10, 30, tzinfo=UTC)  # 12:30 in Berlin, summer time since 29 March


def window(words: str) -> Window:
    return Window.model_validate(words)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def inclusive(end: datetime) -> datetime:
    """The first instant after a window that ends with this one."""
    return end + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("words", "lower", "upper"),
    [
        ("last 30 days", utc(2026, 3, 15, 23), inclusive(AT)),  # midnight in winter time
        ("last 1 day", utc(2026, 4, 13, 22), inclusive(AT)),
        ("last 2 months", utc(2026, 2, 14, 23), inclusive(AT)),
        ("last 24 hours", AT - timedelta(hours=24), inclusive(AT)),
        ("last 90 minutes", AT - timedelta(minutes=90), inclusive(AT)),
        ("exactly 3 days ago", utc(2026, 4, 11, 22), utc(2026, 4, 12, 22)),
        ("exactly 17 days ago", utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)),  # a day of 23 hours
        ("today", utc(2026, 4, 14, 22), utc(2026, 4, 15, 22)),
        ("yesterday", utc(2026, 4, 13, 22), utc(2026, 4, 14, 22)),
        ("this week", utc(2026, 4, 12, 22), utc(2026, 4, 19, 22)),
        ("this month", utc(2026, 3, 31, 22), utc(2026, 4, 30, 22)),
        ("previous month", utc(2026, 2, 28, 23), utc(2026, 3, 31, 22)),
        ("this year", utc(2025, 12, 31, 23), utc(2026, 12, 31, 23)),
        ("between [2026-01-01, 2026-01-31]", utc(2025, 12, 31, 23), utc(2026, 1, 31, 23)),
        ("between [2026-01-31 10:00, 2026-01-31]", utc(2026, 1, 31, 9), utc(2026, 1, 31, 23)),
        ("between [2026-01-31, 2026-01-31 10:00]", utc(2026, 1, 30, 23), inclusive(utc(2026, 1, 31, 9))),
        (
            "between [2026-01-31T23:30+09:00, 2026-01-31T15:00Z]",
            utc(2026, 1, 31, 14, 30),
            inclusive(utc(2026, 1, 31, 15)),
        ),
        ("between [2026-01-01 10:00, 2026-01-31 11:00]", utc(2026, 1, 1, 9), inclusive(utc(2026, 1, 31, 10))),
        ("before 2026-01-01", None, utc(2025, 12, 31, 23)),
        ("after 2026-01-01", utc(2026, 1, 1, 23), None),
        ("after 2026-01-01 10:00+05:30", inclusive(utc(2026, 1, 1, 4, 30)), None),
        ("ever", None, None),
    ],
)
def test_days_are_cut_in_the_time_zone(words: str, lower: datetime | None, upper: datetime | None) -> None:
    assert window(words).bounds(AT, BERLIN) == (lower, upper)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("last 30 days", date(2026, 3, 16), date(2026, 4, 15)),
        ("exactly 17 days ago", date(2026, 3, 29), date(2026, 3, 29)),
        ("previous month", date(2026, 3, 1), date(2026, 3, 31)),
        ("between [2026-01-01, 2026-01-31]", date(2026, 1, 1), date(2026, 1, 31)),
        ("before 2026-01-01", None, date(2025, 12, 31)),
        ("after 2026-01-01", date(2026, 1, 2), None),
    ],
)
def test_dates_fall_in_whole_days(words: str, first: date | None, last: date | None) -> None:
    assert window(words).days(AT, BERLIN) == (first, last)


@pytest.mark.parametrize("words", ["LAST  30  Days", " last 30 day ", "Last 30 days"])
def test_letter_case_plural_and_spaces_do_not_matter(words: str) -> None:
    assert window(words) == window("last 30 days")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "30 days",
        "last days",
        "last 30",
        "last 30days",
        "last -3 days",
        "last 3.5 days",
        "last 3 decades",
        "last 101 years",
        "exactly 3 hours ago",
        "between [2026-02-01, 2026-01-01]",
        "between [2026-02-01 10:00, 2026-02-01 09:59]",
        "between [2026-01-31T23:30Z, 2026-01-31T23:45+09:00]",
        "between [2026-02-01]",
        "before",
        "before tomorrow",
        "before 2026-13-01",
        "before 0001-01-01",
        "after 9999-12-31",
        "next week",
        "this hour",
    ],
)
def test_what_is_no_window_is_refused(words: str) -> None:
    with pytest.raises(ValidationError):
        window(words)


units = st.sampled_from(["minute", "hour", "day", "week", "month", "year"])
plain_days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
days = plain_days | st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))  # noqa: DTZ001  # hypothesis wants naive bounds
windows = st.one_of(
    st.builds(lambda amount, unit: Window(last=Duration(amount, unit)), st.integers(0, 90), units),
    st.builds(lambda amount: Window(exactly_ago=Duration(amount, "day")), st.integers(0, 30_000)),
    st.builds(lambda day: Window(before=day), days),
    st.builds(lambda day: Window(after=day), days),
    st.builds(lambda a, b: Window(between=(min(a, b), max(a, b))), plain_days, plain_days),
    st.just(Window(ever=True)),
)


@settings(deadline=None)
@given(windows)
def test_a_window_in_words_reads_back_as_itself(given_window: Window) -> None:
    assert Window.model_validate(given_window.model_dump()) == given_window


@settings(deadline=None)
@given(windows, st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from(["UTC", "Europe/Berlin"]))  # noqa: DTZ001  # hypothesis wants naive bounds
def test_a_window_never_ends_before_it_starts(given_window: Window, at: datetime, zone: str) -> None:
    lower, upper = given_window.bounds(at.replace(tzinfo=UTC), ZoneInfo(zone))
    assert lower is None or upper is None or lower <= upper
