"""Every way in which Airflow makes a run, on a real one: whatever its date, a run sends what holds now, or nothing.

The rules hold for one user only as of 20 November, and for another only now; the campaign's schedule has two dates, that day
and three hours ago.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import psycopg
import pytest
from tests.airflow.demos import airflow_demo, wished  # noqa: F401  # a fixture
from tests.pipeline.conftest import row_of

from audiences.demo.airflow import AirflowApiError

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]
HOUR = timedelta(hours=1)  # Airflow has one run of a logical date
THEN, NOW = 60_011, 60_012  # the users who qualify
PAST = (datetime.now(UTC) - timedelta(days=20)).replace(hour=9, minute=0, second=0, microsecond=0)
DUE = (datetime.now(UTC) - timedelta(hours=3)).replace(second=0, microsecond=0)
CAMPAIGN = """
name: Dated
status: published
who: {did: {event: Wishlisted, within: last 7 days, where: {amount: 2}}, control_group: {system: false}}
what: {audience: {create: {name: Dated}}, identifiers: [email]}
"""
OPERATORS = '''
"""Runs of the campaign that another DAG of the user's triggers."""
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

with DAG("operators", schedule=None, is_paused_upon_creation=False):
    for task, more in {
        "in_the_past": {"logical_date": "PAST"},
        "mistyped": {"conf": {"dryrun": True}},
    }.items():
        TriggerDagRunOperator(task_id=task, trigger_dag_id="dated", trigger_run_id=f"by_operator_{task}", **more)
'''


class RunsOfDates:
    """A running demo with the campaign, and what came of its runs."""

    def __init__(self, demo) -> None:
        self.demo, self.call = demo, demo.airflow._call

    def dag_runs(self):
        try:
            found = self.call("GET", "/api/v2/dags/dated/dagRuns", params={"limit": 100})
        except AirflowApiError:  # it does not know the DAG yet, or no more
            return {}
        return {run["dag_run_id"]: run for run in found["dag_runs"]}

    def ended(self, run, *, seconds=400):
        """The run when it has ended, and its note is written."""
        until = time.monotonic() + seconds
        while (found := self.dag_runs().get(run, {})).get("state") not in ("success", "failed"):
            assert time.monotonic() < until, (run, found)
            time.sleep(1)
        return found

    def knows(self, dag, *, seconds=120):
        """Wait until Airflow has read the DAG."""
        until = time.monotonic() + seconds
        while dag not in self.demo.airflow.dag_ids():
            assert time.monotonic() < until, self.demo.airflow.import_errors()
            time.sleep(1)

    def trigger(self, name, **body):
        found = self.call("POST", "/api/v2/dags/dated/dagRuns", json={"dag_run_id": name, "logical_date": None, **body})
        return found["dag_run_id"]

    def ledger(self, run):
        """Of the run in the ledger, once more for each time that it was cleared: state, and as of how long before it began."""
        with psycopg.connect(self.demo.server.uri("ledger")) as connection:
            return connection.execute(
                "select state, started_at - as_of, started_at - assigned_at from audiences.run where external_id = %s"
                " order by again",
                (run,),
            ).fetchall()

    def is_as_of_now(self, run, *, times=1):
        found = self.ledger(run)
        assert [state for state, _, _ in found] == ["success"] * times, (run, found)
        assert all(abs(ago) < timedelta(minutes=5) for _, *both in found for ago in both), (run, found)
        audience = next(one for one in self.demo.sandbox.state()["audiences"] if one["name"] == "Dated")
        members = {tuple(sorted(row.items())) for row in self.demo.sandbox.members(audience["id"])}
        assert members == {row_of(f"user{NOW}@example.com", None)}, run


@pytest.fixture
def runs(airflow_demo):  # noqa: F811  # the fixture imported above
    project = airflow_demo.folders.project
    operators = OPERATORS.replace("PAST", (PAST + 2 * HOUR).isoformat())
    (project / "dags" / "operators.py").write_text(operators)
    for user, at in ((THEN, PAST - timedelta(days=1)), (NOW, datetime.now(UTC) - HOUR)):
        wished(airflow_demo.server.uri("shop"), user, amount=2, at=at)
    when = f"when: {{dates: ['{PAST.isoformat()}', '{DUE.isoformat()}']}}\n"
    (project / "campaigns" / "dated.yml").write_text(CAMPAIGN + when)
    return RunsOfDates(airflow_demo)


def test_whatever_the_date_of_a_run_it_sends_what_holds_now_or_nothing(runs):
    # The scheduler, late: the audience is not put back to three hours ago.
    scheduled = f"scheduled__{DUE.isoformat()}"
    assert runs.ended(scheduled)["state"] == "success"
    runs.is_as_of_now(scheduled)

    # By REST, with either date in the past, and by TriggerDagRunOperator.
    by_hand = [
        runs.trigger("logical_date", logical_date=(PAST + HOUR).isoformat()),
        runs.trigger("run_after", run_after=PAST.isoformat()),
        "by_operator_in_the_past",
    ]
    mistyped = [runs.trigger("mistyped", conf={"dryrun": True}), "by_operator_mistyped"]
    runs.knows("operators")
    runs.call("POST", "/api/v2/dags/operators/dagRuns", json={"logical_date": None})
    for run in by_hand:
        assert runs.ended(run)["state"] == "success", run
        runs.is_as_of_now(run)
    for run in mistyped:
        assert runs.ended(run)["state"] == "failed", run
        assert runs.ledger(run) == []

    # A backfill of the other date of the schedule; of the upkeep there is none.
    span = {"from_date": (PAST - timedelta(days=1)).isoformat(), "to_date": (PAST + timedelta(days=1)).isoformat()}
    runs.call("POST", "/api/v2/backfills", json={"dag_id": "dated", **span})
    (backfill,) = [run for run, found in runs.dag_runs().items() if found["run_type"] == "backfill"]
    assert "a backfill stands for a time that has passed" in runs.ended(backfill)["note"]
    assert runs.ledger(backfill) == []
    with pytest.raises(AirflowApiError, match="does not allow backfill runs"):
        runs.call("POST", "/api/v2/backfills", json={"dag_id": "audiences_upkeep", **span})

    # An old run that is cleared is a run now, and one of its own.
    runs.call("POST", f"/api/v2/dags/dated/dagRuns/{quote(scheduled, safe='')}/clear", json={"dry_run": False})
    runs.ended(scheduled)
    runs.is_as_of_now(scheduled, times=2)

    # Airflow forgets the campaign's runs, the ledger does not.
    runs.demo.airflow._http.delete(f"{runs.demo.airflow.url}/api/v2/dags/dated", timeout=60).raise_for_status()
    assert "has taken place" in runs.ended(scheduled)["note"]
    assert len(runs.ledger(scheduled)) == 2
