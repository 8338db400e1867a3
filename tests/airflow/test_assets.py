"""Campaigns that run after others, in real Airflow with all its processes: no event is lost, and several are one run."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.shoppers import Act, insert
from audiences.demo.start import started

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1800)]
OTHERS = """
from airflow.sdk import DAG, Asset, task

with DAG("load_orders", schedule=None, is_paused_upon_creation=False):
    task(task_id="load")(lambda: None)()
with DAG("refresh", schedule=None, is_paused_upon_creation=False):
    task(task_id="refresh", outlets=[Asset("orders", uri="s3://lake/orders")])(lambda: None)()
"""
CAMPAIGN = """
name: {name}
status: published
who: {{did: {{event: Wishlisted, where: {{amount: 1}}}}, control_group: {{system: false}}}} # nothing in the shop costs 1
what: {{audience: {{create: {{name: {name}}}}}, identifiers: [email], guards: {{allow_empty: true}}}}
when: {{after: {after}}}
"""
FIRST = 60_001


class Stage:
    """A running demo with two campaigns, one after a load and one after the audience of the first, and two DAGs of others."""

    def __init__(self, demo, shop) -> None:
        self.demo, self.shop, self.came = demo, shop, 0

    def run(self, dag: str) -> None:
        """A run of somebody else's DAG, to its end."""
        run = self.demo.airflow.trigger(dag)
        self.wait(lambda: self.demo.airflow.run_state(dag, run) == "success")

    def runs(self, campaign: str, state: str = "success") -> int:
        query = (
            "select count(*) from audiences.run r join audiences.campaign c on c.id = r.campaign_id"
            " where c.name = %s and r.state = %s"
        )
        with psycopg.connect(self.demo.server.uri("ledger")) as ledger:
            return ledger.execute(query, (campaign, state)).fetchone()[0]

    def updated_by_rest(self, asset: str) -> None:
        """An event of an asset, as a system beside Airflow tells of it."""
        found = self.demo.airflow._call("GET", "/api/v2/assets", params={"name_pattern": asset})["assets"]
        (number,) = (one["id"] for one in found if one["name"] == asset)
        self.demo.airflow._call("POST", "/api/v2/assets/events", json={"asset_id": number})

    def states(self) -> list[str]:
        """The states of the tasks of the campaign's last run."""
        return [*self.demo.airflow.task_states("carts", self.demo.airflow.run_ids("carts")[-1]).values()]

    def somebody_comes(self) -> None:
        self.shop.execute(
            "insert into shop.users (id, email) values (%s, %s)",
            (FIRST + self.came, f"user{FIRST + self.came}@example.com"),
        )
        insert(self.shop, Act(0.0, FIRST + self.came, "Wishlisted", 1.0))
        self.came += 1

    def members(self, name: str) -> int:
        found = [one for one in self.demo.sandbox.state()["audiences"] if one["name"] == name]
        return len(self.demo.sandbox.members(found[0]["id"])) if found else 0

    def wait(self, until, seconds: float = 600) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, {
                run: self.demo.airflow.task_states("carts", run) for run in self.demo.airflow.run_ids("carts")
            }
            time.sleep(0.5)


@pytest.fixture
def stage():
    with tempfile.TemporaryDirectory(prefix="audiences-e2e-") as name:
        project = Path(name) / "project"
        (project / "campaigns").mkdir(parents=True)
        for campaign, after in (
            ("carts", "{any: [load_orders, 's3://lake/orders']}"),
            ("follower", "'facebook://act_1001/carts'"),
        ):
            (project / "campaigns" / f"{campaign}.yml").write_text(CAMPAIGN.format(name=campaign, after=after))
        shutil.copytree(ROOT / "include", project / "include")
        shutil.copytree(ROOT / "dags", project / "dags")
        (project / "dags" / "others.py").write_text(OTHERS)
        (project / "plugins").symlink_to(ROOT / "plugins")
        folders = DemoFolders(project=project, folder=Path(name) / "demo")
        with (
            folders.occupied(),
            started(folders, Progress(Console(quiet=True))) as demo,
            psycopg.connect(demo.server.uri("shop"), autocommit=True) as shop,
        ):
            stage = Stage(demo, shop)
            stage.wait(lambda: {"carts", "follower", "load_orders", "refresh"} <= demo.airflow.dag_ids())
            yield stage


def test_an_event_during_a_run_leads_to_another_run_several_are_one_and_an_audience_wakes_its_follower(stage):
    stage.somebody_comes()
    stage.run("load_orders")
    stage.wait(lambda: stage.runs("carts") == 1)
    assert stage.members("carts") == 1
    stage.wait(lambda: stage.runs("follower") == 1)

    stage.somebody_comes()
    stage.demo.sandbox.add_fault("throttle", path="*/users", minutes=2, block=True)
    stage.run("refresh")  # the other of the two, an asset that its owner gave a name of its own
    stage.wait(lambda: "up_for_retry" in stage.states())  # past its look at the data
    stage.somebody_comes()
    stage.run("load_orders")
    stage.updated_by_rest("orders")
    stage.updated_by_rest("orders")
    assert (stage.runs("carts"), stage.runs("carts", "running")) == (1, 1)  # all of that during one run
    stage.wait(lambda: stage.runs("carts") == 3)
    assert stage.members("carts") == 3
    stage.wait(lambda: stage.members("follower") == 3)
    kinds = {run.split("__")[0] for run in stage.demo.airflow.run_ids("carts")}
    assert (kinds, len(stage.demo.airflow.run_ids("carts"))) == ({"asset_triggered"}, 3)
