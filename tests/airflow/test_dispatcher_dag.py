"""The dispatcher's DAG: there when it is needed, light to parse; and its trigger survives being written down."""

from __future__ import annotations

import json

import pytest
from tests.airflow.test_loading import LIVE, LOAD

pytestmark = pytest.mark.e2e
TRIGGER = f"""
import json
from pathlib import Path
from airflow.sdk.module_loading import import_string
from audiences.airflow.polling import signature
from audiences.airflow.sensors import _watch
from audiences.airflow.triggers import LiveEventsTrigger
from audiences.when.live.watch import Watch
folder = Path(PROJECT)
before, watch = signature(folder), _watch(folder)
(folder / "campaigns" / "other.yml").write_text({LIVE.replace("Live", "Other")!r})
said = watch.model_dump(mode="json", by_alias=True, exclude_none=True)
path, kwargs = LiveEventsTrigger(watch=said, project=str(folder), seen=before).serialize()
again = import_string(path)(**json.loads(json.dumps(kwargs)))
print("RESULT" + json.dumps([Watch.model_validate(again.watch) == watch, again._changed(again.seen), watch.broken]))
"""


def load(execute):
    said = execute(LOAD.replace("campaigns.py", "live_dispatcher.py"))
    assert "RESULT" in said, said
    return json.loads(said.split("RESULT", 1)[1].splitlines()[0])


def test_the_dispatcher_is_there_as_soon_as_a_file_says_live_however_broken_that_is(airflow):
    airflow.campaign("carts")
    assert load(airflow.code)["dags"] == {}
    airflow.write("campaigns/live.yml", 'qualification: "live"\nnonsense')
    found = load(airflow.python)
    assert (found["errors"], found["heavy"]) == ({}, [])
    assert found["dags"]["audiences_live"]["tasks"] == ["wait_for_events"]


def test_the_trigger_comes_back_from_json_and_notices_a_changed_file(airflow):
    airflow.write("campaigns/live.yml", LIVE)
    airflow.write("campaigns/bad.yml", "name: [")
    said = airflow.code(TRIGGER.replace("PROJECT", repr(str(airflow.project))))
    assert "RESULT" in said, said
    assert json.loads(said.split("RESULT", 1)[1]) == [True, True, ["bad"]]


def test_a_run_that_cannot_be_opened_does_not_hold_up_the_looks_for_other_campaigns(airflow):
    """Such as that of a file that Airflow has not read yet: a task that waited to be tried again would keep the run open."""
    airflow.write("campaigns/live.yml", LIVE)
    said = airflow.code(
        "from pathlib import Path\nfrom audiences.airflow.dispatcher_dag import dispatcher_dag\n"
        "from audiences.airflow.failures import TaskFailed\nfrom audiences.airflow.live_runs import NotOpenedError\n"
        f"policy = dispatcher_dag(Path({str(airflow.project)!r})).get_task('wait_for_events').retry_policy\n"
        "refused = TaskFailed(NotOpenedError(refused=(('live', 'not found'),)))\n"
        "print('RESULT', *(policy.evaluate(error, 1, 8).action.value for error in (refused, TimeoutError())))"
    )
    assert "RESULT fail default" in said, said


def test_a_wait_whose_trigger_cannot_be_loaded_is_skipped_and_not_failed(airflow):
    """Such as one that an earlier version began, under a module path that is gone; the next run of the DAG begins at once."""
    airflow.write("campaigns/live.yml", LIVE)
    said = airflow.code(
        "from pathlib import Path\nfrom airflow.sdk.exceptions import AirflowSkipException\n"
        "from audiences.airflow.dispatcher_dag import dispatcher_dag\n"
        f"wait = dispatcher_dag(Path({str(airflow.project)!r})).get_task('wait_for_events')\n"
        "try:\n    wait.resume_execution('__fail__', {'error': 'Trigger failure'}, {})\n"
        "except AirflowSkipException:\n    print('RESULT skipped')\n"
    )
    assert "RESULT skipped" in said, said
