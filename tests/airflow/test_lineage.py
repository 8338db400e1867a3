"""OpenLineage's provider, with a file as its transport, tells of the warehouse's tables and of the audience."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_run_reads_tables_and_writes_an_audience(connected, shop, tmp_path):
    pytest.importorskip(
        "airflow.providers.openlineage",
        reason="apache-airflow-providers-openlineage is not installed; no lineage is told",
    )
    import airflow.providers.openlineage as provider

    # Where the provider lies, which need not be the environment of this process.
    lies = str(Path(provider.__path__[0]).parents[2])
    told = tmp_path / "lineage.json"
    connected.environment |= {
        "PYTHONPATH": f"{connected.environment['PYTHONPATH']}:{lies}",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(told), "append": True}),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "crm",
    }
    connected.campaign("carts")
    for number in (1, 2, 3):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    # A process of its own: the provider is among the plugins with which Airflow starts.
    command = [sys.executable, "-m", "airflow", "dags", "test", "carts"]
    said = subprocess.run(command, env=connected.environment, capture_output=True, text=True, check=False).stdout
    assert told.exists(), said[-6000:]
    events = [json.loads(line) for line in told.read_text().splitlines()]
    done = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE"}
    tables = [name.rpartition(".public.")[2] for name in names(done["carts.extract"]["inputs"])]
    assert tables == ["users", "events"]
    closed = done["carts.close_run"]
    assert [(each["namespace"], each["name"]) for each in closed["outputs"]] == [("facebook://act_1001", "carts")]
    assert closed["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert names(closed["inputs"]) == names(done["carts.extract"]["inputs"])
    assert "@example.com" not in told.read_text()


def names(datasets) -> list[str]:
    return [each["name"] for each in datasets]
