"""The daily upkeep of all campaigns, one DAG: goals are measured. A broken campaign file keeps no other from its turn.

Airflow looks for DAGs only in files that hold the words "airflow" and "dag".
"""

from __future__ import annotations

import os
from pathlib import Path

from audiences.airflow.upkeep_dag import upkeep_dag

upkeep_dag(Path(os.environ.get("AUDIENCES_PROJECT", Path(__file__).resolve().parents[1])))
