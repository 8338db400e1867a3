"""One look for all live campaigns."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from audiences.ledger import live
from audiences.pipeline.live.decide import decide
from audiences.pipeline.live.polled import Polled
from audiences.pipeline.live.reach import Horizon, Watched, groups
from audiences.pipeline.live.read import Reading, read_horizon

if TYPE_CHECKING:
    from audiences.pipeline.live.doors import LookingDoors
    from audiences.when.live.watch import Watch

TRY_AGAIN_AFTER = timedelta(minutes=1)
_log = logging.getLogger(__name__)


def poll(doors: LookingDoors, watch: Watch, *, at: datetime | None = None, alone: bool = False) -> Polled:
    """Look once. `at` is the time that counts, the warehouse's own unless given; `alone` leaves other campaigns as they are.

    A campaign that cannot be read is left behind, and tried again by itself when there is nothing else to do. Raises
    LiveBusyError, and WarehouseTransientError when the warehouse does not answer.
    """
    with live.looking(doors.ledger):
        with doors.warehouse() as warehouse:
            found = read_horizon(warehouse)
        polled = Polled(at or found.now)
        watched = _watched(doors, watch, polled.at, found, alone=alone)
        reading = Reading(doors, watch, polled)
        for group in groups([each for each in watched if each.progress.error_at is None], polled.at):
            reading.group(group)
        decide(doors, watch, watched, polled)
        if not polled.batches:
            for each in watched:
                if each.progress.error_at is not None and polled.at >= each.progress.error_at + TRY_AGAIN_AFTER:
                    reading.group([each])
    for campaign, error in polled.errors.items():
        _log.warning("live events of %s: %s", campaign, error)
    return polled


def _watched(doors: LookingDoors, watch: Watch, now: datetime, found: Horizon, *, alone: bool) -> list[Watched]:
    in_force = watch.in_force(now)
    if not alone:
        live.forget_others(doors.ledger, [*in_force, *watch.broken])
    known = live.progress(doors.ledger, list(in_force))
    # What is not too old yet counts from the first look on.
    new = [live.Newcomer(name, now - campaign.longest) for name, campaign in in_force.items() if name not in known]
    if new:
        known |= live.join(doors.ledger, new, now=now, next_xid=found.next)
    by_arrival = watch.catalog.events is not None and watch.catalog.events.arrived_at is not None
    return [Watched(campaign, known[name], by_arrival) for name, campaign in in_force.items()]
