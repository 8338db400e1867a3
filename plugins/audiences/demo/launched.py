"""The sample campaign that was launched before the demo began, so that its goal has something to report.

It ran once, six days before the shop's data end, through the real pipeline. Whom that run held out follows from the
control groups alone, so the shop can be filled with purchases of those it reached (demo/visits.py) before it runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from audiences.campaign.project import Project
from audiences.demo.shop import USERS
from audiences.demo.visits import LAUNCH_DAYS
from audiences.errors import ConfigError
from audiences.pipeline.resources import CampaignResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.upkeep.measure import measure
from audiences.who.control import Arm, assign

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from audiences.campaign.spec import CampaignSpec
    from audiences.connections import Connection
    from audiences.demo.visits import Truth
    from audiences.goal.report import Report
    from audiences.pipeline.results import Summary

    LookUp = Callable[[str], Connection]

CAMPAIGN = "abandoned_cart"
GUARDS = frozenset({"allow_empty", "skip_run_above", "max_removal", "fresh_within"})


def launched_campaign(project: Path) -> CampaignSpec | None:
    """The campaign; None when somebody has taken it out, broken it, or it has no goal any more."""
    try:
        spec = Project.load_campaign(project, CAMPAIGN)
    except ConfigError:  # reported with the other files
        return None
    return spec if spec.campaign.goal is not None and spec.campaign.status == "published" else None


def reached(spec: CampaignSpec, users: int = USERS) -> Truth:
    """Which of the shop's customers, by their ids from 1 on, no control group of the campaign holds out."""
    arms = assign(pa.array(np.arange(1, users + 1)).cast(pa.string()), spec).to_numpy()
    targets: Truth = arms == Arm.TARGET
    return targets


def launch(spec: CampaignSpec, look_up: LookUp, *, staging: Path, as_of: datetime) -> Summary:
    """The run of that day, with real assignments and a real upload; `as_of` is when the shop's data end."""
    at = as_of - timedelta(days=LAUNCH_DAYS)
    # By the clock of that day, so that the ledger has it as a run of then, with the assignments of then.
    with CampaignResources(
        spec.model_copy(update={"staging": str(staging)}), look_up=look_up, now=lambda: at
    ) as resources:
        return run_campaign(resources, RunRequest(external_id="launch", at=at, allow=GUARDS))


def report(spec: CampaignSpec, look_up: LookUp, *, at: datetime) -> Report:
    """What its goal says as of `at`."""
    with CampaignResources(spec, look_up=look_up) as resources:
        return measure(resources, at)
