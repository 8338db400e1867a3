"""One poll for all live campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.errors import FixConfigError
from audiences.ledger import campaigns, formerly, live_batches, live_campaigns
from audiences.logs import logger
from audiences.pipeline.live.decide import decide
from audiences.pipeline.live.polled import Polled
from audiences.pipeline.live.read import Reading, read_horizon
from audiences.pipeline.live.watermarks import Horizon, Watched, groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.pipeline.resources import Resources
    from audiences.when.live.watch import Watch

_log = logger(__name__)


def poll(resources: Resources, watch: Watch, *, at: datetime | None = None, alone: bool = False) -> Polled:
    """Poll once. `at` is the time that counts, the warehouse's own unless given; `alone` leaves other campaigns as they are.

    A campaign that cannot be read is left behind, and tried again by itself, ever later. Raises LiveBusyError, and
    WarehouseTransientError when the warehouse does not answer.
    """
    with live_campaigns.polling(resources.ledger):
        with resources.warehouse() as warehouse:
            found = read_horizon(warehouse)
        polled = Polled(at or found.now)
        watched = _watched(resources, watch, polled, found, alone=alone)
        reading = Reading(resources, watch, polled)
        well = [each for each in watched if each.progress.error_at is None or alone]
        for group in groups(well, polled.at):
            reading.group(group)
        decide(resources, watch, well, polled)
        _offer(resources, watched, polled)
        for each in _tried_again([each for each in watched if each not in well], polled):
            # Undecided events first: only a poll that has passed as a whole forgets the error and counts as read.
            decide(resources, watch, [each], polled)
            if each.campaign.id not in polled.errors:
                reading.group([each])
            if each.campaign.id in polled.errors:
                break  # one that fails is enough of a wait for the others
            _offer(resources, [each], polled)
    for campaign, error in polled.errors.items():
        _log.warning("live events of %s: %s", campaign, error)
    return polled


def _offer(resources: Resources, watched: Sequence[Watched], polled: Polled) -> None:
    """Offer the open batches for which a run is to be triggered."""
    polled.batches += live_batches.offer(resources.ledger, [each.number for each in watched], at=polled.at)


def _tried_again(watched: Sequence[Watched], polled: Polled) -> list[Watched]:
    """The campaigns that failed and are to be tried again, the one that has waited longest first."""
    idle = not polled.batches
    ill = [each for each in watched if each.tried_again(polled.at, idle=idle)]
    return sorted(ill, key=lambda each: each.progress.error_at or polled.at)


def _take_over(resources: Resources, watch: Watch, polled: Polled) -> None:
    """Take campaigns over from their former ids; one that has to wait, for a run that is under way, is left out of this poll."""
    in_force = {name: campaign.formerly for name, campaign in watch.in_force(polled.at).items()}
    for name in formerly.to_be_taken_over(resources.ledger, in_force):
        try:
            formerly.take_over(resources.ledger, name, in_force[name], wait=formerly.NO_WAIT)
            campaigns.number(resources.ledger, name, in_force[name])
        except (campaigns.CampaignBusyError, FixConfigError) as error:
            polled.errors[name] = error


def _watched(resources: Resources, watch: Watch, polled: Polled, found: Horizon, *, alone: bool) -> list[Watched]:
    now = polled.at
    _take_over(resources, watch, polled)
    in_force = watch.in_force(now)
    if not (alone or watch.some_unread):
        former = [old for campaign in in_force.values() for old in campaign.formerly]
        live_campaigns.forget_others(resources.ledger, [*in_force, *watch.broken, *former], at=now)
    in_force = {name: campaign for name, campaign in in_force.items() if name not in polled.errors}
    known = live_campaigns.progress(resources.ledger, list(in_force))
    # What is not too old yet counts from the first poll on.
    new = [
        live_campaigns.Newcomer(name, now - campaign.longest)
        for name, campaign in in_force.items()
        if name not in known
    ]
    if new:
        known |= live_campaigns.join(resources.ledger, new, now=now - found.delay, next_xid=found.next)
    by_arrival = watch.catalog.events is not None and watch.catalog.events.arrived_at is not None
    return [Watched(campaign, known[name], by_arrival) for name, campaign in in_force.items()]
