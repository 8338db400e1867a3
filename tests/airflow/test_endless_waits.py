"""What keeps a task waiting for ever is told with the remedy where people look: in the note of its run and on the page Health."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e
BRANDED = "ad_accounts: {main: {id: act_1001, connection: facebook_main}}\nbrands: {acme: {pool: acme_pool}}\n"
DAG = """
import json, os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.models.team import Team
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit

from audiences.airflow import endless_waits, listeners
from audiences.airflow.campaign_dag import campaign_dag
from audiences.campaign.project import Project

root = Path(os.environ["AUDIENCES_PROJECT"])
spec = Project.load_campaign(root, "carts")
dag = DagSerialization.from_dict(DagSerialization.to_dict(campaign_dag(spec, root)))
notes = []

def said():
    return [f"{check.state}: {check}" for check in endless_waits.checks(endless_waits.pools_in([spec]))]

with create_session() as session:
    session.add(Team(name="acme"))
    for name in ("ours", "acmes"):
        session.add(DagBundleModel(name=name))
    session.flush()
    session.add(DagModel(dag_id="carts", bundle_name="ours", fileloc="x", tags=[DagTag(name="audiences", dag_id="carts")]))
    session.add(Pool(pool="facebook", slots=4, include_deferred=False))

def begun(**pool):
    with create_session() as session:
        if pool:
            found = Pool.get_pool("acme_pool", session=session) or Pool(pool="acme_pool", include_deferred=False)
            for name, value in pool.items():
                setattr(found, name, value)
            session.add(found)
        session.commit()
        with prohibit_commit(session) as guard:
            run = DagRun(dag_id="carts", run_id=f"run__{len(notes)}", run_type="manual", logical_date=None,
                run_after=datetime.now(UTC), state="running")
            session.add(run)
            session.flush()
            run.dag = dag
            listeners.on_dag_run_running(dag_run=run, msg="started")
            session.flush()
            during = run.note
            listeners.on_dag_run_success(dag_run=run, msg="success")
            notes.append([during, run.note])
            guard.commit()

"""
POOLS = (
    DAG
    + """
begun()
missing = said()
begun(slots=0)
begun(slots=2, team_name="acme")
begun(team_name=None)
print("RESULT", json.dumps({"notes": notes, "missing": missing, "well": said()}))
"""
)
WAITS = (
    DAG
    + """
from airflow.jobs.job import Job
from airflow.models.trigger import Trigger

begun(slots=2)
now = datetime.now(UTC)
with create_session() as session:
    alive = Job(job_type="TriggererJob", latest_heartbeat=now)
    dead = Job(job_type="TriggererJob", latest_heartbeat=now - timedelta(minutes=9))
    session.add_all([alive, dead])
    session.flush()
    for minutes, owner, team in ((9, alive.id, None), (1, None, None), (9, dead.id, None), (8, None, "acme"), (7, None, "acme")):
        trigger = Trigger(classpath="x", kwargs={}, created_date=now - timedelta(minutes=minutes), team_name=team)
        trigger.triggerer_id = owner
        session.add(trigger)
print("RESULT", json.dumps(said()))
"""
)
UNREACHED = """
import json
from audiences.airflow import endless_waits
print("RESULT", json.dumps([endless_waits.has_database(), [str(one) for one in endless_waits.checks({"carts": {"p"}})]]))
"""


@pytest.fixture
def branded(database):
    """A campaign of a brand that has a pool of its own, by its settings."""
    database.write("include/settings.yml", BRANDED)
    database.campaign("acme/carts")
    return database


def result(airflow, code):
    said = airflow.code(code)
    assert "RESULT" in said, said
    return json.loads(said.split("RESULT", 1)[1].splitlines()[0])


def test_a_run_says_from_its_beginning_which_pool_lets_it_wait_for_ever_until_it_has_ended(branded):
    branded.environment["AIRFLOW__CORE__MULTI_TEAM"] = "true"
    found = result(branded, POOLS)
    wait = "so tasks of `carts` that are in it wait for ever."
    make = "`airflow pools set acme_pool 2 'Calls to Facebook'`."
    assert found["notes"] == [
        [f"waits for ever: pool acme_pool: Airflow has no such pool, {wait} Make it: {make}", None],
        [f"waits for ever: pool acme_pool: it has no slots, {wait} Give it some: {make}", None],
        [
            "waits for ever: pool acme_pool: it belongs to the team `acme`, and they do not, "
            f"{wait} Give it the right team, or none: {make}",
            None,
        ],
        [None, None],
    ]
    assert found["missing"][0] == f"fail: pool acme_pool: Airflow has no such pool, {wait} Make it: {make}"
    assert found["well"] == [
        "ok: pools: all are there, with slots: `acme_pool`, `default_pool`, `facebook`.",
        "ok: triggerers: they have taken up whatever waits.",
    ]


def test_waits_that_no_triggerer_of_the_team_has_taken_up_are_told(branded):
    branded.environment["AIRFLOW__CORE__MULTI_TEAM"] = "true"
    _, everybodys, of_team = result(branded, WAITS)
    assert everybodys.startswith("fail: triggerer: 1 wait of deferred tasks and missed deadlines taken up by none")
    assert everybodys.endswith("Start one: `airflow triggerer`. Until then they wait.")
    assert of_team.startswith("fail: triggerer of the team acme: 2 waits of")
    assert "`airflow triggerer --team-name acme`" in of_team


def test_a_database_that_is_not_there_or_does_not_answer_is_no_fault(airflow):
    assert result(airflow, UNREACHED)[0] is False
    airflow.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    there, (line,) = result(airflow, UNREACHED)
    assert (there, line.startswith("pools: not looked at: Airflow's database does not answer here")) == (True, True)
