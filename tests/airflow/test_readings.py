"""Which campaigns the DAG processor is given at a reading: what is new at once, the rest often enough, a few at a time."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
MANY = [f"cart_{number:02d}" for number in range(60)]


@pytest.fixture
def files(tmp_path):
    for campaign in MANY:
        (tmp_path / f"{campaign}.yml").write_text(campaign)
    return {campaign: tmp_path / f"{campaign}.yml" for campaign in MANY}


@pytest.fixture
def reading(tmp_path, files):
    """Does a reading as of some second, which may break off after so many campaigns; gives what Airflow was given."""
    from audiences.airflow.readings import Readings, Rhythm

    def read(
        now, *, gone_after=300.0, holds_for="this process", most=None, memory=tmp_path / "memory.json", breaks_off=False
    ):
        readings = Readings(memory, holds_for, now, Rhythm(15.0, gone_after, 30.0))
        given = readings.due(files)[:most]
        for campaign in given:
            readings.note(campaign)
        if not breaks_off:
            readings.keep()
        return given

    return read


def test_at_first_and_after_a_restart_and_when_a_shared_file_has_changed_everything_is_given(reading):
    assert reading(0) == MANY
    assert len(reading(100)) < len(MANY)
    assert reading(120, holds_for="another process, or other shared files") == MANY


@pytest.mark.parametrize("folder", ["include", "include/segments"])
def test_a_change_of_a_shared_file_is_seen_behind_a_link_to_its_folder(tmp_path, folder):
    from audiences.airflow.readings import state_of_shared_files

    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / "include/segments").mkdir(parents=True)
    (project / folder).rename(elsewhere)
    (project / folder).symlink_to(elsewhere)
    before = state_of_shared_files(project, project / "dags/campaigns.py")
    assert state_of_shared_files(project, project / "dags/campaigns.py") == before
    (elsewhere / "more.yml").write_text("{}")
    assert state_of_shared_files(project, project / "dags/campaigns.py") != before


def test_a_changed_file_is_given_before_all_others_and_again_until_airflow_has_surely_written_it(reading, files):
    """Airflow skips a change that comes less than `min_serialized_dag_update_interval` after the one before."""
    reading(0)
    files["cart_42"].write_text("changed")
    assert [reading(now)[0] for now in (100, 130, 185)] == ["cart_42"] * 3
    assert "cart_42" not in reading(195)


def test_no_campaign_is_ever_given_so_late_that_airflow_takes_it_for_gone_and_none_more_often_than_it_needs(reading):
    last, counts, ages = dict.fromkeys(MANY, 0.0), [], []
    reading(0)
    for now in range(100, 3600, 25):  # the interval and as long again as a reading takes
        given = reading(float(now))
        ages += [now - last[campaign] for campaign in given]
        last |= dict.fromkeys(given, float(now))
        counts += [len(given)] if now > 400 else []  # before that, all were given at the same time
    assert max(ages) < 300 - 25, "given before the reading after which Airflow would take it for gone"
    assert max(counts) <= 8, "of 60"


def test_after_an_outage_all_whose_time_is_up_are_given_at_once(reading):
    reading(0)
    assert sorted(reading(500)) == MANY


def test_what_there_was_no_time_for_comes_first_at_the_next_reading(reading):
    assert reading(0, most=25) == MANY[:25]
    assert reading(20)[:35] == MANY[25:]


def test_with_airflows_own_threshold_everything_is_given_each_time(reading):
    assert [reading(now, gone_after=50.0) for now in (0, 30)] == [MANY, MANY]


def test_after_a_reading_that_broke_off_everything_is_given_since_airflow_took_all_for_gone(reading):
    reading(0)
    assert len(reading(100, breaks_off=True)) < len(MANY)
    assert sorted(reading(120)) == MANY


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"holds_for": "this process", "given": {"cart_00": 3}}', "\x00"])
def test_a_memory_that_cannot_be_read_gives_everything(reading, tmp_path, kept):
    (tmp_path / "memory.json").write_text(kept)
    assert reading(20) == MANY


def test_a_memory_that_cannot_be_written_gives_everything_each_time(reading, tmp_path):
    nowhere = tmp_path / "none" / "memory.json"
    assert [reading(now, memory=nowhere) for now in (0, 20)] == [MANY, MANY]


def test_a_campaign_that_went_away_or_broke_is_new_when_it_comes_back(reading, files, tmp_path):
    reading(0)
    gone = files.pop("cart_07")
    reading(100)
    assert "cart_07" not in json.loads((tmp_path / "memory.json").read_text())["given"]
    files["cart_07"] = gone
    assert reading(120)[0] == "cart_07"


CHILD = """
import json, os
from pathlib import Path
from types import SimpleNamespace
from airflow.dag_processing import processor
import structlog
log, seen = structlog.get_logger(), []
processor._execute_callbacks = lambda bag, requests, log: seen.append(sorted(bag.dags))
def read(callbacks=()):
    file = Path(DAGS) / "campaigns.py"
    asked = processor.DagFileParseRequest.model_construct(
        file=str(file), bundle_path=file.parent, bundle_name="dags-folder", callback_requests=list(callbacks)
    )
    found = processor._parse_file(asked, log)
    return found and sorted(dag.dag_id for dag in found.serialized_dags)
first = read()
(memory,) = Path(os.environ["AIRFLOW_HOME"]).glob("audiences-readings-*.json")
kept = json.loads(memory.read_text())
kept["given"] = {campaign: [state, first - 100, last - 100] for campaign, (state, first, last) in kept["given"].items()}
memory.write_text(json.dumps(kept))
again = read()
read([SimpleNamespace()])
print("RESULT" + json.dumps([first, again, seen[0]]))
"""


@pytest.mark.e2e
def test_the_dag_processor_is_given_unchanged_campaigns_once_and_a_callback_and_a_command_find_them(airflow):
    from tests.airflow.conftest import ROOT

    airflow.home.mkdir(exist_ok=True)  # Airflow made it when it was imported, before another test
    for name in ("one", "two"):
        airflow.campaign(name)
    airflow.environment |= {
        "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "300",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "0",
    }
    said = airflow.code(CHILD.replace("DAGS", repr(str(ROOT / "dags"))))
    assert "RESULT" in said, said
    assert json.loads(said.split("RESULT", 1)[1].splitlines()[0]) == [["one", "two"], [], ["one", "two"]], said
