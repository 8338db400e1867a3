"""What a DAG file of campaigns does: each campaign file becomes a DAG of its name, one that is wrong an import error of its own.

`dags/campaigns.py` has all campaigns, but for those of a brand with a DAG file of its own: `dags/acme/campaigns.py` has those of
`campaigns/acme/`. Airflow reads each DAG file by itself, so such a brand has the time of a reading, a time-out and, if its folder
is a DAG bundle, a team to itself.

Nothing here raises: an error that Airflow attributes to the DAG file would take all of its campaigns offline.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from airflow.sdk import get_parsing_context

from audiences.airflow.broken_dag import BrokenCampaignDag
from audiences.airflow.campaign_dag import campaign_dag
from audiences.airflow.parse_budget import TO_READ, no_collector, time_is_up
from audiences.airflow.parse_request import is_of_another_bundle
from audiences.airflow.readings import Readings
from audiences.campaign.left_out import not_yet_read
from audiences.campaign.project import Project
from audiences.campaign.read_campaign import RESERVED
from audiences.campaign.source import is_file
from audiences.errors import ConfigError, Problem
from audiences.logs import logger


def campaign_dags(dag_file: str) -> None:
    """For `dags/campaigns.py`: the DAGs of all campaigns, but of brands with a DAG file of their own."""
    _DagFile(_place(dag_file), _project(Path(dag_file).resolve().parents[1]), None).load()


def brand_dags(dag_file: str) -> None:
    """For `dags/acme/campaigns.py`: the DAGs of the campaigns in `campaigns/acme/`."""
    file = _place(dag_file)
    _DagFile(file, _project(file.parents[2]), file.parent.name).load()


def _place(dag_file: str) -> Path:
    """Where the file lies, be it a link to another one: its folder says whose it is."""
    file = Path(dag_file)
    return file.parent.resolve() / file.name


def _project(here: Path) -> Path:
    return Path(os.environ.get("AUDIENCES_PROJECT", here))


@dataclass(frozen=True, slots=True)
class _DagFile:
    """A DAG file of the `project`, and its `brand`; None for the one that has what no other has."""

    file: Path
    project: Path
    brand: str | None

    def load(self) -> None:
        """Make the DAG that a worker is about to run, or all of them."""
        wanted = get_parsing_context().dag_id
        if wanted is not None and (wanted in RESERVED or self._build_one(wanted)):
            return
        if self.brand is not None and is_of_another_bundle(self.file.parent):
            return
        with no_collector():
            self._build_all()

    def _has(self, brand: str | None) -> bool:
        if self.brand is not None:
            return brand == self.brand
        return brand is None or not is_file(self.file.parent / brand / self.file.name)

    def _build_one(self, campaign: str) -> bool:
        """On a worker: only the DAG that is about to run; False when its file alone does not make one.

        Of whichever brand: the file may have been moved since Airflow noted in which DAG file its DAG is.
        """
        try:
            campaign_dag(Project.load_campaign(self.project, campaign), self.project)
        except ConfigError:
            logger(__name__).exception("campaign %s cannot be built from its file", campaign)
            return False
        return True

    def _build_all(self) -> None:
        """In the DAG processor: a DAG per campaign that it has to be given, a stand-in per broken file."""
        is_up, is_read_up = time_is_up(time.monotonic), time_is_up(time.monotonic, TO_READ)
        readings = Readings.of(self.project, self.file)
        project = Project.load(self.project, time_is_up=is_read_up, of=self._has)
        broken = dict(project.broken)
        for campaign in readings.due({name: self.project / file for name, file in project.files.items()}):
            try:
                if is_up():
                    if not readings.stands(campaign):
                        not_yet_read([project.files[campaign]])
                    continue
                campaign_dag(project.campaigns[campaign], self.project)
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
