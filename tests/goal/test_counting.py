"""What counts for a goal, event by event, at the edges of the windows; without a warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from audiences.goal.counting import ASSIGNED, HAPPENED, AssignmentWindows, Counting

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
END = NOON + 5 * DAY


def run(number=1, *, starts=NOON, assigned_at=None, terms="10 %"):
    return AssignmentWindows(number, assigned_at or starts, starts, starts + 5 * DAY, terms)


@pytest.fixture
def counting(tmp_path):
    with Counting(tmp_path) as made:
        yield made


def assign(counting, *users, runs=None, spared=()):
    """Users as (id, arm, run)."""
    rows = [dict(zip(ASSIGNED.names, user, strict=True)) for user in users]
    counting.assign(runs or [run()], [pa.RecordBatch.from_pylist(rows, schema=ASSIGNED)], spared)


def counts(counting, *events, at=END):
    """What came of events (user, time, amount), by arm and terms."""
    rows = [dict(zip(HAPPENED.names, event, strict=True)) for event in events]
    counting.convert([pa.RecordBatch.from_pylist(rows, schema=HAPPENED)])
    return {(count.arm, count.terms): count for count in counting.counts(at)}


@pytest.mark.parametrize(
    ("at", "converted"),
    [(NOON, 0), (NOON + TICK, 1), (END, 1), (END + TICK, 0)],
    ids=["begin", "after", "end", "later"],
)
def test_a_window_begins_after_the_run_looked_and_includes_its_last_moment(counting, at, converted):
    assign(counting, ("a", "target", 1))
    found = counts(counting, ("a", at, 10.0))["target", "10 %"]
    assert (found.users, found.converters, found.conversions) == (1, converted, converted)


def test_a_user_is_one_converter_and_all_his_conversions_count(counting):
    assign(counting, ("a", "target", 1), ("b", "target", 1), ("c", "campaign", 1))
    events = [
        ("a", NOON + DAY, 10.0),
        ("a", NOON + 2 * DAY, 20.0),
        ("a", NOON + 3 * DAY, None),
        ("x", NOON + DAY, 99.0),
    ]
    found = counts(counting, *events)
    target, control = found["target", "10 %"], found["campaign", "10 %"]
    assert (target.users, target.converters, target.conversions, target.amounts) == (2, 1, 3, 2)
    assert (target.revenue, target.revenue_squared) == (Decimal(30), 900.0)
    assert (control.users, control.converters, control.revenue, control.revenue_squared) == (1, 0, Decimal(0), 0.0)


def test_each_user_has_the_window_and_the_terms_of_the_run_that_assigned_him(counting):
    later = run(2, starts=NOON + DAY, terms="20 %")
    assign(counting, ("a", "target", 1), ("b", "target", 2), ("c", "target", 3), runs=[run(), later])
    found = counts(counting, ("a", NOON + DAY, 1.0), ("b", NOON + DAY, 1.0), ("c", NOON + DAY, 1.0))
    assert {terms: (one.users, one.converters) for (_, terms), one in found.items()} == {"10 %": (1, 1), "20 %": (1, 0)}


@pytest.mark.parametrize(("at", "ended"), [(END - TICK, False), (END, True)])
def test_a_window_has_ended_at_its_last_moment(counting, at, ended):
    assign(counting, ("a", "target", 1))
    assert [count.ended for count in counts(counting, at=at).values()] == [ended]


def test_who_was_targeted_by_name_is_counted_apart(counting):
    assign(counting, ("a", "target", 1), ("tester", "target", 1), spared=["tester", "stranger"])
    windows = counting.windows()
    assert windows.spared == 1
    assert counts(counting, ("tester", NOON + DAY, 5.0))["target", "10 %"].users == 1


def test_whom_a_run_of_a_time_to_come_assigned_is_nobody_yet_by_name_or_by_chance(counting):
    assign(counting, ("a", "target", 1), ("tester", "target", 2), ("b", "target", 2), spared=["tester"])
    assert (counting.windows().spared, counts(counting)["target", "10 %"].users) == (0, 1)


def test_windows_reach_from_the_first_to_the_last_of_those_assigned(counting):
    runs = [run(), run(2, starts=NOON + DAY), run(3, starts=NOON + 9 * DAY)]
    assign(counting, ("a", "target", 2), ("b", "campaign", 1), runs=runs)
    found = counting.windows()
    assert (found.first_assigned, found.last_assigned) == (NOON, NOON + DAY)
    assert (found.first_start, found.first_end, found.last_end) == (NOON, END, END + DAY)
    assert (found.begun, found.missed) == (0, 0)


@pytest.mark.parametrize(
    ("assigned_at", "begun", "missed"),
    [(NOON, 0, 0), (NOON + TICK, 1, 0), (END - TICK, 1, 0), (END, 1, 1), (END + DAY, 1, 1)],
)
def test_who_comes_after_the_launch_has_part_of_the_window_or_none(counting, assigned_at, begun, missed):
    assign(counting, ("a", "target", 1), runs=[run(assigned_at=assigned_at)])
    found = counting.windows()
    assert (found.begun, found.missed) == (begun, missed)


def test_nobody_assigned_has_no_windows(counting):
    assign(counting)
    assert counting.windows() is None
