"""The as-of time of a run: it looks at the data as of now, always.

Who is sent today is who qualifies today. A run as of last week would bring people back who have bought since, or have
asked to be left alone. So a run that was due in the past, cleared in Airflow or triggered for an earlier date is a run now.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.errors import StoppedError
from audiences.when.openings import opened

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRequest

ON_TIME = timedelta(minutes=10)
"""A run that begins within this time of its due time is on time and looks as of that, so that windows of two runs in a row
meet without a gap. Long enough for a queue and for clocks that differ, short enough to count as now."""
LIFT = "past"  # in a run's `allow`: send as of another time all the same


def as_of(resources: CampaignResources, due: datetime | None) -> datetime:
    """The as-of time of a run that begins now, due at `due` by its schedule, if by that: its due time if it is on time.

    A run that was held until its window opened was due at the opening.
    """
    now, campaign = resources.now(), resources.spec.campaign
    if due is None:
        return now
    due = max(due, opened(now, campaign.when.windows, resources.spec.zone) or due)
    return due if abs(now - due) <= ON_TIME else now


def ensure_now(resources: CampaignResources, request: RunRequest) -> None:
    """The guard `past`: raises StoppedError for a run as of another time than now, be it gone by or still to come."""
    if _is_now(resources, request):
        return
    when = f"{request.at.astimezone(resources.spec.zone):%a %d %b %Y at %H:%M %Z}"
    tense = "said" if request.at < resources.now() else "will say"
    raise StoppedError(
        guard=LIFT,
        found=f"the run would send what the rules {tense} as of {when}, not what they say now",
        allow_once=(
            f"To look at it: `audiences run {resources.spec.id} --at {request.at.isoformat()} --dry-run`. To send what is right "
            f"now, leave `--at` away; to send as of that time all the same, add `--allow {LIFT}`"
        ),
    )


def at_present(resources: CampaignResources, request: RunRequest) -> RunRequest:
    """The request as it is to be carried out: one that had to wait since it was made looks as of now."""
    return request if _is_now(resources, request) else request.model_copy(update={"at": resources.now()})


def _is_now(resources: CampaignResources, request: RunRequest) -> bool:
    return LIFT in request.allow or abs(resources.now() - request.at) <= ON_TIME
