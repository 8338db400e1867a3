"""A campaign whose rules hold for one user only as of three weeks ago, and for another only now, and its runs in Airflow.

Its schedule has two dates, that day and three hours ago.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from tests.airflow.demos import wished
from tests.pipeline.conftest import row_of

from audiences.demo.airflow import AirflowApiError

if TYPE_CHECKING:
    from audiences.demo.start import Demo

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
    """A running demo, to which the campaign and its users are added, and what came of its runs."""

    def __init__(self, demo: Demo) -> None:
        self.demo, self.call = demo, demo.airflow._call
        for user, at in ((THEN, PAST - timedelta(days=1)), (NOW, datetime.now(UTC) - HOUR)):
            wished(demo.server.uri("shop"), user, amount=2, at=at)
        project = demo.folders.project
        (project / "dags" / "operators.py").write_text(OPERATORS.replace("PAST", (PAST + 2 * HOUR).isoformat()))
        when = f"when: {{dates: ['{PAST.isoformat()}', '{DUE.isoformat()}']}}\n"
        (project / "campaigns" / "dated.yml").write_text(CAMPAIGN + when)

    def dag_runs(self) -> dict[str, dict[str, Any]]:
        try:
            found = self.call("GET", "/api/v2/dags/dated/dagRuns", params={"limit": 100})
        except AirflowApiError:  # it does not know the DAG yet, or no more
            return {}
        return {run["dag_run_id"]: run for run in found["dag_runs"]}

    def ended(self, run: str, *, seconds: float = 400) -> dict[str, Any]:
        """The run when it has ended, and its note is written."""
        until = time.monotonic() + seconds
        while (found := self.dag_runs().get(run, {})).get("state") not in ("success", "failed"):
            assert time.monotonic() < until, (run, found)
            time.sleep(1)
        return found

    def knows(self, dag: str, *, seconds: float = 120) -> None:
        """Wait until Airflow has read the DAG."""
        until = time.monotonic() + seconds
        while dag not in self.demo.airflow.dag_ids():
            assert time.monotonic() < until, self.demo.airflow.import_errors()
            time.sleep(1)

    def trigger(self, name: str, **body: Any) -> str:
        found = self.call("POST", "/api/v2/dags/dated/dagRuns", json={"dag_run_id": name, "logical_date": None, **body})
        run: str = found["dag_run_id"]
        return run

    def ledger(self, run: str) -> list[tuple[str, timedelta, timedelta]]:
        """Of the run in the ledger, once more for each time that it was cleared: state, and as of how long before it began."""
        with psycopg.connect(self.demo.server.uri("ledger")) as connection:
            return connection.execute(
                "select state, started_at - as_of, started_at - assigned_at from audiences.run where external_id = %s"
                " order by again",
                (run,),
            ).fetchall()

    def is_as_of_now(self, run: str, *, times: int = 1) -> None:
        found = self.ledger(run)
        assert [state for state, _, _ in found] == ["success"] * times, (run, found)
        assert all(abs(ago) < timedelta(minutes=5) for _, *both in found for ago in both), (run, found)
        audience = next(one for one in self.demo.sandbox.state()["audiences"] if one["name"] == "Dated")
        members = {tuple(sorted(row.items())) for row in self.demo.sandbox.members(audience["id"])}
        assert members == {row_of(f"user{NOW}@example.com", None)}, run
