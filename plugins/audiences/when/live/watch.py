"""What is watched for: the live campaigns in force, as much of them as a poll of the warehouse needs. JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from audiences.campaign.base import Name, Strict
from audiences.campaign.catalog import Catalog
from audiences.campaign.spec import CampaignSpec
from audiences.campaign.when import When
from audiences.campaign.windows import Duration
from audiences.when.openings import next_opening
from audiences.when.wallclock import after_end_of, start_of


class LiveCampaign(Strict):
    """The `when` of one live campaign, and the ids that it had before."""

    id: Name
    formerly: tuple[Name, ...] = ()
    when: When
    timezone: Name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its days and windows."""
        return ZoneInfo(self.timezone)

    def in_force(self, at: datetime) -> bool:
        """Whether `at` lies between its start and its end."""
        start, end = self.when.start, self.when.end
        return (start is None or at >= start_of(start, self.zone)) and (
            end is None or at < after_end_of(end, self.zone)
        )

    def may_send(self, at: datetime) -> bool:
        """Whether an export window is open at `at`, or there is none."""
        return next_opening(at, self.when.windows, self.zone) is None

    def due(self, occurred_at: datetime) -> datetime:
        """When an event of that time is to be acted upon: after `unless … within` and `after`, whichever is longer."""
        return max((occurred_at + wait.delta for wait in self._waits()), default=occurred_at)

    def late(self, due_at: datetime, seen_at: datetime) -> bool:
        """Whether an event that is seen now came to light too late."""
        return seen_at > due_at + self.when.max_age.delta

    @property
    def longest(self) -> timedelta:
        """How old an event may be before it is too old to be acted upon."""
        waits = [0, *(length.seconds for length in self._waits())]
        return timedelta(seconds=max(waits) + self.when.max_age.seconds)

    def _waits(self) -> list[Duration]:
        unless = self.when.unless
        return [length for length in (unless.within if unless else None, self.when.wait) if length is not None]


class Watch(Strict):
    """Live campaigns and the catalog and connections that they share.

    `broken` names campaigns whose files are wrong at the moment, and such as are still to be taken over by a file: nothing is
    done for them, and they keep their place. Where `some_unread`, since a folder of campaigns cannot be read, every other one
    keeps it too; None else, so that the JSON is one for a triggerer of an earlier version.
    """

    campaigns: tuple[LiveCampaign, ...]
    broken: tuple[Name, ...] = ()
    some_unread: Literal[True] | None = None
    catalog: Catalog
    warehouse: Name
    ledger: Name

    @classmethod
    def of(
        cls,
        specs: Iterable[CampaignSpec],
        *,
        stopped: Iterable[CampaignSpec] = (),
        broken: Iterable[str] = (),
        some_unread: bool = False,
    ) -> Watch | None:
        """Live campaigns of one project; None when there is none, nor one that is `stopped` and has to be forgotten."""
        live = list(specs)
        shared = next(iter((*live, *stopped)), None)
        if shared is None:
            return None
        return cls(
            campaigns=tuple(
                LiveCampaign(
                    id=spec.id, formerly=spec.campaign.formerly, when=spec.campaign.when, timezone=spec.timezone
                )
                for spec in live
            ),
            broken=tuple(broken),
            some_unread=some_unread or None,
            catalog=shared.catalog,
            warehouse=shared.warehouse,
            ledger=shared.ledger,
        )

    def in_force(self, at: datetime) -> dict[str, LiveCampaign]:
        """The campaigns by id, without those that have not begun or are over at `at`."""
        return {campaign.id: campaign for campaign in self.campaigns if campaign.in_force(at)}


def is_live(spec: CampaignSpec) -> bool:
    """Whether the campaign waits for events: it is live and published."""
    return spec.campaign.qualification == "live" and spec.campaign.status == "published"


def was_live(spec: CampaignSpec) -> bool:
    """Whether the campaign may have waited for events up to now: it is live, and stopped."""
    return spec.campaign.qualification == "live" and spec.campaign.status == "stopped"
