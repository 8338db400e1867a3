from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.e2e

# A scheduled run's first task, without a scheduler.
BEGIN = """
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from audiences.campaign.project import Project
from audiences.airflow.operators.steps import OpenRunOperator

def begin(due, again=False):
    project = os.environ["AUDIENCES_PROJECT"]
    task = OpenRunOperator(task_id="open_run", spec=Project.load_campaign(Path(project), "carts"), project=project)
    ti = SimpleNamespace(try_number=1, xcom_push=lambda key, value: print("NOTE", key, value))
    run = SimpleNamespace(run_type="scheduled", run_after=due, conf={})
    context = {"dag_run": run, "params": {}, "run_id": "r", "ti": ti}
    try:
        task.go_on(context, None) if again else task.execute(context)
    except TaskDeferred as deferred:
        print("HELD", deferred.trigger.serialize(), deferred.method_name)
    except AirflowSkipException:
        print("SKIPPED")
"""


def window(opens: datetime, hours: int = 2) -> str:
    """In the words of a campaign file, on the clock of UTC."""
    to = opens + timedelta(hours=hours)
    return f'[{{days: [{opens:%a}], from: "{opens:%H:%M}", to: "{to:%H:%M}"}}]'.lower()


def test_a_run_outside_its_windows_waits_for_the_opening_without_a_worker(connected, shop):
    opens = (datetime.now(UTC) + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    connected.campaign("carts", when=f"{{timezone: UTC, now: true, windows: {window(opens)}}}")
    said = connected.code(BEGIN + "begin(datetime.now(UTC), again=True)")
    assert "HELD" in said, said[-3000:]
    held = said.split("HELD", 1)[1]
    assert f"DateTime({opens.year}, {opens.month}, {opens.day}, {opens.hour}, 0, 0" in held, held
    assert "resume" in held
    assert shop.sandbox.admin.requests() == []


def test_a_run_that_is_dropped_ends_well_and_says_why(connected, shop):
    opens = datetime.now(UTC) + timedelta(days=2)
    connected.campaign("carts", when=f"{{timezone: UTC, now: true, outside: drop, windows: {window(opens)}}}")
    said = connected.airflow("dags", "test", "carts")
    states = connected.rows("select task_id, state from task_instance where task_id in ('open_run', 'extract')")
    assert sorted(states) == [("extract", "skipped"), ("open_run", "skipped")], said[-6000:]
    assert connected.rows("select state from dag_run") == [("success",)]
    assert "left out: outside the export windows" in said
    assert shop.sandbox.admin.requests() == []


@pytest.mark.long
def test_a_held_run_goes_on_when_the_window_opens(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    opens = (datetime.now(UTC) + timedelta(seconds=90)).replace(second=0, microsecond=0)
    connected.campaign("carts", when=f"{{timezone: UTC, now: true, windows: {window(opens)}}}")
    said = connected.airflow("dags", "test", "carts")
    ((state, as_of, added),) = shop.sql("select state, as_of, outcomes ->> 'added' from audiences.run", on="ledger")
    assert (state, added) == ("success", "1"), said[-6000:]
    assert opens <= as_of < opens + timedelta(minutes=1)  # as of when it went on


def test_a_scheduled_run_that_comes_a_day_late_is_left_out(connected, shop):
    connected.campaign("carts", when='{repeat: {every: 1 day, at: "09:00"}}')
    said = connected.code(BEGIN + "begin(datetime.now(UTC) - timedelta(days=1))")
    assert "SKIPPED" in said, said[-3000:]
    assert "NOTE note left out: it was due on" in said
    assert shop.sandbox.admin.requests() == []
