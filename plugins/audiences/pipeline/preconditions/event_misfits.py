"""Values of events that are none of their declared type, before a run: its rules read them as missing.

Users' values are counted while they are extracted. Events are filtered inside the warehouse, so a bounded question counts
theirs: of each name the SAMPLE newest events that the rules read, for at most TIMEOUT.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import counted, shown
from audiences.logs import logger
from audiences.query import misfits
from audiences.query.sources import can_misfit
from audiences.warehouse.catalog.reflect import Refusal, WarehouseUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from audiences.campaign.catalog import Events
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources

SAMPLE: Final = 10_000
"""Events of one name that are looked at."""
TIMEOUT: Final = "2s"
"""Without an index on name and time, the newest events of a name are found by reading all events."""
_AFTER: Final = timedelta(microseconds=1)  # what happens at the time of the run counts
_log = logger(__name__)


@dataclass(slots=True)
class _Read:
    """What a campaign reads of the events of one name: these properties, from `since` on (None: of all times)."""

    properties: set[str] = field(default_factory=set)
    since: datetime | None = None


def event_misfits(resources: CampaignResources, at: datetime) -> list[str]:
    """A sentence for each property of events of which there are values that do not fit, with how many events were looked at."""
    spec = resources.spec
    read = _read(spec, spec.catalog.events, at) if spec.catalog.events else {}
    if spec.catalog.events is None or not read:
        return []
    told: list[str] = []
    try:
        with resources.glance(timeout=TIMEOUT) as glance:
            for name, asked in read.items():
                properties = sorted(asked.properties)
                answer = glance.ask(
                    misfits.event_misfits(
                        spec.catalog.events,
                        name,
                        properties,
                        since=asked.since,
                        until=at + _AFTER,
                        zone=spec.catalog.timezone,
                        rows=SAMPLE,
                    )
                )
                if isinstance(answer, Refusal):
                    _log.warning("the values of events %s were not looked at: %s", shown(name), answer.words)
                    break
                told += _sentences(spec.catalog.events, name, properties, answer[0])
    except WarehouseUnreachableError as error:  # what follows meets it as well, and says so
        _log.warning("the values of events were not looked at: %s", error)
    for sentence in told:
        _log.warning("%s", sentence)
    return told


def _sentences(events: Events, name: str, properties: list[str], found: tuple[int, ...]) -> Iterator[str]:
    rows, *counts = found
    for each, count in zip(properties, counts, strict=True):
        if count:
            kind = events.properties[each].type
            yield (
                f"{shown(each)} of {shown(name)}: {counted(count, 'value')} of type {kind} could not be read and count as "
                f"missing, among the {counted(rows, 'newest event')} looked at"
            )


def _read(spec: CampaignSpec, events: Events, at: datetime) -> dict[str, _Read]:
    """By the name of events, which properties that may misfit the campaign reads: in rules, triggers and its goal."""
    found: dict[str, _Read] = {}
    for names, properties, since in _asked(spec, at):
        if wanted := {each for each in properties if can_misfit(events.properties[each])}:
            for name in names:
                known = name in found
                read = found.setdefault(name, _Read())
                read.properties |= wanted
                read.since = min(read.since, since) if known and read.since and since else None if known else since
    return found


def _asked(spec: CampaignSpec, at: datetime) -> Iterator[tuple[tuple[str, ...], set[str], datetime | None]]:
    """Names of events, the properties of them that are read, and from when on."""
    campaign = spec.campaign
    saved = (segment.rules for segment in spec.segments.values() if segment.rules is not None)
    for rules in (campaign.who, *saved):
        for did in rules.over_events():
            whole_history = did.first_time is not None or did.last_time is not None
            since = None if whole_history else did.within.bounds(at, spec.zone)[0]
            yield did.events, did.properties(), since
    for trigger in (*(campaign.when.on or ()), *filter(None, [campaign.when.unless])):
        yield (trigger.event,), trigger.where.properties() if trigger.where else set(), None
    if (goal := campaign.goal) is not None:
        revenue = {goal.revenue} if goal.revenue else set()
        yield (goal.event,), {*(goal.where.properties() if goal.where else ()), *revenue}, None
