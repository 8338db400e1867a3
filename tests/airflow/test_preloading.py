"""What workers are forked from has imported what tasks need, and nothing runs in it that a fork would lose."""

from __future__ import annotations

import json

import pytest
from tests import compose_files

from audiences.demo.airflow import OF_COMPONENT

pytestmark = pytest.mark.e2e
PRELOAD = "AUDIENCES_PRELOAD"
STARTING = """
import json, os, sys
from airflow.jobs.job import Job
from airflow.sdk.execution_time.task_runner import TaskRunnerMarker
from airflow.sdk.listener import get_listener_manager
get_listener_manager().hook.on_starting(component=TaskRunnerMarker())
found = ["audiences.airflow.preloaded" in sys.modules]
Job()  # as a scheduler makes it, before its executor starts
found.append("audiences.airflow.preloaded" in sys.modules)
"""
FORKED = """
import duckdb, pandas as pd, pyarrow as pa, pyarrow.compute as pc
found.append(len(os.listdir("/proc/self/task")))
found.append([one for one in os.listdir("/proc/self/fd") if "socket" in os.path.realpath(f"/proc/self/fd/{one}")])
child = os.fork()
if child == 0:
    table = pa.table({"number": list(range(100_000))})
    right = pc.sum(table.column("number")).as_py() == 4_999_950_000
    right &= int(table.to_pandas(types_mapper=pd.ArrowDtype)["number"].sum()) == 4_999_950_000
    right &= duckdb.sql("select count(distinct number) from table").fetchone() == (100_000,)
    os._exit(0 if right else 1)
found.append(os.waitpid(child, 0)[1])
"""
SAID = """
print("FOUND", json.dumps(found))
"""


def found(said: str) -> list[object]:
    line = next((line for line in said.splitlines() if line.startswith("FOUND")), None)
    assert line, said[-6000:]
    values: list[object] = json.loads(line.removeprefix("FOUND"))
    return values


def test_a_scheduler_that_is_told_to_preloads_and_begins_no_thread_that_a_fork_would_lose(airflow):
    airflow.environment[PRELOAD] = "true"
    said = airflow.code(STARTING + FORKED + SAID)
    in_a_task, in_a_scheduler, threads, sockets, code = found(said)
    assert (in_a_task, in_a_scheduler) == (False, True)
    assert (threads, sockets, code) == (1, [], 0), said[-6000:]


def test_whoever_is_not_told_to_imports_nothing_more(airflow):
    assert found(airflow.code(STARTING + SAID)) == [False, False]


def test_the_dag_processor_has_imported_what_dag_files_do_and_nothing_heavy(airflow):
    said = airflow.code(
        "import sys\nsys.argv[1:] = ['dag-processor']\n"
        "from airflow.sdk.listener import get_listener_manager\nfrom airflow.jobs.job import Job\n"
        "found = ['audiences.airflow.readings' in sys.modules]\nJob()\n"
        "found += [f'audiences.airflow.{name}' in sys.modules for name in ('readings', 'preloaded')]\nimport json\n"
        + SAID
    )
    assert found(said) == [False, True, False]


def test_the_schedulers_of_the_demo_and_of_the_containers_are_told_to_and_no_other_component_is():
    assert OF_COMPONENT == {"scheduler": {PRELOAD: "true"}}
    services = compose_files.services("docker-compose.yml")
    told = {name for name, service in services.items() if PRELOAD in service["environment"]}
    assert told == {"airflow-scheduler"}
    assert services["airflow-scheduler"]["environment"][PRELOAD] == "true"


def test_the_workers_of_the_containers_are_told_to():
    # `make distributed` sees that a worker has imported it, and that the scheduler, which has the same setting, has not.
    environment = compose_files.services("docker-compose.celery.yml")["airflow-worker"]["environment"]
    told = json.loads(environment["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])
    assert (told["imports"], PRELOAD in environment) == (["audiences.airflow.preloaded"], False)
