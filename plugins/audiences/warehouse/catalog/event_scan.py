"""Whether an index answers what every rule over events asks: the events of a name in a span of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from audiences.campaign.rules import Did
from audiences.campaign.windows import Window
from audiences.campaign.wording import shown
from audiences.checklist import State
from audiences.query.conditions import Moment
from audiences.query.events import doers
from audiences.query.render import quoted, render
from audiences.query.sources import events_table
from audiences.warehouse.catalog.fit import refused
from audiences.warehouse.catalog.reflect import Glance, Refusal
from audiences.warehouse.catalog.relation import Relation, index_advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.catalog import Catalog, Events
    from audiences.warehouse.catalog.fit import FitResult

SMALL = 50_000
"""Rows that are read from end to end in some ten milliseconds, so that an index is no condition for a run."""
_SCANS = {f"{kind} Scan" for kind in ("Seq", "Index", "Index Only", "Bitmap Heap", "Tid Range", "Foreign", "Custom")}


def event_scan(catalog: Catalog, events: Events, relation: Relation, glance: Glance) -> FitResult:
    """Ask the planner, with reading the whole table made expensive, so that the size of the table does not matter."""
    name, at = _some_event(events, glance)
    zone = ZoneInfo(catalog.timezone)
    query = doers(Did(event=name, within=Window.model_validate("last 1 day")), catalog, Moment(at, zone)).query
    answer = glance.ask(f"EXPLAIN (FORMAT JSON) {render(query)}", under={"enable_seqscan": "off"})
    if isinstance(answer, Refusal):
        if answer.says_nothing_of_types:
            return refused(answer, "the scan for events", relation)
        return State.FAIL, f"the scan for events: {answer.words}", "See the lines above."
    scans = [node for node in _nodes(answer[0][0][0]["Plan"]) if node["Node Type"] in _SCANS]
    if any(node["Node Type"] in ("Foreign Scan", "Custom Scan") for node in scans):
        return State.WARN, "the plan cannot be seen from here", "See that the events' own server has such an index."
    used = [
        (_as_in_plan(name) in conditions, f"'{at.astimezone(zone):%Y}-" in conditions)  # the year of the upper bound
        for conditions in map(_index_conditions, scans)
    ]
    remedy = _remedy(events, relation)
    if used and all(by_name and by_time for by_name, by_time in used):
        indexes = sorted({found for node in scans for found in _indexes(node)})
        return State.OK, f"events are found by name and time through {', '.join(indexes[:3])}", ""
    if used and all(by_name or by_time for by_name, by_time in used):
        missing = "name" if not all(by_name for by_name, _ in used) else "time"
        found = f"an index leads to events, though not by {missing}; runs read more than they need"
        return State.WARN, found, remedy
    if not scans:
        return State.WARN, "not known: no part of the relation holds such an event", "Run the check again with data."
    found = "no index for the event scan: every rule reads all events"
    if _is_small(relation, glance):
        return State.WARN, f"{found}; as long as they are so few, that takes no time", remedy
    return State.FAIL, found, remedy


def _some_event(events: Events, glance: Glance) -> tuple[str, datetime]:
    """Name and time of an event that there is, so that neither an enumeration nor partitions get in the way."""
    table = events_table(events)
    instant = sa.cast(table.c[events.occurred_at], sa.TIMESTAMP(timezone=True))
    query = sa.select(sa.cast(table.c[events.name], sa.Text), instant).where(
        table.c[events.name].is_not(None), table.c[events.occurred_at].is_not(None)
    )
    found = glance.ask(query.limit(1))
    if isinstance(found, Refusal) or not found:
        return (events.names or ("x",))[0], datetime(2026, 1, 2, 12, tzinfo=UTC)
    return found[0][0], found[0][1].astimezone(UTC)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _as_in_plan(name: str) -> str:
    """As a plan shows a text."""
    return "'{}'".format(name.replace("'", "''"))


def _index_conditions(scan: dict[str, Any]) -> str:
    return " ".join(str(node.get("Index Cond", "")) for node in _nodes(scan))


def _indexes(scan: dict[str, Any]) -> set[str]:
    return {node["Index Name"] for node in _nodes(scan) if "Index Name" in node}


def _remedy(events: Events, relation: Relation) -> str:
    """The index to be made, as SQL where Postgres can make it on the relation itself."""
    scanned = (events.name, events.occurred_at, events.user)
    if relation.indexable:
        return index_advice(relation, *scanned)
    columns = ", ".join(map(quoted, scanned))
    return f"Make an index on the table below {shown(relation.name)}, on what stands there for {columns}."


def _is_small(relation: Relation, glance: Glance) -> bool:
    """Whether there are at most SMALL rows, counted no further; an estimate may be missing or old."""
    answer = glance.ask(
        f"SELECT count(*) AS rows FROM (SELECT 1 FROM {relation.sql_name} LIMIT {SMALL + 1}) AS counted"  # noqa: S608  # quoted names
    )
    return not isinstance(answer, Refusal) and answer[0].rows <= SMALL
