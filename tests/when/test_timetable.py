from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.when import oracle
from tests.when.conftest import ROOT

from audiences.when.upcoming import run_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.when.scheduling import Airflow

    from audiences.campaign.spec import CampaignSpec

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning"),  # Airflow's own, of its ignore files
]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = {"repeat": {"every": "1 day", "at": "09:00"}}
HOURLY = {"cron": "0 * * * *"}
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def start(campaign: Callable[..., CampaignSpec], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Airflow]:
    """Commits a campaign at some moment; the file has not been parsed yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))  # Airflow writes there when imported
        from tests.when.scheduling import Airflow

    return lambda when, now, zone="UTC": Airflow(campaign(when, zone), now)


def at(day: int, clock: str) -> datetime:
    """A moment of November 2026, whose 2nd is a Monday."""
    return datetime.fromisoformat(f"2026-11-{day:02} {clock}+00:00")


def begun(start: Callable[..., Airflow], when: Any, until: datetime) -> Airflow:
    """A campaign that was committed on Monday and has run since."""
    airflow = start(when, MONDAY)
    airflow.live(until, step=HOUR)
    return airflow


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "when",
    [
        {"repeat": {"every": "1 day", "at": ["00:00", "02:15", "02:30", "09:00"]}},
        {"repeat": {"every": "2 weeks", "on": ["sat", "sun"], "at": "02:00"}, "start": "2026-03-01"},
        {"repeat": {"every": "1 month", "on": ["last", "last sunday"], "at": "23:30"}, "end": "2026-10-31"},
        {"repeat": {"every": "3 days", "at": "00:30"}, "start": "2026-03-20", "ends": {"after": 12}},
        {"dates": ["2026-03-29 02:30", "2026-10-25 02:30", "2026-04-05"]},
        {"cron": ["30 1-3 * * *", "0 * * * sun"]},
    ],
)
def test_airflow_creates_the_runs_that_the_command_line_announces(
    start: Callable[..., Airflow], when: Any, zone: str
) -> None:
    for month, day in ((3, 15), (9, 1), (10, 20)):
        begin = datetime(2026, month, day, 10, 50, tzinfo=UTC)
        airflow = start(when, begin, zone)
        airflow.live(begin + 25 * DAY, step=8 * HOUR)
        assert airflow.runs == [
            due for due in list(islice(run_times(airflow.spec, begin), 300)) if due < begin + 25 * DAY
        ]
        airflow.parse()
        assert [airflow.next] == (list(islice(run_times(airflow.spec, airflow.now), 1)) or [None])


@settings(deadline=None, max_examples=20)
@given(
    st.integers(),
    st.datetimes(datetime.fromisoformat("2024-01-01"), timezones=st.just(UTC)),
    st.sampled_from(oracle.ZONES),
)
def test_no_run_is_lost_or_doubled_by_parses_and_delays_at_any_moment(
    start: Callable[..., Airflow], seed: int, begin: datetime, zone: str
) -> None:
    chance = Random(seed)
    airflow = start({"cron": ["0 */3 * * *", "30 2 * * *"]}, begin, zone)
    airflow.parse()
    expected = [airflow.next, *islice(run_times(airflow.spec, airflow.next), 30)]
    while len(airflow.runs) < 20:
        for _ in range(chance.randint(0, 3)):
            chance.choice((airflow.parse, airflow.schedule))()
        airflow.now += chance.choice((1, 20, 400, 3000)) * timedelta(seconds=1)
        if airflow.now > airflow.next:  # never down for so long that a new campaign's first run is given up
            airflow.now = min(airflow.now, airflow.next + timedelta(minutes=9))
            airflow.parse()
            airflow.schedule()
    assert airflow.runs == expected[:20]


@pytest.mark.parametrize("order", [("parse", "schedule"), ("schedule", "parse"), ("parse", "parse", "schedule")])
class TestAfterAnOutage:
    def test_a_missed_run_takes_place_within_the_grace(
        self, start: Callable[..., Airflow], order: tuple[str, ...]
    ) -> None:
        airflow = begun(start, DAILY, at(4, "08:50"))
        airflow.down(until=at(4, "14:50"))
        for step in order:
            getattr(airflow, step)()
        assert airflow.runs[-1] == at(4, "09:00")
        airflow.live(at(6, "08:00"), step=HOUR)
        assert airflow.runs == [at(day, "09:00") for day in (2, 3, 4, 5)]

    def test_many_missed_runs_are_one(self, start: Callable[..., Airflow], order: tuple[str, ...]) -> None:
        airflow = begun(start, HOURLY, at(3, "08:30"))
        before = len(airflow.runs)
        airflow.down(until=at(4, "11:30"))
        for step in order:
            getattr(airflow, step)()
        airflow.live(at(4, "11:59"), step=timedelta(minutes=5))
        assert airflow.runs[before:] == [at(4, "11:00")]

    def test_the_only_date_is_not_lost(self, start: Callable[..., Airflow], order: tuple[str, ...]) -> None:
        airflow = begun(start, {"date": "2026-11-04 09:00"}, at(4, "08:59"))
        airflow.down(until=at(4, "14:00"))
        for step in order:
            getattr(airflow, step)()
        airflow.live(at(6, "00:00"), step=HOUR)
        assert airflow.runs == [at(4, "09:00")]

    def test_the_first_run_of_all_survives_a_restart(
        self, start: Callable[..., Airflow], order: tuple[str, ...]
    ) -> None:
        airflow = begun(start, DAILY, at(2, "08:55"))
        airflow.down(until=at(2, "09:09"))
        for step in order:
            getattr(airflow, step)()
        assert airflow.runs == [at(2, "09:00")]


def test_a_run_missed_by_more_than_the_grace_is_left_out(start: Callable[..., Airflow]) -> None:
    airflow = begun(start, DAILY, at(4, "08:50"))
    airflow.down(until=at(4, "15:10"))
    airflow.live(at(6, "08:00"), step=HOUR)
    assert airflow.runs == [at(day, "09:00") for day in (2, 3, 5)]


@pytest.mark.parametrize(
    ("when", "back", "runs"),
    [
        (HOURLY, "12:30", [at(11, "12:00")]),
        (DAILY, "12:30", [at(11, "09:00")]),
        (DAILY, "15:30", []),
        ({"dates": ["2026-11-03", "2026-11-05", "2026-11-11 07:00", "2026-11-11 09:00"]}, "12:30", [at(11, "09:00")]),
    ],
)
def test_after_a_week_of_pause_at_most_the_latest_missed_run_takes_place(
    start: Callable[..., Airflow], when: Any, back: str, runs: list[datetime]
) -> None:
    airflow = begun(start, when, at(4, "09:30"))
    before = len(airflow.runs)
    airflow.paused(until=at(11, back), step=HOUR)
    airflow.live(at(11, "12:59" if runs else "23:00"), step=timedelta(minutes=1))
    assert airflow.runs[before:] == runs


@pytest.mark.parametrize(("committed", "runs"), [("09:20", []), ("09:09", [at(4, "09:00")])])
def test_a_campaign_committed_after_todays_time_waits_for_tomorrows(
    start: Callable[..., Airflow], committed: str, runs: list[datetime]
) -> None:
    airflow = start(DAILY, at(4, committed))
    airflow.live(at(5, "08:00"), step=HOUR)
    assert airflow.runs == runs


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        (DAILY, []),
        ({"repeat": {"every": "1 day", "at": "09:30"}}, []),
        ({"repeat": {"every": "1 day", "at": ["09:00", "09:30"]}}, []),
        ({"repeat": {"every": "1 day", "at": "08:00"}}, []),
        (HOURLY, []),
        ({"repeat": {"every": "1 day", "at": "11:00"}}, [at(4, "11:00")]),
        ({**DAILY, "start": "2026-11-01"}, []),
        ({**DAILY, "ends": {"after": 3}}, []),
        ({"dates": ["2026-11-03 09:00", "2026-11-04 09:00"]}, []),
        ("now", []),
    ],
)
def test_an_edit_does_not_run_the_past_again(start: Callable[..., Airflow], changed: Any, runs: list[datetime]) -> None:
    airflow = begun(start, DAILY, at(4, "10:20"))
    before = len(airflow.runs)
    airflow.spec = start(changed, airflow.now).spec
    airflow.live(at(4, "10:50") if changed == HOURLY else at(5, "00:00"), step=timedelta(minutes=10))
    assert airflow.runs[before:] == runs


def test_runs_wait_while_a_campaign_is_stopped(start: Callable[..., Airflow]) -> None:
    airflow = begun(start, DAILY, at(4, "10:00"))
    published = airflow.spec
    airflow.spec = published.model_copy(
        update={"campaign": published.campaign.model_copy(update={"status": "stopped"})}
    )
    airflow.live(at(6, "18:00"), step=HOUR)
    assert airflow.next is None
    airflow.spec = published
    airflow.live(at(8, "00:00"), step=HOUR)
    assert airflow.runs == [at(day, "09:00") for day in (2, 3, 4, 7)]


def test_now_runs_once_whatever_comes_after(start: Callable[..., Airflow]) -> None:
    airflow = start("now", at(2, "10:00"))
    for _ in range(3):
        airflow.parse()
        airflow.now += timedelta(seconds=20)
    airflow.live(at(3, "10:00"), step=HOUR)
    assert airflow.runs == [at(2, "10:00") + timedelta(seconds=60)]
    airflow.spec = start({"now": True, "timezone": "Asia/Kolkata", "end": "2027-01-01"}, airflow.now).spec
    airflow.paused(at(4, "10:00"), step=HOUR)
    airflow.live(at(5, "10:00"), step=HOUR)
    assert len(airflow.runs) == 1


def test_now_waits_for_its_start(start: Callable[..., Airflow]) -> None:
    airflow = begun(start, {"now": True, "start": "2026-11-04"}, at(6, "00:00"))
    assert airflow.runs == [at(4, "00:00")]


def test_a_number_of_runs_without_start_counts_the_runs_that_took_place(start: Callable[..., Airflow]) -> None:
    airflow = begun(start, {**DAILY, "ends": {"after": 3}}, at(3, "08:00"))
    airflow.down(until=at(3, "20:00"))
    airflow.live(at(9, "00:00"), step=HOUR)
    assert airflow.runs == [at(day, "09:00") for day in (2, 4, 5)]
    airflow.spec = start({**DAILY, "ends": {"after": 4}}, airflow.now).spec
    airflow.live(at(14, "00:00"), step=HOUR)
    assert airflow.runs[3:] == [at(9, "09:00")]


def test_a_parse_changes_nothing_in_what_is_stored(start: Callable[..., Airflow]) -> None:
    airflow = start({"repeat": {"every": "3 days", "at": "09:00"}, "ends": {"after": 5}}, MONDAY)
    stored = airflow.dag().timetable.serialize()
    airflow.now += 100 * DAY
    assert airflow.dag().timetable.serialize() == stored
    assert airflow.dag().timetable.deserialize(json.loads(json.dumps(stored))).serialize() == stored


def test_airflow_can_list_what_lies_between_two_days(start: Callable[..., Airflow]) -> None:
    airflow = start(DAILY, at(20, "00:00"))
    listed = airflow.dag().iter_dagrun_infos_between(at(3, "09:00"), at(6, "08:00"))
    assert [info.logical_date for info in listed] == [at(day, "09:00") for day in (3, 4, 5)]


def test_a_run_by_hand_stands_for_its_own_moment(start: Callable[..., Airflow]) -> None:
    timetable = start(DAILY, MONDAY).dag().timetable
    interval = timetable.infer_manual_data_interval(run_after=at(4, "10:00"))
    assert (interval.start, interval.end) == (at(4, "10:00"), at(4, "10:00"))


@pytest.mark.parametrize(("when", "periodic"), [(DAILY, True), (HOURLY, True), ("now", False)])
def test_only_what_repeats_can_be_backfilled(start: Callable[..., Airflow], when: Any, periodic: bool) -> None:
    assert start(when, MONDAY).dag().timetable.periodic is periodic


def test_drafts_stopped_and_live_campaigns_have_no_schedule(
    campaign: Callable[..., CampaignSpec], start: Callable[..., Airflow]
) -> None:
    from audiences.when.timetable import CampaignTimetable

    specs = [campaign(DAILY, status="draft"), campaign(DAILY, status="stopped"), campaign({"on": {"event": "Charged"}})]
    assert [CampaignTimetable.of(spec) for spec in specs] == [None, None, None]


def test_the_description_fits_airflows_column(
    campaign: Callable[..., CampaignSpec], start: Callable[..., Airflow]
) -> None:
    times = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(0, 60, 5)]
    timetable = start({"repeat": {"every": "1 day", "at": times}}, MONDAY).dag().timetable
    assert len(timetable.description) == 1000


def test_airflow_restores_the_timetable_through_the_plugin(tmp_path: Any) -> None:
    script = """
from pathlib import Path
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from audiences.campaign.project import Project
from audiences.when.timetable import CampaignTimetable

spec = Project.load_campaign(Path.cwd(), "lapsed_high_value")
saved = DagSerialization.to_dict(DAG(spec.id, schedule=CampaignTimetable.of(spec)))
timetable = DagSerialization.from_dict(saved).timetable
print(timetable.type_name, "|", timetable.summary)
"""
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PYTHONWARNINGS": "ignore",
    }
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == (
        "audiences.when.timetable.CampaignTimetable | every week on Mon, Thu at 08:30, 17:30 Europe/Berlin"
    )
