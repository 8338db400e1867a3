#!/usr/bin/env bash
# apache-airflow-core 3.3.2 with [core] multi_team: where the folder of one DAG bundle lies inside that of another, a DAG belongs to the
# bundle that was read last, and its team with it. A bundle without a team that is read after the bundle of a team takes the team's DAGs
# away from it: no error, no warning, no log line about the change, and from then on people of no team may see and start them.
#
# Seen:    read from `acme` (team acme) the DAG is acme's; after one reading of `everything`, which has no team, it is nobody's.
# Guard:   exit 1 if the DAG stays with its bundle, or if a log line of the second reading names the bundle that had it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  apache-airflow-core==3.3.2 apache-airflow-task-sdk==1.3.2 apache-airflow-providers-standard==1.21.0
mkdir -p "$folder/dags/acme"
cat >"$folder/dags/acme/monthly.py" <<'PYTHON'
from airflow.sdk import DAG

dag = DAG("monthly", schedule=None)
PYTHON
unset PYTHONPATH
export PATH="$folder/venv/bin:$PATH" AIRFLOW_HOME="$folder/airflow"
export AIRFLOW__CORE__MULTI_TEAM=true AIRFLOW__CORE__LOAD_EXAMPLES=false
bundle='"classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"'
export AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST="[
  {\"name\": \"everything\", $bundle, \"kwargs\": {\"path\": \"$folder/dags\"}},
  {\"name\": \"acme\", $bundle, \"kwargs\": {\"path\": \"$folder/dags/acme\"}, \"team_name\": \"acme\"}]"
airflow db migrate >"$folder/log" 2>&1
airflow teams sync >>"$folder/log" 2>&1

# Read a bundle once; whose the DAG is then, by Airflow's own tables.
owner_after() {
  airflow dag-processor --num-runs 1 --bundle-name "$1" >"$folder/$1.log" 2>&1
  python - "$AIRFLOW_HOME/airflow.db" <<'PYTHON'
import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as database:
    ((bundle, team),) = database.execute(
        "select d.bundle_name, t.team_name from dag d left join dag_bundle_team t on t.dag_bundle_name = d.bundle_name"
        " where d.dag_id = 'monthly'"
    )
print(f"bundle {bundle}, team {team}")
PYTHON
}

first=$(owner_after acme)
second=$(owner_after everything)
echo "apache-airflow-core $(python -c 'from importlib.metadata import version; print(version("apache-airflow-core"))')"
echo "after reading acme:       $first"
echo "after reading everything: $second"
[ "$first" = "bundle acme, team acme" ] && [ "$second" = "bundle everything, team None" ] || exit 1
! grep -iE 'monthly.*acme|acme.*monthly' "$folder/everything.log" | grep -v 'acme/monthly.py' || exit 1
