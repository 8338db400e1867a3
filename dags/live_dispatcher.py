"""The dispatcher of live campaigns, a DAG that is there when a campaign file says `qualification: live`."""

from __future__ import annotations

import os
from pathlib import Path

from airflow.sdk import get_parsing_context

from audiences.airflow.dispatcher_dag import DAG_ID, dispatcher_dag
from audiences.campaign.files import may_be_live

PROJECT = Path(os.environ.get("AUDIENCES_PROJECT", Path(__file__).resolve().parents[1]))

if get_parsing_context().dag_id == DAG_ID or may_be_live(PROJECT):
    dispatcher_dag(PROJECT)
