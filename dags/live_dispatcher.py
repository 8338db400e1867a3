"""The dispatcher of live campaigns, a DAG that is there when a campaign file says `qualification: live`."""

from __future__ import annotations

import os
from pathlib import Path

from airflow.sdk import get_parsing_context

from audiences.dags.dispatcher import DAG_ID, dispatcher_dag, has_live_campaigns

PROJECT = Path(os.environ.get("AUDIENCES_PROJECT", Path(__file__).resolve().parents[1]))

if get_parsing_context().dag_id == DAG_ID or has_live_campaigns(PROJECT):
    dispatcher_dag(PROJECT)
