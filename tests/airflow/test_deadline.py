"""Real Airflow with all its processes: its triggerer tells of a missed deadline, once, and its workers send metrics."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from rich.console import Console
from tests.airflow.receivers import HOST, http_server, statsd_server

from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.start import started

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1800)]
CAMPAIGN = """
name: Slow
status: published
who: {did: {event: Added To Cart, within: last 7 days}}
what: {audience: {create: {name: Slow}}}
when: {after: load}
deadline: 1 minute
notify: {webhook: ops, about: [deadline_missed, recovered]}
"""


def test_a_run_that_takes_too_long_is_told_by_the_triggerer_and_its_end_too_and_metrics_say_what_it_waited_for():
    with (
        tempfile.TemporaryDirectory(prefix="audiences-e2e-") as name,
        http_server() as http,
        statsd_server() as (port, lines),
    ):
        project = Path(name) / "project"
        (project / "campaigns").mkdir(parents=True)
        (project / "campaigns" / "slow.yml").write_text(CAMPAIGN)
        shutil.copytree(ROOT / "include", project / "include")
        for folder in ("dags", "plugins"):
            (project / folder).symlink_to(ROOT / folder)
        folders = DemoFolders(project=project, folder=Path(name) / "demo")
        folders.airflow.mkdir(parents=True)
        metrics = f"[metrics]\nstatsd_on = true\nstatsd_host = {HOST}\nstatsd_port = {port}\n"
        (folders.airflow / "airflow.cfg").write_text(metrics)
        with folders.occupied(), started(folders, Progress(Console(quiet=True))) as demo:
            connection = {"connection_id": "ops", "conn_type": "http", "host": HOST, "port": http.port}
            demo.airflow._call("POST", "/api/v2/connections", json=connection)
            demo.sandbox.add_fault("throttle", path="*/users", minutes=2, block=True)
            wait(lambda: "slow" in demo.airflow.dag_ids())
            run = demo.airflow.trigger("slow")
            wait(lambda: http.requests)
            wait(lambda: demo.airflow.run_state("slow", run) == "success")
    told = [body for _, _, body in http.requests]
    assert [(each["condition"], each["subject"]) for each in told] == [
        ("deadline_missed", "slow"),
        ("recovered", "slow"),
    ]
    assert told[0]["title"] == "Slow has not ended within 1 minute"
    assert run in told[0]["reason"]
    ours = [
        line for line in lines if line.startswith("airflow.audiences.") and line.partition(":")[0].endswith(".slow")
    ]
    counted = {line.partition(":")[0]: int(line.partition(":")[2].partition("|")[0]) for line in ours}
    assert counted["airflow.audiences.runs_success.slow"] == 1
    assert counted["airflow.audiences.users_added.slow"] == counted["airflow.audiences.members.slow"] > 0
    assert 100 <= counted["airflow.audiences.throttle_seconds.slow"] <= 130


def wait(until, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.5)
