"""Has the scheduler preload what tasks need before its LocalExecutor forks the workers, where PRELOAD says so.

The DAG processor, which forks a process for each reading of a DAG file, preloads what our DAG files import, in any case.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

from airflow.listeners import hookimpl

from audiences.logs import logger

PRELOAD: Final = "AUDIENCES_PRELOAD"
"""The environment variable, `true` for a scheduler that runs tasks itself; others would import what they never use."""
_FOR_DAG_FILES: Final = tuple(
    f"audiences.airflow.{name}" for name in ("campaign_dag", "dispatcher_dag", "readings", "upkeep_dag")
)
_log = logger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this with a component's job, which is made before workers are; also in each task, which is too late."""
    reads = sys.argv[1:2] == ["dag-processor"]  # at this time a job does not know yet whose it is
    if not reads and os.environ.get(PRELOAD) != "true":
        return
    from airflow.jobs.job import Job

    if reads and isinstance(component, Job):
        for name in _FOR_DAG_FILES:
            import_module(name)
    elif isinstance(component, Job):
        import_module("audiences.airflow.preloaded")
        _log.info("what tasks import is preloaded for the workers")
