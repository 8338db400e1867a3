"""The dispatcher's task opens runs by itself, in real Airflow: one for each batch, whatever becomes of the others."""

from __future__ import annotations

import json
import shutil

import pytest
from tests.airflow.conftest import ROOT
from tests.airflow.test_loading import LIVE

pytestmark = pytest.mark.e2e
# A task that resumes the sensor as Airflow does, once for each case, and tells what came of it.
RESUMES = """
import json, time
from pathlib import Path
from airflow.sdk import DAG, get_current_context, task
from airflow.sdk.exceptions import TaskDeferred
from audiences.airflow import sensors
from audiences.airflow.polling import Poller, signature
from audiences.airflow.sensors import LiveEventsSensor
sensors.POLL_SECONDS, sensors.QUIET_SECONDS = 0.01, 0.05
FOLDER = PROJECT
def batch(campaign, number):
    return {"trigger_dag_id": campaign, "trigger_run_id": f"live__{campaign}__{number}__1", "conf": {"batch": number}}
def poll(poller):
    found = looks.pop(0) if looks else []
    if found is None:
        raise TimeoutError
    return {"batches": found, "said": "found"}
looks = []
def said(result):
    print("RESULT" + json.dumps(result))
with DAG("resumes", schedule=None):
    @task
    def resume():
        Poller.poll = poll
        context, sensor = get_current_context(), LiveEventsSensor(task_id="wait", project=FOLDER)
        wait = {"watch": None, "seen": signature(Path(FOLDER)), "until": time.time() + 100}
        for batches, keywords in (
            ([], {**wait, "opened": 2}),
            ([batch("live", 1), batch("other", 1)], {**wait, "opened": 2}),
            ([batch("live", 1)], wait),
            ([batch("live", 2)], {**wait, "until": time.time() - 1}),
            ([batch("live", 3)], {**wait, "seen": "other files"}),
            ([batch("live", 4)], {}),
            ([batch("live", 5)], {**wait, "look": [[], [batch("other", 2), batch("live", 6)], [], [batch("live", 7)]]}),
            ([batch("live", 8)], {**wait, "look": [[], None, [batch("live", 9)]]}),
        ):
            looks[:] = keywords.pop("look", [])
            try:
                sensor.resume(context, {"batches": batches, "said": "found"}, **keywords)
                said("over")
            except TaskDeferred as deferred:
                trigger = deferred.trigger
                said([deferred.kwargs["opened"], trigger.first_poll_seconds, round(trigger.roll_over_seconds, -1)])
    resume()
"""


def test_a_resumed_wait_opens_each_run_once_and_waits_on_unless_the_files_are_others_or_its_time_is_over(database):
    """It looks on by itself while events keep coming; where such a look fails, the triggerer looks on."""
    folder = database.home / "dags"
    folder.mkdir()
    shutil.copy(ROOT / "dags" / "campaigns.py", folder)
    (folder / "resumes.py").write_text(RESUMES.replace("PROJECT", repr(str(database.project))))
    bundle = {"classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": str(folder)}}
    database.environment["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = json.dumps([{"name": "own", **bundle}])
    database.environment["AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL"] = "4"
    database.write("campaigns/live.yml", LIVE)
    database.write("campaigns/other.yml", LIVE.replace("Live", "Other"))
    said = database.airflow("dags", "test", "resumes")
    found = [json.loads(line.split("RESULT", 1)[1]) for line in said.splitlines() if "RESULT" in line]
    waits = [[4, 5.0, 100.0], [1, 5.0, 100.0], [4, 5.0, 100.0], [1, 5.0, 100.0]]
    assert found == ["over", *waits[:2], "over", "over", "over", *waits[2:]], said[-6000:]
    opened = database.rows("select dag_id, run_id, conf from dag_run where dag_id in ('live', 'other') order by id")
    numbers = [f"live__{number}" for number in range(1, 9)]
    numbers[1:1], numbers[6:6] = ["other__1"], ["other__2"]
    assert [run for _, run, _ in opened] == [f"live__{number}__1" for number in numbers]
    assert json.loads(opened[0][2]) == {"batch": 1}


# Answers as a task's supervisor does, in its frames: what Airflow's API server says to runs of `gone`, and once nothing at all.
SUPERVISOR = """
import msgspec, socket, threading
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import comms, task_runner
from audiences.airflow.live_runs import NotOpenedError, open_runs
ours, theirs = socket.socketpair()
ours.settimeout(10)
asked, errors = [], {
    "gone": {"status_code": 404, "detail": {"detail": {"reason": "not_found", "message": "Dag 'gone' not found"}}},
    "away": {"status_code": 503, "detail": None},
}
def answer():
    while length := theirs.recv(4):
        frame = msgspec.msgpack.decode(theirs.recv(int.from_bytes(length, "big")), type=comms._RequestFrame)
        asked.append(frame.body["run_id"])
        error = errors.get(frame.body["dag_id"])
        said = comms.ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=error).model_dump() if error else None
        body = None if error else {"type": "OKResponse", "ok": True}
        theirs.sendall(comms._ResponseFrame(id=frame.id, body=body, error=said).as_bytes())
threading.Thread(target=answer, daemon=True).start()
task_runner.SUPERVISOR_COMMS = comms.CommsDecoder(socket=ours)
for batches in ("gone", "well"), ("away", "well"):
    try:
        open_runs([{"trigger_dag_id": dag, "trigger_run_id": f"run_of_{dag}", "conf": {}} for dag in batches])
    except (NotOpenedError, AirflowRuntimeError) as error:
        print("RESULT", type(error).__name__, error, asked)
        asked.clear()
"""


def test_a_run_that_airflow_refuses_is_told_once_all_others_are_open_and_a_server_that_is_away_at_once(airflow):
    """The first waits for its next try by the ledger, the second for the task's own."""
    said = airflow.code(SUPERVISOR)
    found = [line.split("RESULT ", 1)[1] for line in said.splitlines() if "RESULT" in line]
    assert len(found) == 2, said
    assert found[0].startswith("NotOpenedError Airflow did not open the run of a live campaign")
    assert found[0].endswith("gone: Dag 'gone' not found ['run_of_gone', 'run_of_well']")
    assert found[1].startswith("AirflowRuntimeError API_SERVER_ERROR")
    assert found[1].endswith("['run_of_away']")
