"""What one run in place of several missed ones counts for, where a schedule ends after so many runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
HOUR = timedelta(hours=1)


def at(day, hour=9, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def airflow(campaign):
    from tests.when.scheduling import Airflow

    def make(when, now):
        return Airflow(campaign(when), now)

    return make


def test_several_missed_runs_are_one_of_those_that_were_ordered(airflow):
    """The scheduler comes back before a parse does: it makes one run for all that it missed."""
    hourly = {"repeat": {"every": "1 day", "at": ["08:00", "09:00", "10:00", "11:00", "12:00"]}, "ends": {"after": 3}}
    one = airflow(hourly, at(2, 7))
    one.parse()
    one.live(at(2, 8, 30), step=HOUR)
    assert one.runs == [at(2, 8)]
    one.now = at(2, 11, 30)
    one.schedule()
    assert one.runs == [at(2, 8), at(2, 11)]
    one.live(at(9), step=HOUR)
    assert one.runs == [at(2, 8), at(2, 11), at(2, 12)]


def test_a_backfill_before_the_first_run_uses_up_none_of_the_runs_that_were_ordered(airflow):
    one = airflow({"repeat": {"every": "1 day", "at": "09:00"}, "ends": {"after": 2}}, at(6, 7))
    one.parse()
    assert one.backfill(at(2), at(6)) == [at(2), at(3), at(4)]
    one.live(at(13), step=HOUR)
    assert one.runs == [at(6), at(7)]


def test_a_run_that_was_not_begun_is_none_of_those_that_were_ordered(airflow):
    """It was left out, by a window or since it was too late; or it failed before the ledger knew of it."""
    one = airflow({"repeat": {"every": "1 day", "at": "09:00"}, "ends": {"after": 2}}, at(2, 7))
    one.live(at(2, 10), step=HOUR)
    one.not_begun()
    one.live(at(4, 10), step=HOUR)
    assert one.runs == [at(2), at(3), at(4)]
    one.not_begun()
    one.live(at(13), step=HOUR)
    assert one.runs == [at(2), at(3), at(4), at(5)]


def test_a_run_of_now_is_one_even_where_it_was_not_begun(airflow):
    one = airflow("now", at(2, 7))
    one.live(at(2, 10), step=HOUR)
    one.not_begun()
    one.live(at(4), step=HOUR)
    assert one.runs == [at(2, 7)]


def test_a_run_that_was_not_missed_is_made_as_planned(airflow):
    one = airflow({"repeat": {"every": "1 day", "at": "09:00"}, "ends": {"after": 2}}, at(2, 7))
    one.live(at(9), step=HOUR)
    assert one.runs == [at(2), at(3)]


def test_nothing_is_planned_for_after_the_end(airflow):
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance

    from audiences.when.timetable import CampaignTimetable

    one = airflow({"repeat": {"every": "1 day", "at": "09:00"}}, at(2, 7))
    timetable = CampaignTimetable(**CampaignTimetable.of(one.spec).serialize(), clock=lambda: at(2, 7))
    for latest, due in ((at(2, 8, 59), None), (at(2), at(2)), (None, at(2))):
        restriction = TimeRestriction(earliest=None, latest=latest and instance(latest), catchup=False)
        info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        assert (info and info.run_after) == due
