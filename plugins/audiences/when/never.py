"""Schedules that are right in every part and still never send: no time between their days, or none in their windows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audiences.campaign.yaml_reader import read_document
from audiences.when.upcoming import next_sends, recurrence_of
from audiences.when.wallclock import TICK, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.project import Project
    from audiences.campaign.spec import CampaignSpec
    from audiences.errors import Problem

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # what is asked about a schedule without `start` holds from any time on


def never(spec: CampaignSpec) -> str | None:
    """Why a campaign's schedule never sends anything, whatever the time is; None where it does, and without a schedule."""
    when, recurrence = spec.campaign.when, recurrence_of(spec)
    if recurrence is None or recurrence.is_now or not (when.start or _drops(spec)):
        return None
    since = start_of(when.start, spec.zone) - TICK if when.start else _ANY_TIME
    if next(recurrence.occurrences(since), None) is None:
        # Without a start, nothing is left of a schedule with an end in the past, which says nothing of its beginning.
        return _nothing_due(spec) if when.start else None
    if _drops(spec) and not next_sends(spec, since, 1, if_published=True):
        return (
            "all its times fall outside `windows`, and `outside: drop` leaves such runs out, so it never sends anything"
        )
    return None


def told_never(project: Project) -> Iterator[Problem]:
    """The same for all campaigns of a project, as warnings at their places."""
    for name, spec in project.campaigns.items():
        if spec.campaign.status != "stopped" and (why := never(spec)):
            file = project.files[name]
            key = "outside" if "windows" in why else "end" if spec.campaign.when.end else "start"
            yield read_document(project.root / file, file).problem(("when", key), "never-runs", why, key=True)


def _drops(spec: CampaignSpec) -> bool:
    return bool(spec.campaign.when.windows) and spec.campaign.when.outside == "drop"


def _nothing_due(spec: CampaignSpec) -> str:
    when = spec.campaign.when
    days = f"between the start, `{when.start}`, and the end, `{when.end}`" if when.end else f"after `{when.start}`"
    return f"no time of this schedule falls {days}, so the campaign never runs"
