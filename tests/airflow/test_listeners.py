"""What Airflow's pages show of texts of others, in a run's note and about a DAG; and which runs a schedule counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.airflow.operators.test_holding import window
from tests.campaign.conftest import CAMPAIGN, folder  # noqa: F401  # a fixture

from audiences.airflow import listeners
from audiences.airflow.campaign_dag import campaign_dag

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
# The only run that there is, as the scheduler sees the end of a third one of its schedule.
COUNT = """
import os
from pathlib import Path
from types import SimpleNamespace
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select
from audiences.airflow import listeners
from audiences.campaign.project import Project
from audiences.when.timetable import CampaignTimetable
spec = Project.load_campaign(Path(os.environ["AUDIENCES_PROJECT"]), "carts")
with create_session() as session:
    run = session.scalars(select(DagRun)).one()
    run.dag = SimpleNamespace(timetable=CampaignTimetable.of(spec))
    for kind, cleared in (("manual", 0), ("scheduled", 1), ("scheduled", 0)):
        run.run_type, run.clear_number = kind, cleared
        run.data_interval_end = run.data_interval_start.replace(microsecond=3)
        listeners.on_dag_run_success(dag_run=run, msg="")
        print("COUNTED", run.data_interval_end.microsecond)
"""


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("carts\n# forged\r\n- x", "carts # forged - x"),
        ("<b>x</b> <!-- y --> 1 < 2", "< b>x< /b> < !-- y --> 1 < 2"),
        ("![x](http://y) [a][b] [e-mail]", "![x] (http://y) [a] [b] [e-mail]"),
        ("\x1b[2J\u202eZoë\u2028x", "�[2J�Zoë x"),
    ],
)
def test_in_a_note_no_name_begins_a_line_hides_or_acts(said, note):
    assert listeners.in_markdown(said) == note


def test_a_dag_is_called_on_one_line_what_its_file_says(folder):  # noqa: F811  # a fixture
    name = r"Zoë\n2026-11-29 [ERROR] forged \u202e"
    more = f'name: "{name}"\ndescription: "{name}"\nowner: "{name}"\ntags: ["{name}"]\n'
    folder.campaign(CAMPAIGN.replace("name: Test\n", more, 1))
    dag = campaign_dag(folder.spec(), folder.root)
    for said in (dag.dag_display_name, dag.description, dag.owner, *dag.tags):
        assert said.isprintable()


@pytest.mark.e2e
@pytest.mark.parametrize("left_out", [False, True])
def test_a_run_that_was_left_out_is_none_of_those_after_which_its_schedule_ends(connected, shop, left_out):
    shop.user(1, "one@example.com")
    shop.event(1)
    closed = f"outside: drop, windows: {window(datetime.now(UTC) + timedelta(days=2))}, " if left_out else ""
    when = f'{{timezone: UTC, {closed}repeat: {{every: 1 day, at: "09:00"}}, ends: {{after: 5 runs}}}}'
    connected.campaign("carts", when=when)
    ran = connected.airflow("dags", "test", "carts")
    said = connected.code(COUNT)
    counted = [line.split()[1] for line in said.splitlines() if line.startswith("COUNTED")]
    assert counted == ["3", "3", "2" if left_out else "3"], ran[-6000:] + said
