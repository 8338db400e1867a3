"""A first draft of `include/warehouse.yml`, reflected from two relations: commented YAML, for people to correct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.campaign.catalog import Catalog
from audiences.campaign.identifiers import CONTACTS, FIELDS
from audiences.campaign.wording import bare, choice, did_you_mean, shown
from audiences.campaign.yaml_reader import parse
from audiences.errors import FixConfigError
from audiences.query.key import WAY_OUT
from audiences.warehouse.catalog import guess
from audiences.warehouse.catalog.json_keys import keys_in
from audiences.warehouse.catalog.record import record, unrecorded
from audiences.warehouse.catalog.yaml_text import flow, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.warehouse.catalog.guess import Guess
    from audiences.warehouse.catalog.reflect import Glance
    from audiences.warehouse.catalog.relation import Relation

_HEAD = """\
# yaml-language-server: $schema=warehouse.schema.json
# The catalog: which tables hold your users and events, and what campaigns may ask about them, by the names they use.
# A draft by `audiences catalog init`, guessed from names and types: read it, correct it, remove what campaigns should
# not use. Then compare it with the database: audiences catalog check
# `names` and `values` are what was seen: a campaign that names anything else is refused, so add what is still to come.
"""

_DRAFT = "the draft"


@dataclass(eq=False)
class NoSuchRelationError(FixConfigError):
    """There is no table or view of that name, or the login may not see it."""

    relation: str
    near: str

    def __str__(self) -> str:
        return f"the warehouse has no table or view {shown(self.relation)}{self.near}"


def relation_named(name: str, glance: Glance) -> Relation:
    """The relation, which has columns; raises NoSuchRelationError with the nearest name."""
    if (found := glance.relation(name, references=True)) and found.columns:
        return found
    if found:
        raise NoSuchRelationError(relation=name, near=" with columns")
    names = glance.names()
    raise NoSuchRelationError(relation=name, near=did_you_mean(name, names) or choice(name, names))


def draft(users: Relation, events: Relation | None, glance: Glance) -> str:
    """The text of the file. What was guessed without much to go by is marked in it by a comment.

    Names of events and values of properties are listed as far as they were seen.
    """
    lines = [_HEAD, "timezone: UTC # of campaigns that name none, and of times in columns without time zone"]
    lines += ["# default_country: US # of phone numbers without a country code", "", "users:"]
    lines += [f"  {line}".rstrip() for line in _users(users, glance)]
    if events is not None:
        lines += ["", "events:", *(f"  {line}".rstrip() for line in _events(events, users, glance))]
    text = "\n".join(lines) + "\n"
    catalog = Catalog.model_validate(parse(text, _DRAFT).data)
    return record(text, list(unrecorded(catalog, glance)), file=_DRAFT)


def _users(relation: Relation, glance: Glance) -> Iterator[str]:
    identifiers = guess.identifiers(relation.columns)
    named = {column for name, (column, hashed) in identifiers.items() if FIELDS[name].names_a_person and not hashed}
    key, sure = guess.key_of(relation, without=named)
    yield f"relation: {scalar(relation.name)}"
    unsure = " # a guess: nothing in the database keeps it unique"
    yield f"key: {scalar(key)}" + (f" # {WAY_OUT}" if key in named else "" if sure else unsure)
    found = list(_properties(relation, glance, users=True, without={key}))
    inside = {each.path[-1]: each for each in reversed(found) if each.path}
    for name, (path, hashed) in guess.identifiers(inside).items():
        if name not in identifiers:
            source = {"jsonb": inside[path].column, "path": _path(inside[path])}
            yield f"{name}: {flow({**source, **({'pre_hashed': True} if hashed else {})})}"
    for name, (column, hashed) in identifiers.items():
        yield f"{name}: " + (flow({"column": column, "pre_hashed": True}) if hashed else scalar(column))
    if not set(CONTACTS) & {*identifiers, *guess.identifiers(inside)}:
        yield "# email: or `phone`, or both: no column looks like one of them; a campaign needs one"
    opt_outs = [
        each for each in found if each.type == "boolean" and each.path is None and guess.is_opt_out(each.column)
    ]
    if opt_outs:
        yield f"opt_out: {flow([each.column for each in opt_outs])} # users for whom one is true are never uploaded"
    else:
        yield "# opt_out: a boolean column; users for whom it is true are never uploaded"
    kept_out = {column for name, (column, hashed) in identifiers.items() if FIELDS[name].private or hashed}
    listed = [each for each in found if each.path is not None or each.column not in kept_out]
    yield from _listed([each for each in listed if each not in opt_outs], relation)


def _events(relation: Relation, users: Relation, glance: Glance) -> Iterator[str]:
    user, name = guess.user_of(relation, users), guess.name_of(relation)
    key, sure = guess.key_of(relation, without={user})
    occurred, arrived = guess.times_of(relation)
    columns = list(relation.columns)
    unsure = " # a guess: no column looks like it"
    yield f"relation: {scalar(relation.name)}"
    yield f"id: {scalar(key)}" + ("" if sure else " # a guess: nothing in the database keeps it unique")
    yield f"user: {scalar(user or columns[0])}" + ("" if user else unsure)
    yield f"name: {scalar(name or columns[0])}" + ("" if name else unsure)
    yield f"occurred_at: {scalar(occurred or columns[0])}" + ("" if occurred else unsure)
    if arrived:
        yield f"arrived_at: {scalar(arrived)} # live campaigns read events in the order of their arrival"
    kind = relation.columns[name].type if name else None
    if isinstance(kind, sa.Enum):
        yield f"names: {flow(list(kind.enums))}"
    taken = {key, user, name, occurred, arrived}
    yield from _listed(_properties(relation, glance, users=False, without=taken), relation)


def _properties(relation: Relation, glance: Glance, *, users: bool, without: set[Any]) -> list[Guess]:
    found: list[Guess] = []
    for name, column in relation.columns.items():
        if name in without:
            continue
        if isinstance(column.type, sa.JSON):
            found += [guess.in_json(name, path, kind, users=users) for path, kind in keys_in(relation, name, glance)]
        elif each := guess.property_of(column, users=users):
            found.append(each)
    return guess.distinct(found)


def _listed(found: list[Guess], relation: Relation) -> Iterator[str]:
    """The properties, and as comments the columns that no property can be made of."""
    if found:
        yield ""
        yield "properties:"
    for each in found:
        source: dict[str, Any] = {"jsonb": each.column, "path": _path(each)}
        if each.path is None:
            source = {"column": each.column}
        source["type"] = each.type
        if each.values:
            source["values"] = list(each.values)
        if each.derive:
            source["derive"] = each.derive
        if each.group != "user":
            source["group"] = each.group
        yield f"  {scalar(each.name)}: {flow(source)}"
    for name, column in relation.columns.items():
        if not isinstance(column.type, sa.JSON) and guess.property_of(column, users=False) is None:
            yield f"  # {bare(name)}: {column.words}, which no property can be; a view or generated column can cast it"


def _path(each: Guess) -> Any:
    path = each.path or ()
    return path[0] if len(path) == 1 else list(path)
