"""What Airflow's list of DAGs shows of campaigns and of the project's own DAGs: names to be found by, schedules in words."""

from __future__ import annotations

import json

import pytest
from tests.campaign.conftest import folder  # noqa: F401  # a fixture

from audiences.airflow.campaign_dag import campaign_dag
from audiences.airflow.dispatcher_dag import dispatcher_dag
from audiences.airflow.upkeep_dag import upkeep_dag
from audiences_plugin import AudiencesPlugin

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
CAMPAIGN = (
    "name: {name}\nstatus: published\n{live}who: {{did: {{event: Charged}}}}\n"
    "what: {{audience: {{create: {{name: x}}}}{keep}}}\nwhen: {when}\n"
)


@pytest.mark.parametrize("live", [False, True])
def test_a_campaign_of_a_brand_is_found_by_its_tag_and_sends_in_its_pool(folder, live):  # noqa: F811  # a fixture
    with (folder.root / "include/settings.yml").open("a") as settings:
        settings.write("brands: {acme: {pool: facebook_acme}}\n")
    (folder.root / "campaigns/acme").mkdir()
    said = {"live": "qualification: live\n" if live else "", "keep": ", keep_for: 1 day" if live else ""}
    when = "{on: {event: Charged}}" if live else "now"
    folder.campaign(CAMPAIGN.format(name="Of acme", when=when, **said), "acme/of_acme.yml")
    dag = campaign_dag(folder.spec("of_acme"), folder.root)
    assert "acme" in dag.tags
    of_brand = {task.task_id for task in dag.tasks if task.pool == "facebook_acme"}
    assert of_brand == ({"run_batch"} if live else {"remove", "add", "remove_late"})
    assert {task.pool for task in dag.tasks} == ({"facebook_acme"} if live else {"facebook_acme", "default_pool"})


def dag_of(folder, *, name="Cart left", when="now", live=False):  # noqa: F811  # a fixture
    said = {"live": "qualification: live\n" if live else "", "keep": ", keep_for: 1 day" if live else ""}
    folder.campaign(CAMPAIGN.format(name=name, when=when, **said), "cart_left.yml")
    return campaign_dag(folder.spec("cart_left"), folder.root)


def read_back(dag) -> str:
    """The schedule in words, after the DAG's timetable was written down as JSON and read again."""
    written = json.loads(json.dumps(dag.timetable.serialize()))
    assert type(dag.timetable) in AudiencesPlugin.timetables
    return type(dag.timetable).deserialize(written).summary


@pytest.mark.parametrize(("name", "shown"), [("Cart left", "Cart left (cart_left)"), ("cart_left", "cart_left")])
def test_a_campaign_is_found_by_its_name_and_by_its_id(folder, name, shown):  # noqa: F811  # a fixture
    assert dag_of(folder, name=name).dag_display_name == shown


@pytest.mark.parametrize(
    ("when", "live", "words"),
    [
        ("{timezone: UTC, repeat: {every: 1 day, at: '09:00'}}", False, "every day at 09:00 UTC"),
        ("{on: {event: Charged}, after: 5 minutes}", True, "when a user does Charged, 5 minutes later"),
    ],
)
def test_a_schedule_is_in_words_and_stays_so_when_it_is_written_down(folder, when, live, words):  # noqa: F811  # a fixture
    assert read_back(dag_of(folder, when=when, live=live)) == words


def test_the_upkeep_runs_every_day_in_words(tmp_path):
    assert read_back(upkeep_dag(tmp_path)) == "every day at 04:15 UTC"


def test_the_dispatcher_says_in_words_that_it_always_waits_and_runs_once_at_a_time_as_airflow_s_own_schedule_does(
    tmp_path,
):
    dag = dispatcher_dag(tmp_path)
    assert read_back(dag) == "always, waiting for events"
    assert dag.timetable.description.startswith("Always waits for the events of live campaigns")
    assert dag.timetable.active_runs_limit == 1
