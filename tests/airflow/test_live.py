"""Live events through real Airflow, with its processes killed in the middle: each user arrives, each event counts once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from rich.console import Console
from tests.pipeline.conftest import row_of

from audiences.demo import airflow
from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.shoppers import Act, insert
from audiences.demo.start import started

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(900)]
CAMPAIGN = """
name: Live
status: published
qualification: live
who: {control_group: {system: false}}
what: {audience: {create: {name: Live}}, identifiers: [email], keep_for: 1 day}
when: {on: {event: Wishlisted, where: {amount: 1}}, max_age: 1 day} # which nothing in the sample shop costs
"""
USERS = range(60_001, 60_061)
# How soon a scheduler takes a task for dead whose worker was killed along with the one before.
SOONER = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
}


class Stage:
    """A running demo with one live campaign, and ways to hurt it."""

    def __init__(self, demo) -> None:
        self.demo = demo

    def ledger(self, query: str) -> list:
        with psycopg.connect(self.demo.server.uri("ledger")) as connection:
            return connection.execute(query).fetchall()

    def exported(self) -> int:
        return self.ledger("select count(*) from audiences.live_event where state = 'exported'")[0][0]

    def wait_until_exported(self, wanted: int, seconds: float = 240) -> None:
        until = time.monotonic() + seconds
        while self.exported() < wanted:
            assert time.monotonic() < until, self.ledger("select state, count(*) from audiences.live_event group by 1")
            time.sleep(1)

    def kill(self, name: str) -> dict[str, str]:
        """Kill a component of Airflow with everything it has started; the environment it had."""
        known = json.loads(self.demo.folders.record.read_text())
        leader = [entry["pid"] for entry in known if entry["name"] == name][-1]
        variables = psutil.Process(leader).environ()
        for pid in psutil.pids():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == leader:
                    os.kill(pid, signal.SIGKILL)
        return variables

    def restart(self, name: str, variables: dict[str, str]) -> None:
        command = airflow.command(*airflow.COMPONENTS[name])
        self.demo.children.start(name, command, environment={**variables, **SOONER}, folder=self.demo.folders.project)


@pytest.fixture
def stage():
    with tempfile.TemporaryDirectory(prefix="audiences-e2e-") as name:
        project = Path(name) / "project"
        (project / "campaigns").mkdir(parents=True)
        (project / "campaigns" / "live.yml").write_text(CAMPAIGN)
        shutil.copytree(ROOT / "include", project / "include")
        for folder in ("dags", "plugins"):
            (project / folder).symlink_to(ROOT / folder)
        folders = DemoFolders(project=project, folder=Path(name) / "demo")
        with folders.occupied(), started(folders, Progress(Console(quiet=True))) as demo:
            with psycopg.connect(demo.server.uri("shop"), autocommit=True) as shop:
                shop.execute(
                    "insert into shop.users (id, email) select i, 'user' || i || '@example.com'"
                    f" from generate_series({USERS[0]}, {USERS[-1]}) i"
                )
            yield Stage(demo)


def test_nothing_is_lost_or_doubled_while_triggerer_and_scheduler_are_killed_and_facebook_fails(stage):
    with psycopg.connect(stage.demo.server.uri("shop"), autocommit=True) as shop:
        sent = 0

        def come(users: int) -> None:
            nonlocal sent
            for user in USERS[sent : sent + users]:
                insert(shop, Act(0.0, user, "Wishlisted", 1.0))
                time.sleep(0.5)
            sent += users

        come(10)
        stage.wait_until_exported(10)
        variables = stage.kill("triggerer")
        come(10)
        stage.restart("triggerer", variables)
        come(10)
        stage.wait_until_exported(30)
        stage.demo.sandbox.add_fault("expired_token", path="*/users", method="POST", times=1)
        come(10)
        stage.wait_until_exported(40)
        come(5)
        # In the middle of whatever it is doing: a look, a trigger, an export.
        until = time.monotonic() + 60
        while not stage.ledger("select 1 from audiences.live_batch where state = 'open'") and time.monotonic() < until:
            time.sleep(0.1)
        variables = stage.kill("scheduler")
        come(10)
        stage.restart("scheduler", variables)
        come(5)
        stage.wait_until_exported(60)
    (audience,) = [one for one in stage.demo.sandbox.state()["audiences"] if one["name"] == "Live"]
    members = {tuple(sorted(row.items())) for row in stage.demo.sandbox.members(audience["id"])}
    assert members == {row_of(f"user{user}@example.com", None) for user in USERS}
    assert stage.ledger("select count(*), count(distinct event_id) from audiences.live_event") == [(60, 60)]
    assert stage.ledger("select count(*) from audiences.member where removed_run is null") == [(60,)]
    assert stage.ledger("select count(*) from audiences.live_batch where state <> 'exported'") == [(0,)]
