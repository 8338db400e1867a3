"""What the events of the last day would have come to in a live campaign, for its preview; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.query.render import render
from audiences.warehouse.known_types import known_event_users

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.pipeline.resources import CampaignResources

SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Entering:
    """Whose events of the last day would be exported, and how many events there were."""

    users: tuple[str, ...]
    events: dict[str, int]


def entering(resources: CampaignResources, at: datetime) -> Entering:
    """Look at the events that came in during the SPAN up to `at`, as if the campaign had been live; limits are not applied.

    Its events: `of_the_last_day`, of which some `still_wait` at `at` and some are `excluded` by `unless`; and by their state
    in the ledger those that the dispatcher has seen, such as `ledger_waiting`.
    """
    # Most campaigns that are looked at are not live.
    from audiences.ledger import live_events
    from audiences.when.live.arrivals import Candidate, EventKind, arrivals, kept_out
    from audiences.when.live.watch import LiveCampaign

    spec = resources.spec
    campaign = LiveCampaign(id=spec.id, when=spec.campaign.when, timezone=spec.timezone)
    kinds = [EventKind.of(trigger, campaign.zone) for trigger in campaign.when.on or ()]
    with resources.warehouse() as warehouse:
        known = known_event_users(warehouse, spec.catalog)
        rows = warehouse.table(render(arrivals(kinds, spec.catalog, at - SPAN, at, users=known))).to_pylist()
        found = {row["event_id"]: (row["user_id"], row["occurred_at"]) for row in rows if row["arrived_at"] <= at}
        due = [(user, occurred) for user, occurred in found.values() if campaign.due(occurred) <= at]
        out: set[int] = set()
        if due and campaign.when.unless is not None:
            unless, within = campaign.when.unless, campaign.when.unless.within.delta
            asked = [Candidate(n, 0, user, occurred, occurred + within) for n, (user, occurred) in enumerate(due)]
            query = kept_out(asked, [EventKind.of(unless, campaign.zone)], spec.catalog, at, users=known)
            out = {row["number"] for row in warehouse.table(render(query)).to_pylist()}
    seen = resources.campaign()
    users = {user for number, (user, _) in enumerate(due) if number not in out}
    return Entering(
        users=tuple(sorted(users)),
        events={
            "of_the_last_day": len(found),
            "still_wait": len(found) - len(due),
            "excluded": len(out),
            **{
                f"ledger_{state}": count
                for state, count in live_events.events(resources.ledger, seen.name if seen else spec.id).items()
            },
        },
    )


def rehearsal_of(resources: CampaignResources, at: datetime) -> Entering | None:
    """The same for a live campaign; None for any other, whose rules name their users by themselves."""
    return entering(resources, at) if resources.spec.campaign.qualification == "live" else None
