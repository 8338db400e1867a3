from __future__ import annotations

from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from audiences.campaign.rules import WEEKDAYS
from audiences.campaign.when import ExportWindow
from audiences.facebook.ad_set_hours import DayPart
from audiences.pipeline.steps.ad_set_schedule import weekly_parts

HOURS = st.integers(0, 23)
WINDOWS = st.lists(
    st.tuples(st.sets(st.sampled_from(WEEKDAYS), min_size=1), HOURS, HOURS).filter(lambda drawn: drawn[1] != drawn[2]),
    max_size=4,
)


def window(days, first, after):
    return ExportWindow(days=tuple(days), from_=time(first), to=time(after))


def open_hours(days, first, after):
    """Hours of the week, counted from Sunday's first, hour by hour."""
    length = (after - first) % 24
    starts = [((WEEKDAYS.index(day) + 1) % 7) * 24 + first for day in days]
    return {(start + passed) % 168 for start in starts for passed in range(length)}


def test_a_window_over_midnight_goes_on_on_the_next_day():
    assert weekly_parts([window(["sat"], 22, 2)]) == (DayPart((0,), 0, 120), DayPart((6,), 1320, 1440))


def test_windows_that_overlap_become_one_part():
    assert weekly_parts([window(["mon"], 9, 12), window(["mon", "tue"], 11, 15)]) == (
        DayPart((1,), 540, 900),
        DayPart((2,), 660, 900),
    )


@given(WINDOWS)
def test_the_parts_are_open_exactly_when_a_window_is(drawn):
    hours = [
        day * 24 + hour
        for part in weekly_parts([window(*each) for each in drawn])
        for day in part.days
        for hour in range(part.start_minute // 60, part.end_minute // 60)
    ]
    assert sorted(hours) == sorted(set().union(*(open_hours(*each) for each in drawn)))
