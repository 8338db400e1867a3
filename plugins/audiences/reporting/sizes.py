"""How large a campaign's audience was over time, and how many came and went."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from audiences.ledger import audience_sizes, campaigns
from audiences.reporting.names_on_record import name_on_record
from audiences.reporting.shape import Shown

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from audiences.ledger.database import Ledger
    from audiences.reporting.project_files import ProjectFiles


class DayOfAudience(Shown):
    """A day in the campaign's time zone: the size as it ended, in rows, and how many users its runs added and removed.

    `size` is None before the first run of which it is known.
    """

    day: date
    size: int | None
    runs: int
    added: int
    removed: int


class Sizes(Shown):
    """Every day from the first asked for to today."""

    campaign: str
    timezone: str
    days: tuple[DayOfAudience, ...]


def sizes(
    files: ProjectFiles, ledger: Ledger, campaign: str, *, now: datetime, zone: ZoneInfo, days: int = 90
) -> Sizes:
    """The last `days` days, today included, cut in that time zone; with those under a former id still to be taken over."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    known = campaigns.named(ledger, name_on_record(files, ledger, campaign))
    if known is None:
        return Sizes(campaign=campaign, timezone=zone.key, days=())
    found = audience_sizes.by_day(ledger, [known.id], first=first, last=today, zone=zone.key)
    held = {day: size for each in found for day, size in zip(each.days, each.sizes, strict=True)}
    changes = {each.day: each for each in audience_sizes.changes(ledger, known.name, first=first, zone=zone.key)}

    def shown(day: date) -> DayOfAudience:
        change = changes.get(day)
        return DayOfAudience(
            day=day,
            size=held.get(day),
            runs=change.runs if change else 0,
            added=change.added if change else 0,
            removed=change.removed if change else 0,
        )

    return Sizes(
        campaign=campaign,
        timezone=zone.key,
        days=tuple(shown(first + timedelta(days=number)) for number in range(days)),
    )
