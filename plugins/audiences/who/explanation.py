"""Why one user is in or out: each rule and each filter in words, with what was found and whether it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa

from audiences.campaign.identifiers import FIELDS
from audiences.query.conditions import Moment
from audiences.query.cte_names import common
from audiences.query.events import EVIDENCE, evidence
from audiences.redact import masked
from audiences.who.filters import ages, as_arrow, holds
from audiences.who.rule_words import condition_words, did_words
from audiences.who.segment_queries import Conditions, People

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import pandas as pd

    from audiences.campaign.catalog import Catalog, Property
    from audiences.campaign.catalog_sources import Source
    from audiences.campaign.properties import PropertyTree
    from audiences.campaign.rules import Did, Rules
    from audiences.campaign.spec import CampaignSpec

    Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One condition for one user: what it asks, what was found (empty for a joint of others), whether it holds.

    `below` is what an `any`, `all`, `not` or a saved segment is made of.
    """

    text: str
    found: str
    passed: bool
    below: tuple[Step, ...] = ()


def deciding(steps: tuple[Step, ...]) -> Step | None:
    """The first of conditions that must all hold that does not; None when all do."""
    return next((step for step in steps if not step.passed), None)


def explain_filters(
    tree: PropertyTree,
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, str],
    catalog: Catalog,
    at: datetime,
    zone: ZoneInfo,
) -> tuple[Step, ...]:
    """The conditions of `with_properties` for the one user in `frame`, as `filters.matches` decides them."""
    properties = catalog.user_properties()

    def level(tree: PropertyTree) -> Iterator[Step]:
        for name, condition in tree.conditions.items():
            column, declared, moment = frame[columns[name]], properties[name], Moment(at, zone)
            passed = bool(holds(condition, column, declared, moment)[0])
            values = ages(column, moment.today) if declared.derive == "age" else as_arrow(column)
            found = _shown(_python(values[0]), zone, private=_is_identifier(declared, catalog))
            yield Step(condition_words(name, condition), found, passed)
        for below in tree.all or ():
            yield from level(below)
        if tree.any:
            yield _any([_all(list(level(below))) for below in tree.any])
        if tree.not_:
            yield _not(list(level(tree.not_)))

    return tuple(level(tree))


class RuleSteps:
    """The rules of a campaign asked about one user: one query, and how to read the row that it gives.

    The query gives no row for somebody who is not in the users' relation.
    """

    def __init__(self, spec: CampaignSpec, at: datetime, user: str) -> None:
        self._spec = spec
        self._conditions = Conditions(spec, at, [user])
        self._people = People(self._conditions)
        self._selected: list[sa.Label[Any]] = []
        self._segments: dict[str, list[_Reader]] = {}
        self._readers = list(self._level(spec.campaign.who))

    @property
    def query(self) -> sa.Select[Any]:
        """One row with what every rule found."""
        return self._people.select(self._people.user_id.label("user_id"), *self._selected, where=sa.true())

    def read(self, row: Row) -> tuple[Step, ...]:
        """The rules as that row answers them; all of them must hold."""
        return tuple(reader(row) for reader in self._readers)

    def _level(self, rules: Rules) -> Iterator[_Reader]:
        for below in rules.all or ():
            yield from self._level(below)
        if rules.any:
            levels = [list(self._level(below)) for below in rules.any]
            yield lambda row: _any([_all(_read(level, row)) for level in levels])
        if rules.not_ is not None:
            denied = list(self._level(rules.not_))
            yield lambda row: _not(_read(denied, row))
        if rules.did:
            yield self._did(rules.did, "did", holds=True)
        if rules.did_not:
            yield self._did(rules.did_not.positive(), "did not do", holds=False)
        for name in rules.segment or ():
            yield self._segment(name, "in", holds=True)
        for name in rules.exclude_segment or ():
            yield self._segment(name, "not in", holds=False)

    def _did(self, did: Did, verb: str, *, holds: bool) -> _Reader:
        number = len(self._selected)
        truth = self._select(self._people.did(did))
        only = self._conditions.only
        seen = common(evidence(did, self._spec.catalog, self._conditions.moment, only), f"seen_{number}")
        self._people.joined(seen, self._people.key)
        found = {name: self._select(seen.c[name]) for name in EVIDENCE if name in seen.c}

        def read(row: Row) -> Step:
            answers = {name: row[column] for name, column in found.items()}
            return Step(f"{verb} {did_words(did)}", self._evidence_words(answers), row[truth] == holds)

        return read

    def _segment(self, name: str, verb: str, *, holds: bool) -> _Reader:
        rules, text = self._spec.segments[name].rules, f"{verb} segment {name}"
        if rules is None:
            truth = self._select(self._people.segment(name))
            return lambda row: Step(text, "in it" if row[truth] else "not in it", row[truth] == holds)
        if name not in self._segments:
            self._segments[name] = list(self._level(rules))

        def read(row: Row) -> Step:
            below = _read(self._segments[name], row)
            inside = all(step.passed for step in below)
            return Step(text, "in it" if inside else "not in it", inside == holds, tuple(below))

        return read

    def _select(self, value: sa.ColumnElement[Any]) -> str:
        name = f"rule_{len(self._selected) + 1}"
        self._selected.append(value.label(name))
        return name

    def _evidence_words(self, found: dict[str, Any]) -> str:
        if not found["events"]:
            return "no such event"
        words = [f"{found['events']} such event{'' if found['events'] == 1 else 's'}"]
        words += [f"{name} {self._time(found[name])}" for name in ("first", "last") if found[name] is not None]
        nothing = {"sum": "0", "average": "of nothing"}
        return ", ".join(words + [f"{name} {found[name] or nothing[name]}" for name in nothing if name in found])

    def _time(self, instant: datetime) -> str:
        return instant.astimezone(self._conditions.moment.zone).isoformat(sep=" ", timespec="seconds")


_Reader = Callable[["Row"], Step]


def _read(readers: list[_Reader], row: Row) -> list[Step]:
    return [reader(row) for reader in readers]


def _all(steps: list[Step]) -> Step:
    if len(steps) == 1:
        return steps[0]
    return Step("all of these", "", all(step.passed for step in steps), tuple(steps))


def _any(steps: list[Step]) -> Step:
    return Step("at least one of these", "", any(step.passed for step in steps), tuple(steps))


def _not(steps: list[Step]) -> Step:
    return Step("not all of these" if len(steps) > 1 else "not this", "", not _all(steps).passed, tuple(steps))


def _is_identifier(source: Property, catalog: Catalog) -> bool:
    """Whether a property shows what the catalog calls an identifier that is private, an e-mail address say."""

    def place(source: Source) -> tuple[Any, ...]:
        return source.column, source.jsonb, source.path

    mapped = catalog.users.identifiers().items()
    private = {place(each) for name, each in mapped if FIELDS[name].private}
    return source.derive != "is_set" and place(source) in private


def _python(value: pa.Scalar) -> Any:
    """The value, as text where it lies beyond the years that Python knows."""
    try:
        return value.as_py()
    except (OverflowError, ValueError):
        return value.cast(pa.string()).as_py()


def _shown(value: Any, zone: ZoneInfo, *, private: bool) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        # The last day that there is has no name in some zones.
        local = value.astimezone(zone) if MINYEAR < value.year < MAXYEAR else value
        return local.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list):
        return ", ".join(_shown(each, zone, private=private) for each in value) or "an empty list"
    return masked(str(value)) if private or "@" in str(value) else str(value)
