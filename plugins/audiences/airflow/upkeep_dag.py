"""What has to be done daily beside the campaigns' runs, as a DAG: a branch per duty, a mapped task per campaign.

A duty is a listing, which names the campaigns it concerns, and an operator that is mapped over their ids. A campaign that
fails is one red task; the others and the other duties go on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG

from audiences.airflow.failures import TAG
from audiences.airflow.notifying import OnOwnFailure
from audiences.airflow.operators.ending import EndCampaignOperator, WithAnEndOperator
from audiences.airflow.operators.upkeep import (
    ExpireOperator,
    MeasureGoalOperator,
    TellLateOperator,
    TellOfAccountsOperator,
    TidyOperator,
    WithGoalsOperator,
    WithKeepForOperator,
)
from audiences.airflow.retry_policies import ByErrorClass
from audiences.campaign.settings import POOL
from audiences.campaign.when import When
from audiences.when.recurrence import Recurrence
from audiences.when.timetable import CampaignTimetable

if TYPE_CHECKING:
    from pathlib import Path

DAG_ID = "audiences_upkeep"
_BUT_BACKFILLS = ("scheduled", "manual", "operator_triggered", "asset_triggered")
_DAILY = Recurrence.of(When.model_validate({"repeat": {"every": "1 day", "at": "04:15"}}), "UTC")
_LABEL = "{{ label }}"


def upkeep_dag(project: Path) -> DAG:
    """The DAG over the campaigns of a project folder, read anew by each task."""
    with DAG(
        dag_id=DAG_ID,
        dag_display_name="Audiences upkeep",
        description="Measures goals whose windows are open, takes out members whose time is up, ends campaigns that are over, "
        "sends notices that could not be sent, cleans up staging.",
        doc_md=__doc__,
        schedule=CampaignTimetable.of_recurrence(_DAILY),
        catchup=False,
        max_active_runs=1,
        # The upkeep is about now, so there is nothing to make up for.
        allowed_run_types=_BUT_BACKFILLS,  # type: ignore[arg-type]  # Airflow takes the names, and its own enum is private
        is_paused_upon_creation=False,
        tags=[TAG, "upkeep"],
        default_args={
            "owner": "audiences",
            "on_failure_callback": OnOwnFailure(project),
            "retries": 4,
            "retry_delay": timedelta(minutes=1),
            "retry_policy": ByErrorClass(),
        },
    ) as dag:
        _goals(str(project))
        _expiry(str(project))
        _ends(str(project))
        TellOfAccountsOperator(
            task_id="check_accounts", task_display_name="check tokens and API versions", project=str(project), pool=POOL
        )
        TellLateOperator(task_id="send_late", task_display_name="send notices again", project=str(project))
        TidyOperator(task_id="tidy_staging", task_display_name="clean up staging", project=str(project))
    return dag


def _goals(project: str) -> None:
    listed = WithGoalsOperator(task_id="with_goals", task_display_name="campaigns with a goal", project=project)
    MeasureGoalOperator.partial(
        task_id="measure_goal",
        task_display_name="measure the goal",
        project=project,
        map_index_template=_LABEL,
        max_active_tis_per_dagrun=2,
    ).expand(campaign=listed.output)


def _expiry(project: str) -> None:
    listed = WithKeepForOperator(task_id="with_keep_for", task_display_name="campaigns with keep_for", project=project)
    ExpireOperator.partial(
        task_id="expire",
        task_display_name="take out whose time is up",
        project=project,
        map_index_template=_LABEL,
        pool=POOL,
    ).expand(campaign=listed.output)


def _ends(project: str) -> None:
    listed = WithAnEndOperator(task_id="with_an_end", task_display_name="campaigns that may be over", project=project)
    EndCampaignOperator.partial(
        task_id="end",
        task_display_name="carry out on_end",
        project=project,
        map_index_template=_LABEL,
        pool=POOL,
    ).expand_kwargs(listed.output)
