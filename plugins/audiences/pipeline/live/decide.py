"""Decides on the events that are due: kept out by `unless`, over the limit, dropped outside the windows, or batched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audiences.ledger import live_batches, live_events
from audiences.ledger.live_events import EventState
from audiences.pipeline.live.read import leave_out, raise_unless_ours
from audiences.query.render import render
from audiences.warehouse.known_types import known_event_users
from audiences.warehouse.reader import WarehouseQueryError, WarehouseTransientError
from audiences.when.live.arrivals import Candidate, EventKind, kept_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select

    from audiences.pipeline.live.polled import Polled
    from audiences.pipeline.live.watermarks import Watched
    from audiences.pipeline.resources import Resources
    from audiences.query.event_users import EventUsers
    from audiences.when.live.watch import Watch


def decide(resources: Resources, watch: Watch, watched: Sequence[Watched], polled: Polled) -> None:
    """Decide on the due events of the campaigns, and record it."""
    ledger, now = resources.ledger, polled.at
    by_number = {each.number: each for each in watched if each.campaign.id not in polled.errors}
    with_due = [by_number[number] for number in live_batches.without_batch(ledger, list(by_number), at=now)]
    _put_off(resources, with_due, now)
    ready = [each for each in with_due if each.campaign.may_send(now)]
    _drop(resources, [each for each in with_due if each not in ready], polled)
    excluded = _excluded(resources, watch, [each for each in ready if each.campaign.when.unless], polled)
    if terms := [_terms(each, now) for each in ready if each.campaign.id not in polled.errors]:
        formed = live_batches.form(ledger, terms, excluded, at=now)
        polled.excluded += len(excluded)
        polled.limited += sum(row.events for row in formed if row.state is EventState.LIMITED)


def _put_off(resources: Resources, watched: Sequence[Watched], now: datetime) -> None:
    """Let what is due by the wait of an earlier version of its campaign's file wait on, where it is longer by now."""
    waiting = {each.number: each.campaign for each in watched if each.campaign.when.unless or each.campaign.when.wait}
    due = live_events.due(resources.ledger, list(waiting), at=now) if waiting else []
    again = [replace(event, due_at=waiting[event.campaign].due(event.occurred_at)) for event in due]
    live_events.put_off(resources.ledger, [event for event in again if event.due_at > now])


def _drop(resources: Resources, closed: Sequence[Watched], polled: Polled) -> None:
    """Outside the windows what is due waits, or with `outside: drop` is over."""
    if dropping := [each.number for each in closed if each.campaign.when.outside == "drop"]:
        dropped = live_events.due(resources.ledger, dropping, at=polled.at)
        live_events.set_aside(resources.ledger, dropped, state=EventState.DROPPED)
        polled.dropped += len(dropped)


def _terms(watched: Watched, now: datetime) -> live_batches.BatchTerms:
    limit = watched.campaign.when.limit
    times = limit.times if limit else None
    since = now - limit.every.delta if limit and limit.every else None
    return live_batches.BatchTerms(watched.number, times, since)


def _excluded(resources: Resources, watch: Watch, asking: Sequence[Watched], polled: Polled) -> list[live_events.Due]:
    """The due events after which their user did, in time, what `unless` says; one query, unless it fails for somebody."""
    due = live_events.due(resources.ledger, [each.number for each in asking], at=polled.at) if asking else []
    if not due:
        return []
    try:
        with resources.warehouse() as warehouse:
            users = known_event_users(warehouse, watch.catalog)
            found = warehouse.table(render(_kept_out(watch, asking, due, polled.at, users))).to_pylist()
            return [due[row["number"]] for row in found]
    except (WarehouseQueryError, WarehouseTransientError) as error:
        raise_unless_ours(error)
        if len(asking) == 1:
            leave_out(resources, asking, error, polled)
            return []
        return [event for each in asking for event in _excluded(resources, watch, [each], polled)]


def _kept_out(
    watch: Watch, asking: Sequence[Watched], due: Sequence[live_events.Due], at: datetime, users: EventUsers
) -> Select[Any]:
    campaigns = {each.number: each.campaign for each in asking}
    kinds: dict[str, EventKind] = {}
    candidates = []
    for number, event in enumerate(due):
        campaign = campaigns[event.campaign]
        unless = campaign.when.unless
        if unless is not None:
            kind = EventKind.of(unless, campaign.zone)
            place = list(kinds).index(kind.identity) if kinds.setdefault(kind.identity, kind) else 0
            until = event.occurred_at + unless.within.delta
            candidates.append(Candidate(number, place, event.user_id, event.occurred_at, until))
    return kept_out(candidates, list(kinds.values()), watch.catalog, at, users=users)
