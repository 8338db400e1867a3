"""What an operator sees of a failed task, by real Airflow: the reason as the last line and as the note, no frames for ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audiences.campaign.project import Project

pytestmark = pytest.mark.e2e
SETTINGS = "ad_accounts: {main: {id: act_1001, connection: facebook_main}}\n"
FRAME = 'File "'
# `airflow dags test` shows its listeners a run without a session, unlike the scheduler, which is stood in for here.
END = """
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select
from audiences.airflow import listeners
with create_session() as session:
    run = session.scalars(select(DagRun)).one()
    (listeners.on_dag_run_failed if run.state == "failed" else listeners.on_dag_run_success)(dag_run=run, msg="")
"""


def note_of(airflow) -> str:
    said = airflow.code(END)
    found = airflow.rows("select content from dag_run_note")
    assert len(found) == 1, said
    return found[0][0]


def test_a_known_error_is_the_note_and_the_last_line_and_shows_no_frames(connected):
    del connected.environment["AIRFLOW_CONN_FACEBOOK_MAIN"]
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts")
    reason = "the Airflow connection `facebook_main` does not exist; create it in the Airflow UI"
    note = note_of(connected)
    assert note.startswith(f"failed: {reason}"), said[-6000:]
    assert FRAME not in said
    last = [line for line in said.splitlines() if "[audiences." in line or "[task]" in line][-2]
    assert reason in last
    assert connected.rows("select state, try_number from task_instance where task_id = 'open_run'") == [("failed", 1)]


def test_a_stop_by_a_guard_is_told_with_the_counts_that_led_to_it(connected, shop):
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com", opted_out=number == 1)
        shop.event(number)
    connected.campaign("carts", what=", guards: {skip_run_above: 1}")
    said = connected.airflow("dags", "test", "carts")
    note = note_of(connected)
    assert note.startswith("stopped by the guard `skip_run_above`: 2 targets are more than 1. Nothing was sent."), said
    assert "--allow skip_run_above" in note
    assert "targeted 2 (not sent 2); qualified 3: opted out 1; would have added 2 and removed 0" in note
    assert FRAME not in said
    ((outcomes,),) = shop.sql("select outcomes from audiences.run", on="ledger")
    assert (outcomes["qualified"], outcomes["targeted"], outcomes["failed"], outcomes["added"]) == (3, 2, 2, 0)


def test_a_passing_fault_is_tried_again_and_shows_no_frames(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.sandbox.admin.add_fault("throttle", path="*/users", minutes=1, block=True)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts")
    assert connected.rows("select state, try_number from task_instance where task_id = 'extract'") == [("success", 2)]
    assert FRAME not in said, said[-6000:]
    assert "It is tried again" in said


def test_an_unknown_error_keeps_its_frames_and_the_note_says_where_to_look(connected, shop):
    connected.campaign("carts")
    # A fault that nobody has foreseen: rows are to be staged where fsspec needs to know more than a URL says.
    connected.write("include/settings.yml", f"{SETTINGS}staging: reference://bucket/audiences\n")
    shop.user(1, "one@example.com")
    shop.event(1)
    said = connected.airflow("dags", "test", "carts")
    note = note_of(connected)
    assert "TypeError in the task `open_run`, whose log says more" in note, said[-6000:]
    assert FRAME in said


def test_a_failed_live_run_has_the_reason_as_its_note(connected, shop):
    del connected.environment["AIRFLOW_CONN_FACEBOOK_MAIN"]
    shop.user(1, "one@example.com")
    shop.sql("insert into events (user_id, name, occurred_at) values (1, 'Added To Cart', now())")
    connected.write(
        "campaigns/left.yml",
        "name: left\nstatus: published\nqualification: live\nwho: {control_group: {system: false}}\n"
        "what: {audience: {create: {name: left}}, keep_for: 1 day}\nwhen: {on: {event: Added To Cart}}\n",
    )
    said = connected.airflow("dags", "test", "left")
    note = note_of(connected)
    assert "`facebook_main` does not exist" in note, said[-6000:]
    assert FRAME not in said


def test_the_upkeep_says_of_which_campaign_it_speaks(connected, shop):
    shop.user(1, "one@example.com")
    shop.sql("insert into events (user_id, name, occurred_at) values (1, 'Added To Cart', now())")
    connected.write(
        "campaigns/carts.yml",
        "name: carts\nstatus: published\nwho: {did: {event: Added To Cart}}\nwhen: now\n"
        "what: {audience: {create: {name: carts}}}\ngoal: {event: Charged, within: 1 day}\n",
    )
    spec = Project.load_campaign(connected.project, "carts").model_copy(update={"staging": str(shop.staging)})
    shop.run(spec, at=datetime.now(UTC))
    del connected.environment["AIRFLOW_CONN_WAREHOUSE"]
    said = connected.airflow("dags", "test", "audiences_upkeep")
    assert "failed: carts: the Airflow connection `warehouse` does not exist" in note_of(connected), said[-6000:]
    assert FRAME not in said


def test_a_dry_run_is_one_green_task(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts", "--conf", '{"dry_run": true}')
    assert "would add 1 row" in note_of(connected), said[-6000:]
    assert connected.rows("select task_id, state from task_instance") == [("open_run", "success")]
    assert connected.rows("select state from dag_run") == [("success",)]
