"""Every file under campaigns/ becomes a DAG of that name; a file that is wrong becomes an import error of its own.

Nothing here raises: an error that Airflow attributes to this file would take every campaign offline.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from airflow.sdk import get_parsing_context

from audiences.airflow.broken_dag import BrokenCampaignDag
from audiences.airflow.campaign_dag import campaign_dag
from audiences.airflow.parse_budget import TO_READ, no_collector, time_is_up
from audiences.airflow.readings import Readings
from audiences.campaign.project import RESERVED, Project, not_yet_read
from audiences.errors import ConfigError, Problem
from audiences.logs import logger

PROJECT = Path(os.environ.get("AUDIENCES_PROJECT", Path(__file__).resolve().parents[1]))


def build_one(campaign: str) -> bool:
    """On a worker: only the DAG that is about to run; False when its file alone does not make one."""
    try:
        campaign_dag(Project.load_campaign(PROJECT, campaign), PROJECT)
    except ConfigError:
        logger(__name__).exception("campaign %s cannot be built from its file", campaign)
        return False
    return True


def build_all() -> None:
    """In the DAG processor: a DAG per campaign that it has to be given, a stand-in per broken file."""
    is_up, is_read_up = time_is_up(time.monotonic), time_is_up(time.monotonic, TO_READ)
    readings = Readings.of(PROJECT, Path(__file__))
    project = Project.load(PROJECT, time_is_up=is_read_up)
    broken = dict(project.broken)
    for campaign in readings.due({campaign: PROJECT / file for campaign, file in project.files.items()}):
        try:
            if is_up():
                if not readings.stands(campaign):
                    not_yet_read([Path(project.files[campaign])])
                continue
            campaign_dag(project.campaigns[campaign], PROJECT)
            readings.note(campaign)
        except ConfigError as error:
            broken[project.files[campaign]] = error
        except Exception as error:  # noqa: BLE001  # whatever it is, it must stay this campaign's own
            file = project.files[campaign]
            broken[file] = ConfigError((Problem(file, 0, 0, "", "no-dag", f"{type(error).__name__}: {error}"),))
    readings.keep()
    for file, problems in broken.items():
        with BrokenCampaignDag(file, problems):
            pass  # entering a DAG's context is what registers it with Airflow


wanted = get_parsing_context().dag_id
if wanted is None or (wanted not in RESERVED and not build_one(wanted)):
    with no_collector():
        build_all()
