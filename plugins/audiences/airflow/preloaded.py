"""Imports what tasks need, once, in the process that workers are forked from: a task then costs a fork.

It takes three seconds and 150 MB, which all workers share. `preloading` has the scheduler import this for LocalExecutor, and the
setting `[celery] extra_celery_config` a Celery worker.

Nothing is begun here, no connection and no pool of threads: a forked process has none of its parent's threads. Two libraries
have a thread of their own once they are imported, and see to it at a fork: Arrow's allocator, and NumPy's linear algebra, which
nothing here uses and which is told to do without.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final

from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

MODULES: Final = (
    # Airflow's own, which it imports in each task.
    "airflow.providers.standard.triggers.temporal",
    "airflow.sdk.execution_time.task_runner",
    # Ours, with the libraries that they import, and what some of them import only when it is needed.
    "audiences.airflow.campaign_dag",
    "audiences.airflow.dispatcher_dag",
    "audiences.airflow.operators.approval_tasks",
    "audiences.airflow.upkeep_dag",
    "audiences.digests.by_duckdb",
    "audiences.facebook.session",
    "audiences.pipeline.live.poller",
    "audiences.pipeline.live.question",
    "audiences.pipeline.live.run_batch",
    "audiences.pipeline.preview",
    "audiences.pipeline.run",
    "audiences.pipeline.steps.ask",
    "audiences.pipeline.steps.due_notices",
    "audiences.warehouse.catalog.unknown_ids",
    "audiences.what.comparison",
    "audiences.what.difference",
    "adbc_driver_postgresql.dbapi",
    "duckdb",
    "psycopg_binary.pq",
    "pyarrow.dataset",
    "pyarrow.parquet",
)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
for _name in MODULES:
    import_module(_name)
# What providers know of the URIs of assets. Airflow asks when a DAG with an asset is built, so in each task's process, and
# imports all that the providers name for it: a quarter of a second with that of Amazon.
_ = ProvidersManagerTaskRuntime().asset_uri_handlers  # type: ignore[no-untyped-call]  # Airflow gives it no types
