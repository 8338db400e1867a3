"""Names and values in a campaign that nobody in the warehouse has: `Purchase` where the events are called `purchase`.

Each is looked up by itself and the look ends at the first row that has it, so that only what is not there costs a scan. A look
that takes too long ends all of it: what was found until then is told.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.campaign.countries import country_code
from audiences.campaign.operators import OPERATORS
from audiences.campaign.wording import did_you_mean, shown
from audiences.errors import StoppedError
from audiences.logs import logger
from audiences.query.sources import events_table, letter_by_letter, text, typed, users_table
from audiences.query.sources import named as is_called
from audiences.warehouse.catalog.reflect import Refusal, WarehouseUnreachableError
from audiences.warehouse.catalog.seen import event_names, event_values, look_alike, named, user_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audiences.campaign.catalog import EventProperty, Events, Property
    from audiences.campaign.properties import PropertyTree
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources
    from audiences.warehouse.catalog.reflect import Glance
    from audiences.warehouse.catalog.seen import SeenValues
    from audiences.warehouse.catalog.structure import Structure

_log = logger(__name__)
_OF_TOO_FEW = ("allow_empty", "max_removal")
_MOST_TOLD = 10
_MOST_VALUES = 50  # of one condition
AskedEvents = tuple[tuple[str, ...], "PropertyTree | None"]
"""Names of events, and what a campaign asks of their properties."""


class _TakesTooLongError(Exception):
    """The warehouse did not answer one of the questions in time."""


def unmatched(resources: CampaignResources) -> tuple[str, ...]:
    """A sentence for each name and value of the campaign that is not there, with what may have been meant."""
    told: dict[str, None] = {}
    try:
        with resources.glance() as glance:
            for sentence in _UnmatchedNames(resources.spec, glance).sentences():
                told[sentence] = None
                if len(told) == _MOST_TOLD:
                    break
    except (_TakesTooLongError, WarehouseUnreachableError) as error:
        # Hints only: what the run or preview itself found out stands without them.
        _log.warning("not all names and values were looked up: %s", str(error) or "the warehouse took too long")
    return tuple(told)


def advised(stopped: StoppedError, found: Sequence[str]) -> StoppedError:
    """The stop of a guard, with what is to be corrected in place of how to let nobody, or too few, through."""
    if stopped.guard not in _OF_TOO_FEW or not found:
        return stopped
    return replace(stopped, allow_once=f"Correct the campaign first: {'; '.join(found)}.")


@contextmanager
def advising(resources: CampaignResources) -> Iterator[None]:
    """Let a guard that stops say which names and values of the campaign nobody has."""
    try:
        yield
    except StoppedError as stopped:
        if stopped.guard not in _OF_TOO_FEW:
            raise
        raise advised(stopped, unmatched(resources)) from None


class _UnmatchedNames:
    """The campaign held against the warehouse."""

    def __init__(self, spec: CampaignSpec, glance: Glance) -> None:
        self._spec, self._catalog, self._glance = spec, spec.catalog, glance

    def sentences(self) -> Iterator[str]:
        if self._catalog.events is not None:
            for names, tree in _events_of(self._spec):
                yield from self._of_events(self._catalog.events, names, tree)
        tree, properties = self._spec.campaign.who.with_properties, self._catalog.user_properties()
        for name, values in _exact_values(tree) if tree else ():
            yield from self._of_users(name, properties[name], values)

    def _of_events(self, events: Events, names: tuple[str, ...], tree: PropertyTree | None) -> Iterator[str]:
        table = events_table(events)
        there = [name for name in names if self._has(table, is_called(events, table, (name,)))]
        for name in names:
            if name not in there and not self._no_event_yet:  # where nothing has happened, no name is wrong
                yield f"no event is named {shown(name)}{_instead(name, self._event_names)}"
        which = " or ".join(map(shown, there))
        for key, values in _exact_values(tree) if tree and there else ():
            declared = events.properties[key]
            if declared.type not in ("string", "list") or self._events is None:
                continue
            seen = event_values(events, declared, self._events, self._glance, names=tuple(there))
            for value in self._missing(declared, table, values, seen, is_called(events, table, there)):
                yield f"no event {which} has {shown(value)} as {shown(key)}{_instead(value, seen)}"

    def _of_users(self, name: str, declared: Property, values: tuple[str, ...]) -> Iterator[str]:
        if declared.type not in ("string", "list") or self._users is None:
            return
        if declared.derive == "country":
            yield from self._of_countries(name, declared, values)
            return
        table = users_table(self._catalog)
        seen = user_values(self._catalog, declared, self._users, self._glance)
        for value in self._missing(declared, table, values, seen):
            instead = _instead(value, seen) or look_alike(self._catalog, declared, value, self._glance)
            yield f"no user has {shown(value)} as {shown(name)}{instead}"

    def _of_countries(self, name: str, declared: Property, values: tuple[str, ...]) -> Iterator[str]:
        """Countries are compared by their codes, whatever way they are written."""
        table = users_table(self._catalog)
        answer = self._ask(sa.select(text(declared, table).label("value")).select_from(table).distinct().limit(2_000))
        if isinstance(answer, Refusal):
            return
        codes = {country_code(row.value) for row in answer if row.value}
        for value in values:
            if country_code(value) not in codes:
                yield f"no user has {shown(value)} as {shown(name)}"

    def _missing(
        self,
        declared: Property | EventProperty,
        table: sa.FromClause,
        values: tuple[str, ...],
        seen: SeenValues | None,
        *only: sa.ColumnElement[bool],
    ) -> Iterator[str]:
        for value in values[:_MOST_VALUES]:
            if seen is not None and value in seen.values:
                continue
            has: Any = (
                sa.literal(value) == sa.any_(typed(declared, table, "UTC"))
                if declared.type == "list"
                else letter_by_letter(text(declared, table)) == value
            )
            if not self._has(table, has, *only):
                yield value

    def _has(self, table: sa.FromClause, *conditions: sa.ColumnElement[bool]) -> bool:
        """Whether a row satisfies all; also when that cannot be asked, but for a value that an enumeration lacks."""
        answer = self._ask(sa.select(sa.literal(1)).select_from(table).where(*conditions).limit(1))
        return answer.sqlstate != "22P02" if isinstance(answer, Refusal) else bool(answer)

    def _ask(self, query: sa.Select[Any]) -> list[Any] | Refusal:
        answer = self._glance.ask(query)
        if isinstance(answer, Refusal) and answer.sqlstate == "57014":
            raise _TakesTooLongError
        return answer

    @property
    def _no_event_yet(self) -> bool:
        return self._event_names is not None and self._event_names.all and not self._event_names.values

    @cached_property
    def _users(self) -> Structure | None:
        return self._glance.structure(self._catalog.users.relation)

    @cached_property
    def _events(self) -> Structure | None:
        return self._glance.structure(self._catalog.events.relation) if self._catalog.events else None

    @cached_property
    def _event_names(self) -> SeenValues | None:
        if self._catalog.events is None or self._events is None:
            return None
        return event_names(self._catalog.events, self._events, self._glance)


def _instead(value: str, seen: SeenValues | None) -> str:
    """The nearest that there is, or all there is."""
    if seen is None or not seen.values:
        return ""
    return did_you_mean(value, seen.values) or f"; there are {named(seen)}"


def _events_of(spec: CampaignSpec) -> Iterator[AskedEvents]:
    """Everything that the campaign says about events: in its rules and saved segments, its triggers and its goal."""
    campaign = spec.campaign
    saved = (segment.rules for segment in spec.segments.values() if segment.rules is not None)
    for rules in (campaign.who, *saved):
        for did in rules.over_events():
            yield did.events, did.where
    for trigger in (*(campaign.when.on or ()), *filter(None, [campaign.when.unless])):
        yield (trigger.event,), trigger.where
    if campaign.goal is not None:
        yield (campaign.goal.event,), campaign.goal.where


def _exact_values(tree: PropertyTree) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Properties with the values that they are compared with for equality."""
    for name, condition in tree.conditions.items():
        for operator, value in condition.operators().items():
            if OPERATORS[operator].whole_values:
                yield name, tuple(map(str, value if isinstance(value, tuple) else (value,)))
    for below in (*(tree.all or ()), *(tree.any or ()), *filter(None, [tree.not_])):
        yield from _exact_values(below)
