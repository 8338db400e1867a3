"""Measure a campaign's goal: assignments from the ledger, events from the warehouse, a report on record."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from audiences.errors import FixConfigError
from audiences.goal.counting import AssignmentWindows, Counting, Read
from audiences.goal.goal_events import goal_events
from audiences.goal.report import Data, Report, goal_digest, report
from audiences.ledger import goals
from audiences.pipeline.person.called import never_held_out
from audiences.query.render import render
from audiences.warehouse.known_types import known_event_users

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.goal import Goal
    from audiences.campaign.spec import CampaignSpec
    from audiences.goal.counting import Count, Windows
    from audiences.pipeline.resources import CampaignResources

LATE = timedelta(days=1)
"""A goal is measured until so long after the last window's end, because events reach a warehouse late."""


@dataclass(eq=False)
class NoGoalError(FixConfigError):
    """The campaign's file names no goal, so there is nothing to report."""

    campaign: str

    def __str__(self) -> str:
        return (
            f"the campaign `{self.campaign}` has no goal to report; add one to its file, for example "
            "`goal: {event: Charged, within: 5 days, revenue: amount}`. Users assigned before are measured as well"
        )


def measure(resources: CampaignResources, at: datetime) -> Report:
    """The goal as of `at`: assignments and events up to then. The report goes on record unless nobody is assigned.

    Raises NoGoalError, and what warehouse and ledger raise.
    """
    spec, goal = resources.spec, _goal(resources.spec)
    known = resources.campaign()
    campaign = known.id if known else None
    runs = _runs(resources, goal, campaign, at) if campaign is not None else []
    read = Read()
    windows: Windows | None = None
    counts: list[Count] = []
    if campaign is not None and runs:
        with tempfile.TemporaryDirectory(prefix="audiences-") as spill, Counting(Path(spill)) as counting:
            counting.assign(runs, goals.assigned(resources.ledger, campaign), never_held_out(resources))
            windows = counting.windows()
            if windows is not None:
                read = _read_events(resources, goal, counting, windows, at)
                counts = counting.counts(at)
    found = report(spec, goal, at=at, counts=counts, windows=windows, data=_data(spec, read, windows))
    if campaign is not None and windows is not None:
        result = goals.GoalResult(found.goal_digest, found.config_digest, at, found.model_dump(mode="json"))
        goals.record(resources.ledger, campaign=campaign, result=result)
    return found


def is_due(resources: CampaignResources, at: datetime) -> bool:
    """Whether a daily measurement would say more than the last: windows are open or only just over, or the goal is new."""
    spec = resources.spec
    goal = spec.campaign.goal
    campaign = resources.campaign()
    if goal is None or campaign is None:
        return False
    runs = _runs(resources, goal, campaign.id, at)
    if not runs:
        return False
    known = goals.current(resources.ledger, campaign.id, goal_digest(goal), at)
    return known is None or known.as_of < max(run.ends for run in runs) + LATE


def _goal(spec: CampaignSpec) -> Goal:
    if spec.campaign.goal is None:
        raise NoGoalError(campaign=spec.id)
    return spec.campaign.goal


def _runs(resources: CampaignResources, goal: Goal, campaign: int, at: datetime) -> list[AssignmentWindows]:
    """The runs that assigned users up to `at`, with the windows of those users."""
    found = goals.assigning_runs(resources.ledger, campaign, at)
    launch = goals.launched_at(resources.ledger, campaign, at) if goal.of == "launch" else None
    runs = []
    for run in found:
        starts = (launch or run.assigned_at).astimezone(UTC)
        runs.append(
            AssignmentWindows(
                run_id=run.id,
                assigned_at=run.assigned_at,
                starts=starts,
                ends=starts + goal.within.delta,
                terms=run.control_terms,
            )
        )
    return runs


def _read_events(resources: CampaignResources, goal: Goal, counting: Counting, windows: Windows, at: datetime) -> Read:
    until = min(at, windows.last_end)
    with resources.warehouse() as warehouse:
        users = known_event_users(warehouse, resources.spec.catalog)
        found = goal_events(resources.spec, goal, after=windows.first_start, until=until, users=users)
        return counting.convert(warehouse.stream(render(found)))


def _data(spec: CampaignSpec, read: Read, windows: Windows | None) -> Data:
    return Data(
        warehouse=spec.warehouse,
        events=read.rows,
        newest_event=read.newest,
        first_assigned=windows.first_assigned if windows else None,
        last_assigned=windows.last_assigned if windows else None,
        last_window_ends=windows.last_end if windows else None,
    )
