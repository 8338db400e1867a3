"""Readable properties: the warehouse can read what the campaign asks of it, checked before anything is made at Facebook.

A single value that does not fit is missing. A column whose type cannot be cast at all to the declared one stops every run, so
the error names the property, the column, its type and the remedy, as `audiences catalog check` does.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from audiences.campaign.wording import shown
from audiences.errors import FixConfigError
from audiences.query.columns import columns_of
from audiences.query.misfits import event_value
from audiences.query.render import render
from audiences.query.sources import boolean, events_table, text, typed, users_table
from audiences.warehouse.catalog.reflect import Refusal
from audiences.warehouse.reader import WarehouseQueryError
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from audiences.campaign.catalog_sources import Source
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources
    from audiences.query.text_columns import Value
    from audiences.warehouse.catalog.reflect import Glance
    from audiences.warehouse.reader import Warehouse

# SQLSTATEs that a type or the name of a column may be behind.
_OF_A_COLUMN: Final = frozenset({"42846", "42883", "42804", "42703"})


@dataclass(eq=False)
class UnreadablePropertyError(FixConfigError):
    """The catalog declares something that the warehouse cannot read as declared; `place` is where it stands in the catalog."""

    place: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{shown(self.place)} of include/warehouse.yml: {self.found}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """An entry of the catalog that the campaign uses, and how a run reads it."""

    place: str
    source: Source
    relation: str
    table: sa.FromClause
    value: Value


def ensure_readable_properties(resources: CampaignResources, warehouse: Warehouse, at: datetime) -> None:
    """Ask what a run asks, for no row of it: the warehouse looks at names and types only.

    Raises UnreadablePropertyError for what is wrong with one entry of the catalog, else WarehouseQueryError.
    """
    with naming_the_property(resources):
        warehouse.table(render(qualified(resources.spec, at, users=()).limit(0)))


@contextmanager
def naming_the_property(resources: CampaignResources) -> Iterator[None]:
    """Say of which entry of the catalog it comes when the warehouse refuses the campaign's query for a type or a column.

    Raises UnreadablePropertyError for it, else the WarehouseQueryError as it is.
    """
    try:
        yield
    except WarehouseQueryError as error:
        if error.sqlstate in _OF_A_COLUMN:
            _find_refused(resources)
        raise


def _find_refused(resources: CampaignResources) -> None:
    with resources.glance() as glance:
        for asked in _asked(resources.spec):
            answer = glance.ask(sa.select(asked.value).select_from(asked.table).limit(0))
            if isinstance(answer, Refusal) and answer.sqlstate in _OF_A_COLUMN:
                _raise(resources.spec, asked, answer, glance)


def _raise(spec: CampaignSpec, asked: _Asked, refusal: Refusal, glance: Glance) -> None:
    from audiences.checklist import State  # once the warehouse has refused something
    from audiences.warehouse.catalog.fit import fit, refused

    relation = glance.relation(asked.relation)
    if relation is None:  # there is another error for that, which names it
        return
    state, found, remedy = fit(asked.source, asked.table, relation, glance, spec.catalog.timezone)
    if state is not State.FAIL:
        column = asked.source.column or asked.source.jsonb or ""
        what = f"{shown(column)} {relation.columns[column].words}"
        _, found, remedy = refused(refusal, what, relation)
    raise UnreadablePropertyError(asked.place, found, remedy) from None


def _asked(spec: CampaignSpec) -> Iterator[_Asked]:
    """Every entry of the catalog that a run of the campaign reads, in the order of the catalog."""
    users, zone, columns = spec.catalog.users, spec.catalog.timezone, columns_of(spec)
    table = users_table(spec.catalog)

    def of_users(place: str, source: Source, value: Value) -> _Asked:
        return _Asked(f"users.{place}", source, users.relation, table, value)

    for name in columns.identifiers:
        if source := users.identifier(name):
            yield of_users(name, source, text(source, table))
    for number, each in enumerate(users.opt_out):
        yield of_users(f"opt_out.{number}", each, boolean(each, table))
    declared = spec.catalog.user_properties()
    for name in columns.properties:
        yield of_users(f"properties.{name}", declared[name], typed(declared[name], table, zone))
    if (events := spec.catalog.events) is None:
        return
    happened = events_table(events)
    for name, how in sorted(_of_events(spec).items()):
        of_events = events.properties[name]
        value = (typed if how else event_value)(of_events, happened, zone)
        yield _Asked(f"events.properties.{name}", of_events, events.relation, happened, value)


def _of_events(spec: CampaignSpec) -> dict[str, bool]:
    """The properties of events that the rules read, and whether they are compared, which some types cannot be."""
    found: dict[str, bool] = {}
    saved = (segment.rules for segment in spec.segments.values() if segment.rules is not None)
    for rules in (spec.campaign.who, *saved):
        for did in rules.over_events():
            compared = did.where.properties() if did.where else set()
            found |= {name: name in compared or found.get(name, False) for name in did.properties()}
    return found
