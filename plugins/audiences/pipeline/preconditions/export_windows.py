"""Export windows in a run: nothing is sent outside them.

A run that comes too early is held before anybody is looked for, so that it does not send yesterday's answer in the
morning. One whose window closes in the middle goes on with its plan at the next opening.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import WaitError
from audiences.when.openings import next_opening

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.pipeline.resources import CampaignResources

LIFT = "windows"  # in a run's `allow`: send now all the same


@dataclass(eq=False)
class OutsideWindowsError(WaitError):
    """Nothing may be sent before `opens`; with `dropped`, the run is not to take place at all."""

    campaign: str
    opens: datetime
    dropped: bool = False

    def __str__(self) -> str:
        return (
            f"{self.what}; nothing is sent until then. To send at once: `audiences run {self.campaign} --allow {LIFT}`, "
            f"or trigger the DAG with `{LIFT}` in its `allow` field, once a run of it that waits is marked as failed: Airflow "
            "has one at a time"
        )


def ensure_open(resources: CampaignResources, allow: frozenset[str], *, may_drop: bool = False) -> None:
    """Raise OutsideWindowsError when the campaign's windows are closed at the moment and `allow` does not lift them.

    `may_drop`: the run has not begun, so `outside: drop` applies.
    """
    when, zone, now = resources.spec.campaign.when, resources.spec.zone, resources.now()
    opens = None if LIFT in allow else next_opening(now, when.windows, zone)
    if opens is None:
        return
    local = opens.astimezone(zone)
    raise OutsideWindowsError(
        what=f"outside the export windows of `{resources.spec.id}`, which next open on {local:%a %d %b %Y at %H:%M %Z}",
        seconds=(opens - now).total_seconds(),
        campaign=resources.spec.id,
        opens=opens,
        dropped=may_drop and when.outside == "drop",
    )
