"""Same clock: the hours that a campaign gives to its ad sets are on the clock of the ad account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from audiences.errors import FacebookAccessError
from audiences.facebook.answers import AccountAnswer
from audiences.redact import redact

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.pipeline.resources import CampaignResources

_DAYS = 366  # a year ahead, in which every change of the clocks occurs


def ensure_same_clock(resources: CampaignResources) -> None:
    """Raise FacebookAccessError when the campaign's hours are to go onto ad sets whose clock, the ad account's, is another.

    Asks Facebook only of a campaign to which that can happen. Two names of zones that agree for the coming year are one clock.
    """
    spec = resources.spec
    what, account = spec.campaign.what, spec.account.id
    if what.schedule is None or not what.ad_sets or not spec.campaign.when.windows:
        return
    action = f"read the time zone of ad account {account}"
    answer = resources.facebook.get(account, {"fields": "timezone_name"}, action=action, reads=AccountAnswer)
    found = redact(answer.timezone_name) or "unknown"
    if _agree(spec.zone, found, resources.now()):
        return
    problem = (
        f"`schedule: campaign` gives ad sets the hours of `windows`, which are on the clock of {spec.timezone}; those of ad "
        f"sets are on the clock of ad account {account}, {found}"
    )
    remedy = (
        "Write the ad account's zone as `when.timezone`, with `windows` on its clock, or take out `windows` or "
        "`schedule: campaign`."
    )
    raise FacebookAccessError(problem, remedy)


def _agree(zone: ZoneInfo, name: str, now: datetime) -> bool:
    try:
        other = ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # OSError: the name of a folder of zones, or one too long for a file
        return False
    moments = (now + timedelta(days=day) for day in range(_DAYS))
    return all(moment.astimezone(zone).utcoffset() == moment.astimezone(other).utcoffset() for moment in moments)
