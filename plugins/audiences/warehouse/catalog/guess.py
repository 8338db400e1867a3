"""What columns and JSON keys are likely to be, by name and type: for the first draft of a catalog, which people then correct."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.campaign.identifiers import FIELDS
from audiences.query.sources import schema_and_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from audiences.campaign.catalog import Group, PropertyType
    from audiences.warehouse.catalog.relation import Column, Relation


@dataclass(frozen=True, slots=True)
class Guess:
    """A property: where it stands, its type, its values if Postgres enumerates them.

    `path` is None for a column that is no JSON, and empty for one that is a JSON list as a whole.
    """

    name: str
    column: str
    type: PropertyType
    path: tuple[str, ...] | None = None
    values: tuple[str, ...] = ()
    derive: str = ""
    group: Group = "user"


_HASHED = re.compile(r"(.*?)(sha256|sha|hashed|hash)$")
_OPT_OUT = re.compile(
    r"(has)?opt(ed)?out.*|donot(contact|market|sell|track).*|gdpr(erased|optout|delete)|marketingoptout"
)
_KEYS = ("id", "userid", "customerid", "uid", "personid", "memberid", "accountid", "useruuid", "uuid", "key")
_USERS = (
    "userid",
    "customerid",
    "uid",
    "personid",
    "memberid",
    "accountid",
    "useruuid",
    "user",
    "customer",
    "distinctid",
)
_NAMES = ("name", "event", "eventname", "eventtype", "type", "action", "eventkey", "kind")
_TIMES = (
    "occurredat",
    "eventtime",
    "eventtimestamp",
    "eventat",
    "happenedat",
    "timestamp",
    "time",
    "ts",
    "at",
    "date",
    "eventdate",
    "createdat",
    "datetime",
)
_ARRIVALS = ("arrivedat", "receivedat", "ingestedat", "loadedat", "insertedat", "arrivaltime", "syncedat")
_GROUPS: dict[Group, re.Pattern[str]] = {
    "demographics": re.compile(r"age|gender|sex"),
    "geography": re.compile(r"country(code|name)?|region|state|province|city|town"),
    "reachability": re.compile(r"has(email|phone).*|(un)?subscribed.*"),
    "app": re.compile(r"appversion|device.*|os|osversion|sdkversion|platform"),
}
_VERSION = re.compile(r".*version")
_JOINTS = ("all", "any", "not")


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def best(wanted: Iterable[str], names: Iterable[str]) -> str | None:
    """The name that stands first in `wanted`."""
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(plain(name), name)
    return next((by_plain[each] for each in wanted if each in by_plain), None)


def identifiers(names: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """By identifier, the column (or key) that is likely to hold it, and whether hashed already."""
    listed = list(names)
    found: dict[str, tuple[str, bool]] = {}
    for field in FIELDS.values():
        if column := best(field.usual_names, listed):
            found[field.name] = (column, False)
            continue
        hashed = [name for name in listed if (cut := _HASHED.fullmatch(plain(name))) and cut[1] in field.usual_names]
        if hashed and len(field.keys) == 1:  # the parts of a date of birth are hashed each on their own
            found[field.name] = (hashed[0], True)
    return found


def is_opt_out(name: str) -> bool:
    """Whether a boolean of this name keeps a person out of everything."""
    return _OPT_OUT.fullmatch(plain(name)) is not None


def key_of(relation: Relation, without: Collection[str | None] = ()) -> tuple[str, bool]:
    """The column that identifies a row, and whether Postgres says so too; none of `without` if there is another."""
    for unique in relation.unique:
        if len(unique) == 1 and not unique.issubset(without):
            return next(iter(unique)), True
    columns = [name for name in relation.columns if name not in without] or list(relation.columns)
    return best(_KEYS, columns) or columns[0], False


def user_of(relation: Relation, users: Relation) -> str | None:
    """The events' column with the users' key: a foreign key, or by its name."""
    _, table = schema_and_name(users.name)
    referring = [column for column, (to, _) in relation.refers.items() if to == table]
    singular = plain(table.removesuffix("s"))
    wanted = (f"{singular}id", f"{singular}key", *_USERS)
    return referring[0] if referring else best(wanted, relation.columns)


def name_of(relation: Relation) -> str | None:
    """The events' column with their names."""
    texts = [name for name, column in relation.columns.items() if isinstance(column.type, sa.String | sa.Enum)]
    return best(_NAMES, texts)


def times_of(relation: Relation) -> tuple[str | None, str | None]:
    """The events' columns with the time at which they took place, and came in."""
    columns = relation.columns.items()
    times = [name for name, column in columns if isinstance(column.type, sa.DateTime | sa.Date)]
    arrived = best(_ARRIVALS, times)
    left = [name for name in times if name != arrived]
    return best(_TIMES, left) or next(iter(left), None), arrived


def property_of(column: Column, *, users: bool) -> Guess | None:
    """A column as a property; None for a type that no property has."""
    kind = _kind(column.type)
    if kind is None:
        return None
    if kind == "string" and _VERSION.fullmatch(plain(column.name)):
        kind = "version"
    values = tuple(column.type.enums) if isinstance(column.type, sa.Enum) else ()
    guess = Guess(column.name, column.name, kind, values=values)
    return _among_users(guess) if users else guess


def in_json(column: str, path: tuple[str, ...], kind: PropertyType, *, users: bool) -> Guess:
    """A key of a JSON column as a property, called like the key."""
    name = (path[-1] if path else column).strip() or column
    if kind == "string" and _VERSION.fullmatch(plain(name)):
        kind = "version"
    guess = Guess(name, column, kind, path=path)
    return _among_users(guess) if users else guess


def distinct(guesses: Iterable[Guess]) -> list[Guess]:
    """The same, each under a name of its own that a catalog may use."""
    taken: dict[str, Guess] = {}
    for guess in guesses:
        longer = "_".join((guess.column, *(guess.path or ())))
        names = chain((guess.name.strip(), longer), (f"{longer}_{number}" for number in count(2)))
        name = next(name for name in names if name not in taken and name not in _JOINTS)
        taken[name] = replace(guess, name=name)
    return list(taken.values())


def _among_users(guess: Guess) -> Guess:
    name = plain(guess.name)
    if guess.type in ("date", "datetime") and name in FIELDS["date_of_birth"].usual_names:
        return replace(guess, name="age", derive="age", group="demographics")
    group: Group = next((group for group, names in _GROUPS.items() if names.fullmatch(name)), "user")
    derive = "country" if guess.type == "string" and name in FIELDS["country"].usual_names else ""
    return replace(guess, derive=derive, group=group)


def _kind(kind: sa.types.TypeEngine[Any]) -> PropertyType | None:
    if isinstance(kind, sa.ARRAY):
        return "list" if _kind(kind.item_type) else None
    return next((name for type_, name in _KINDS if isinstance(kind, type_)), None)


_KINDS: tuple[tuple[type[Any], PropertyType], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Numeric, "number"),
    (sa.Float, "number"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.String, "string"),
    (sa.Uuid, "string"),
)
