"""Has the scheduler preload what tasks need before its LocalExecutor forks the workers, where PRELOAD says so."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final

from airflow.listeners import hookimpl

from audiences.logs import logger

PRELOAD: Final = "AUDIENCES_PRELOAD"
"""The environment variable, `true` for a scheduler that runs tasks itself; others would import what they never use."""
_log = logger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this with a component's job, which is made before workers are; also in each task, which is too late."""
    if os.environ.get(PRELOAD) != "true":
        return
    from airflow.jobs.job import Job

    if isinstance(component, Job):
        import_module("audiences.airflow.preloaded")
        _log.info("what tasks import is preloaded for the workers")
