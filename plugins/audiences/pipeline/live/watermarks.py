"""Watermarks: from when on a poll reads, so that no event is lost whose row becomes visible late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.ledger.live_campaigns import ReadProgress
    from audiences.when.live.watch import LiveCampaign

OVERLAP = timedelta(minutes=1)
"""Overlap with what the last poll has read: longer than nearly every transaction takes."""
LOOKBACK_EVERY = timedelta(minutes=1)
"""How often a poll reads with a lookback, for what the others miss; it reads more, and hardly ever finds anything."""
LOOKBACK = timedelta(minutes=10)
"""Lookback window behind the watermark, at which every transaction that had written was over: for rows whose time
was taken that long before they were written, by a transaction that read for a while first, or by a clock that is slow."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=10)
"""Before a campaign that could not be read is tried again: each try may keep the others waiting for as long as a query may
take. Never so long that events become too old meanwhile."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The warehouse's time, the first of its transactions that is still `open` and the `next` number to be given out.

    `delay`: how far a replica is behind its primary; what it shows of transactions is what was so then.
    """

    now: datetime
    open: int
    next: int
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Watched:
    """A campaign in force, and how far it has read; `by_arrival`: the warehouse knows when an event came in."""

    campaign: LiveCampaign
    progress: ReadProgress
    by_arrival: bool

    @property
    def number(self) -> int:
        """The campaign's number in the ledger."""
        return self.progress.campaign

    def start(self, now: datetime) -> datetime:
        """From when on to read. Where the clock was set back, by its new time."""
        done = self.progress
        if not self.lookback_is_due(now):
            return min(done.read_to, now) - OVERLAP
        # By the time of the event itself, an event that comes in late stands further back, and counts until it is too old.
        lookback = LOOKBACK if self.by_arrival else max(LOOKBACK, self.campaign.longest)
        return min(done.watermark, done.read_to, now) - lookback

    def lookback_is_due(self, now: datetime) -> bool:
        """Whether this poll reads with a lookback."""
        last = self.progress.lookback_at
        return not last <= now < last + LOOKBACK_EVERY

    def tried_again(self, now: datetime, *, idle: bool) -> bool:
        """Whether a campaign that failed is to be tried again: in an `idle` poll if possible, but not put off for long."""
        failed_at = self.progress.error_at
        if failed_at is None:
            return False
        failing_for = failed_at - self.progress.read_to
        pause = min(max(failing_for, FIRST_PAUSE), LONGEST_PAUSE) + (timedelta() if idle else FIRST_PAUSE)
        return not failed_at <= now < failed_at + pause

    def after_reading(self, now: datetime, found: Horizon) -> ReadProgress:
        """The watermarks after this poll.

        Whatever had begun to write at `next_watermark` is numbered below `next_watermark_xid`. Once the first open one is not
        below it, whatever was written until then can be seen. Only a poll with a lookback sees it, so only that one moves on.
        A replica that is behind knows the transactions of an earlier time, so its watermarks are of that time as well.
        A number that went back is another server's, which took over.
        """
        done = replace(self.progress, read_to=now)
        if now < done.since:  # the clock was set back, shortly before this poll; what came in since is not to be missed
            done = replace(done, since=now - OVERLAP)
        if not self.lookback_is_due(now):
            return done
        done, then = replace(done, lookback_at=now), now - found.delay
        if found.open >= done.next_watermark_xid:
            return replace(done, watermark=done.next_watermark, next_watermark=then, next_watermark_xid=found.next)
        return (
            replace(done, next_watermark=then, next_watermark_xid=found.next)
            if found.next < done.next_watermark_xid
            else done
        )


def groups(watched: Sequence[Watched], now: datetime) -> list[list[Watched]]:
    """Campaigns that read from about the same time on, so that one query does for all of them: usually one group."""
    found: list[list[Watched]] = []
    for each in sorted(watched, key=lambda each: each.start(now)):
        if found and each.start(now) - found[-1][0].start(now) <= LOOKBACK:
            found[-1].append(each)
        else:
            found.append([each])
    return found
