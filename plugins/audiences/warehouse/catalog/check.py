"""The catalog `include/warehouse.yml` compared with the warehouse that it describes, line by line; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from psycopg.sql import Literal

from audiences.campaign.catalog import Catalog, Events, Users
from audiences.campaign.catalog_sources import DateSource, IdentifierSource, Source
from audiences.campaign.identifiers import FIELDS
from audiences.campaign.wording import Path, choice, did_you_mean, shown
from audiences.checklist import State
from audiences.query import key
from audiences.query.render import quoted
from audiences.query.sources import events_table, users_table
from audiences.query.sources import named as is_called
from audiences.query.text_columns import TIMESTAMP, Value
from audiences.warehouse.catalog.date_order import order_told
from audiences.warehouse.catalog.event_scan import event_scan
from audiences.warehouse.catalog.fit import SAMPLE, fit, hashing, looked_at, missing_column, of_type, refused
from audiences.warehouse.catalog.reflect import Glance, Refusal
from audiences.warehouse.catalog.relation import Relation, index_advice
from audiences.warehouse.catalog.seen import MOST_NAMED, SeenValues, event_names, event_values, named, user_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.warehouse.catalog.fit import FitResult


@dataclass(frozen=True, slots=True)
class Line:
    """What was found about the entry of the catalog at `path`; `remedy` is empty when nothing is to be done."""

    path: Path
    state: State
    found: str
    remedy: str = ""


def check_catalog(catalog: Catalog, glance: Glance) -> Iterator[Line]:
    """Compare; nothing is raised, what is wrong is a line. The lines come in the order of the catalog."""
    users = glance.relation(catalog.users.relation)
    yield _relation_line(("users", "relation"), catalog.users.relation, users, users_table(catalog), glance)
    if users is not None:
        yield from _users(catalog, users, glance)
    if catalog.events is None:
        return
    events = glance.relation(catalog.events.relation)
    yield _relation_line(("events", "relation"), catalog.events.relation, events, events_table(catalog.events), glance)
    if events is not None:
        yield from _events(catalog, catalog.events, events, glance)
        if users is not None and catalog.users.key in users.columns and catalog.events.user in events.columns:
            yield Line(("events", "user"), *_same_key(catalog, catalog.events, users, events, glance))


def _relation_line(path: Path, name: str, relation: Relation | None, table: sa.FromClause, glance: Glance) -> Line:
    if relation is None:
        names = glance.names()
        remedy = "Name a table or view that the warehouse connection can see" + (
            did_you_mean(name, names) or choice(name, names, none="it sees none; GRANT USAGE on its schema?")
        )
        return Line(path, State.FAIL, f"there is no {shown(name)}", remedy)
    rows = "" if relation.rows is None else f", about {relation.rows:,} rows"
    found = f"{relation.kind}{rows}{looked_at(table, relation, glance)}"
    if _hides_rows(relation, glance):
        found += "; row-level security keeps back from the login whatever its policies do not let through"
        return Line(path, State.WARN, found, "See that they let through all that campaigns are about.")
    return Line(path, State.OK, found)


def _hides_rows(relation: Relation, glance: Glance) -> bool:
    """Whether policies may hide rows, of which no query says anything."""
    answer = glance.ask(f"SELECT pg_catalog.row_security_active({Literal(relation.sql_name).as_string()})")
    return not isinstance(answer, Refusal) and bool(answer[0][0])


def _users(catalog: Catalog, relation: Relation, glance: Glance) -> Iterator[Line]:
    users, table = catalog.users, users_table(catalog)
    yield Line(
        ("users", "key"), *(_personal(users, relation, table, glance) or _unique(users, relation, table, glance))
    )
    for name in Users.model_fields:
        source = getattr(users, name)
        if isinstance(source, Source):
            verdict = fit(source, table, relation, glance, catalog.timezone)
            if isinstance(source, IdentifierSource) and verdict[0] is not State.FAIL:
                verdict = of_type(name, source, relation) or verdict
            if isinstance(source, IdentifierSource) and verdict[0] is State.OK and FIELDS[name].hashed:
                verdict = hashing(source, table, verdict, glance)
            if isinstance(source, DateSource) and verdict[0] is State.OK:
                verdict = order_told(source, table, relation, verdict, glance)
            yield Line(("users", name), *verdict)
    for index, source in enumerate(users.opt_out):
        yield Line(("users", "opt_out", index), *fit(source, table, relation, glance, catalog.timezone))
    for name, declared in users.properties.items():
        verdict = fit(declared, table, relation, glance, catalog.timezone)
        if verdict[0] is State.OK and not verdict[2]:
            verdict = _with_values(verdict, user_values(catalog, declared, relation, glance), declared.values)
        yield Line(("users", "properties", name), *verdict)


def _with_values(verdict: FitResult, seen: SeenValues | None, listed: tuple[Any, ...] | None) -> FitResult:
    """A good verdict with the values that there are, or with those that the catalog's list lacks."""
    if seen is None or not seen.values:
        return verdict
    if listed is None:
        return State.OK, f"{verdict[1]}: {named(seen)}", ""
    missing = [value for value in seen.values if value not in map(str, listed)]
    if not missing:
        return verdict
    found = f"{verdict[1]}: holds values that are not under `values`: {', '.join(map(shown, missing[:MOST_NAMED]))}"
    return State.WARN, found, "Add them, or campaigns that name them are refused."


def _personal(users: Users, relation: Relation, table: sa.FromClause, glance: Glance) -> FitResult | None:
    """That the key holds e-mail addresses or phone numbers, by a sample; None when it does not."""
    if users.key not in relation.columns:
        return None
    some = sa.select(sa.cast(table.c[users.key], sa.Text).label("key")).select_from(table).limit(SAMPLE).subquery()
    answer = glance.ask(sa.select(sa.func.count()).where(some.c.key.op("~", is_comparison=True)(key.PATTERN)))
    if isinstance(answer, Refusal) or not answer[0][0]:
        return None
    found = f"{shown(users.key)} {relation.columns[users.key].words}: holds e-mail addresses or phone numbers"
    return State.FAIL, found, f"The ledger would store them as they are. {key.WAY_OUT}."


def _unique(users: Users, relation: Relation, table: sa.FromClause, glance: Glance) -> FitResult:
    """The key: each user is to be in the relation once."""
    if users.key not in relation.columns:
        return missing_column(users.key, relation)
    what = f"{shown(users.key)} {relation.columns[users.key].words}"
    if frozenset([users.key]) in relation.unique:
        return State.OK, f"{what}, unique", ""
    column = table.c[users.key]
    twice = glance.ask(
        sa.select(sa.literal(1)).where(column.is_not(None)).group_by(column).having(sa.func.count() > 1).limit(1)
    )
    if isinstance(twice, Refusal):
        return refused(twice, f"{what}, one row per user", relation)
    if twice:
        return State.FAIL, f"{what}: several rows have one key", "Map a view with one row per user."
    if not relation.indexable:
        return State.OK, f"{what}, every key once at the moment", ""
    if whole := next((each for each in relation.unique if users.key in each), None):
        of = ", ".join(shown(name) for name in relation.columns if name in whole)
        found = f"{what}: only a part of what identifies a row, which is {of}"
        return State.WARN, found, "Map a view with one row per user, and with one column that identifies them."
    found = f"{what}: every key once at the moment, and nothing keeps it so"
    if relation.kind == "partitioned table":  # a unique index there holds the columns of the partitioning as well
        return State.WARN, found, "See that whatever fills the table keeps it so."
    if relation.heirs:
        found += f": no index of it holds the rows of the tables that inherit from it ({', '.join(relation.heirs[:3])})"
        return State.WARN, found, "Map a partitioned table, or a view with one row per user."
    return State.WARN, found, index_advice(relation, users.key, unique=True)


def _events(catalog: Catalog, events: Events, relation: Relation, glance: Glance) -> Iterator[Line]:
    table = events_table(events)
    missing = False
    for part in ("id", "user", "name", "occurred_at", "arrived_at"):
        column = getattr(events, part)
        if column is None:
            continue
        if column not in relation.columns:
            missing = True
            yield Line(("events", part), *missing_column(column, relation))
        elif part == "id":
            yield Line(("events", part), *_told_apart(events, table, relation, glance))
        elif part == "name":
            yield Line(("events", part), *_named(events, relation, glance))
        elif part in ("occurred_at", "arrived_at"):
            seen = _time(column, table, relation, glance, catalog.timezone)
            if part == "arrived_at" and seen[0] is State.OK and relation.indexable:
                seen = _by_arrival(column, relation, seen)
            yield Line(("events", part), *seen)
    for name, declared in events.properties.items():
        verdict = fit(declared, table, relation, glance, catalog.timezone)
        if verdict[0] is State.OK and not verdict[2]:
            verdict = _with_values(verdict, event_values(events, declared, relation, glance), declared.values)
        yield Line(("events", "properties", name), *verdict)
    if missing:
        return
    yield from _names(events, relation, glance)
    for index, name in enumerate(events.names or ()):
        if wrong := _event_name(name, events, table, relation, glance):
            yield Line(("events", "names", index), *wrong)
    yield Line(("events",), *event_scan(catalog, events, relation, glance))


def _named(events: Events, relation: Relation, glance: Glance) -> FitResult:
    """The column with the events' names, and which there are if the catalog does not say so."""
    seen = None if events.names else event_names(events, relation, glance)
    there = f": {named(seen)}" if seen and seen.values else ""
    return State.OK, f"{shown(events.name)} {relation.columns[events.name].words}{there}", ""


def _names(events: Events, relation: Relation, glance: Glance) -> Iterator[Line]:
    """What `names` lacks."""
    seen = event_names(events, relation, glance) if events.names else None
    if seen and (missing := [name for name in seen.values if name not in (events.names or ())]):
        found = f"there are other events: {', '.join(map(shown, missing[:MOST_NAMED]))}"
        more = f" and {len(missing) - MOST_NAMED:,} more" if len(missing) > MOST_NAMED else ""
        yield Line(("events", "names"), State.WARN, found + more, "Add them, or campaigns that name them are refused.")


def _told_apart(events: Events, table: sa.FromClause, relation: Relation, glance: Glance) -> FitResult:
    """The events' id; of as many events as there may be, a sample says whether it tells one from the other."""
    what = f"{shown(events.id)} {relation.columns[events.id].words}"
    if frozenset([events.id]) in relation.unique:
        return State.OK, f"{what}, unique", ""
    some = sa.select(table.c[events.id].label("id")).select_from(table).limit(SAMPLE).subquery()
    seen = glance.ask(sa.select(sa.func.count().label("rows"), sa.func.count(some.c.id.distinct()).label("ids")))
    if not isinstance(seen, Refusal) and seen[0].ids < seen[0].rows:
        found = f"{what}: the first {seen[0].rows:,} events have {seen[0].ids:,} different ones; a live campaign takes "
        return (
            State.WARN,
            f"{found}those with one id for one event, and leaves out those without",
            "Map a column that identifies an event.",
        )
    return State.OK, what, ""


def _time(column: str, table: sa.FromClause, relation: Relation, glance: Glance, zone: str) -> FitResult:
    kind = relation.columns[column].type
    what = f"{shown(column)} {relation.columns[column].words}"
    # A run compares it with instants as it stands, since a cast would keep the index from being used.
    value: Value = sa.column(column)
    query = sa.select(sa.cast(value, TIMESTAMP)).select_from(table).where(value >= sa.func.now()).limit(0)
    if isinstance(refusal := glance.ask(query), Refusal):
        state, found, remedy = refused(refusal, f"{what}, compared with times", relation)
        return (
            state,
            found,
            remedy if refusal.says_nothing_of_types else "Map a view with a column of type timestamptz.",
        )
    if isinstance(kind, sa.DateTime) and kind.timezone:
        return State.OK, what, ""
    if isinstance(kind, sa.DateTime):
        found = f"{what}: without time zone, so it is read as meant in {zone}"
        return State.WARN, found, "See that `timezone` of the catalog is the zone that the column is written in."
    found = f"{what}: without a time of day, so every event is at midnight"
    return State.WARN, found, "Windows of hours and times of day need a column of type timestamptz."


def _by_arrival(column: str, relation: Relation, verdict: FitResult) -> FitResult:
    if column in relation.leading:
        return verdict
    found = f"{verdict[1]}: no index begins with it; live campaigns would read all events, again and again"
    return State.WARN, found, index_advice(relation, column)


def _event_name(
    name: str, events: Events, table: sa.FromClause, relation: Relation, glance: Glance
) -> FitResult | None:
    """None for a name that an event has."""
    there = glance.ask(sa.select(sa.literal(1)).select_from(table).where(is_called(events, table, (name,))).limit(1))
    if isinstance(there, Refusal):
        if there.sqlstate == "22P02":
            return State.FAIL, f"{shown(name)} is no value of the enumeration in {shown(events.name)}", "Remove it."
        return refused(there, f"events named {shown(name)}", relation)
    return (
        None if there else (State.WARN, f"no event is named {shown(name)}", "Correct the name, or wait for the first.")
    )


def _same_key(catalog: Catalog, events: Events, users: Relation, relation: Relation, glance: Glance) -> FitResult:
    """Users and events are joined by the key, so Postgres must be able to compare the two columns."""
    one, other = users_table(catalog), events_table(events)
    own, user = users.columns[catalog.users.key], relation.columns[events.user]
    what = f"{shown(user.name)} {user.words}"
    joined = sa.select(sa.literal(1)).select_from(other.join(one, other.c[user.name] == one.c[own.name]))
    answer = glance.ask(joined.limit(0))
    if isinstance(answer, Refusal):
        if answer.says_nothing_of_types:
            readable = not isinstance(glance.ask(sa.select(other.c[user.name]).limit(0)), Refusal)
            return refused(answer, what, users if readable else relation)
        found = f"{what} cannot be compared with the users' key {shown(own.name)} {own.words}: {answer.words}"
        return State.FAIL, found, f"Map a view of the events that casts it: {quoted(user.name)}::{own.words}."
    known = glance.ask(joined.limit(1))
    there = glance.ask(sa.select(sa.literal(1)).select_from(other).where(other.c[user.name].is_not(None)).limit(1))
    if not isinstance(known, Refusal) and not isinstance(there, Refusal) and there and not known:
        return (
            State.FAIL,
            f"{what}: no event belongs to any user of the users' relation",
            "Map the column with the users' key.",
        )
    return State.OK, what, ""
