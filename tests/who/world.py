"""A small random warehouse full of edges, as rows for Postgres and, typed, for the naive evaluator."""

from __future__ import annotations

import json
import math
import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from tests.who.naive import Event, World

if TYPE_CHECKING:
    import psycopg

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kolkata", "Asia/Kathmandu", "Africa/Cairo",
    "Pacific/Apia", "America/Sao_Paulo", "Australia/Lord_Howe",
)  # fmt: skip
# Clocks change in New York and Havana (there at midnight) on 8 March and 1 November, in Berlin on 29 March and
# 25 October; 2028 has a 29 February; Cairo changes at midnight on 24 April. Apia has no 30 December 2011. In São Paulo
# 17 February 2018 has 25 hours and ends where it began to repeat itself, and 4 November begins at one. Lord Howe Island
# shifts by half an hour on 4 October.
DAYS = (
    *(date(2011, 12, 29) + timedelta(days=n) for n in range(3)),
    *(date(2018, 2, 17) + timedelta(days=n) for n in range(2)),
    date(2018, 11, 4),
    date(2026, 10, 4),
    *(date(2026, 3, 6) + timedelta(days=n) for n in range(4)),
    *(date(2026, 3, 28) + timedelta(days=n) for n in range(3)),
    *(date(2026, 4, 23) + timedelta(days=n) for n in range(3)),
    *(date(2026, 10, 24) + timedelta(days=n) for n in range(3)),
    date(2026, 10, 31),
    date(2026, 11, 1),
    date(2026, 12, 31),
    date(2027, 1, 1),
    *(date(2028, 2, 28) + timedelta(days=n) for n in range(3)),
    date(2028, 3, 29),
    date(2028, 3, 31),
)
MICROSECOND = timedelta(microseconds=1)
NAMES = ("Added To Cart", "Charged", "Ünïcode; DROP TABLE events;--", "50% 'off' \\ :x", "Never Done")
NASTY = "цена 'в' %s; \\ \"q\" :p"
TEXTS = (
    "",
    "shoes",
    "Shoes",
    "bags",
    "O'Neil; DROP TABLE users;--",
    "50%",
    "%s",
    "back\\slash",
    "ünï",
    "a.b",
    ":x",
    "tab\t",
)
VERSIONS = ("3.9", "3.10", "3.10.0", "4", "4.0.0-beta", "v3.1", "V3.1.0", "rc1", "--", "", "003.9", "10.0.1", "3.0.05")
NUMBERS = (0.0, -0.0, 0.1, 2.5, -1.5, 100.0, 1e10, 40.0, 0.30000000000000004)
INTEGERS = (0, 1, -5, 25, 40, 2**53 + 1, 2**63 - 1, -(2**63))
TAGS: tuple[list[str], ...] = ([], ["a"], ["a", "b"], ["ü'%,{}\"\\"], ["b", "b"], ["NULL"])
# JSON values that do not fit some type, and texts that do.
MISFITS: tuple[Any, ...] = (
    None, True, False, 0, 1, 25, 25.0, 2.5, -1.5, "25", "2.5", "-1.5e1", "1e5", "1e999", "abc", "", " 25", "NaN",
    "Infinity", [1], {"a": 1}, "true", "No", "maybe", 10**30, 9223372036854775807, 9223372036854775808, "٣",
    "2026-02-30", "2028-02-29", "2026-03-08", "2026-13-01", "2026-03-08T02:30:00Z", "2026-03-08 00:00:00+05:30",
    "2026-10-25T01:30:00", "2026-03-08T25:00:00Z", "0000-01-01", ["a", None, 1, True, {"b": 2}], [], "3.10", 3.1,
)  # fmt: skip

USER_TYPES = {
    "tier": "string", "score": "number", "visits": "integer", "vip": "boolean", "born": "date",
    "signed_up": "datetime", "app_version": "version", "tags": "list",
}  # fmt: skip
# What campaigns compare is derived from the column, as the catalog says.
DERIVED_TYPES = {"age": "age", "land": "country", "has_email": "boolean"}
BIRTHS = (
    date(1985, 2, 28),
    date(1988, 2, 29),
    date(2000, 2, 29),
    date(2003, 3, 1),
    date(2006, 12, 31),
    date(2030, 1, 1),
)
LANDS = ("India", "IN", "IND", " in ", "Germany", "de", "Côte d'Ivoire", "CI", "Atlantis", "", "%")
EMAILS = ("", " \t", "x@example.com")
EVENT_TYPES = {"category": "string", "amount": "number", "quantity": "integer", "gift": "boolean"}
JSON_TYPES = {
    f"{kind} {NASTY}": kind
    for kind in ("string", "number", "integer", "boolean", "date", "datetime", "version", "list")
}  # fmt: skip
SQL_SEGMENTS = {
    "chargers": "SELECT user_id FROM events WHERE name LIKE 'Charge%' -- 100% of them; it's :all",
    "numbers": "SELECT 7 AS user_id UNION ALL SELECT NULL",
}
SQL_ORACLES = {
    "chargers": lambda world: (event.user for event in world.events if event.name.startswith("Charge")),
    "numbers": lambda _: ("7",),
}


def edges(zone: str, day: date) -> list[datetime]:
    """Instants around the start of a local day, found by walking over it and not by the product's arithmetic."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    step = timedelta(minutes=15)
    inside = (at for n in range(200) if (at := start + n * step).astimezone(ZoneInfo(zone)).date() == day)
    first = next(inside, None)
    if first is None:  # a day that the zone left out
        return []
    return [first - MICROSECOND, first, first + MICROSECOND, first + timedelta(hours=2, minutes=30)]


INSTANTS = sorted({instant for zone in ZONES for day in DAYS for instant in edges(zone, day)})


def as_type(kind: str, value: Any) -> Any:
    """What a JSON value is as a property of this type; None where it does not fit."""
    text = None if value is None or isinstance(value, list | dict) else json.dumps(value).strip('"')
    text = value if isinstance(value, str) else text
    if kind == "list":
        return [_element(each) for each in value if each is not None] if isinstance(value, list) else None
    if text is None or (kind == "version" and isinstance(value, bool)):
        return None
    return _FROM_TEXT[kind](text)


def _element(each: Any) -> str:
    return each if isinstance(each, str) else json.dumps(each)


def _integer(text: str) -> int | None:
    if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", text):
        return None
    number = int(text.partition(".")[0])
    return number if -(2**63) <= number < 2**63 else None


def _number(text: str) -> float | None:
    if text == "true" or not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", text):
        return None
    return float(text)


def _boolean(text: str) -> bool | None:
    if text.lower() in ("true", "t", "yes", "y", "on", "1"):
        return True
    return False if text.lower() in ("false", "f", "no", "n", "off", "0") else None


def _datetime(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text) if re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None
    return read and (read if read.tzinfo else read.replace(tzinfo=UTC))


def _date(text: str) -> date | None:
    try:
        date_time = _datetime(text)
        return date.fromisoformat(text[:10]) if date_time else None
    except ValueError:
        return None


def _version(text: str) -> str | None:
    return text if re.search("[0-9A-Za-z]", text) else None


_FROM_TEXT = {
    "string": lambda text: text, "integer": _integer, "number": _number, "boolean": _boolean,
    "date": _date, "datetime": _datetime, "version": _version,
}  # fmt: skip


def _columns(chance: random.Random) -> dict[str, Any]:
    pools = {
        "string": TEXTS, "number": (*NUMBERS, math.nan, math.inf), "integer": INTEGERS, "boolean": (True, False),
        "date": DAYS, "datetime": INSTANTS, "version": VERSIONS, "list": TAGS,
    }  # fmt: skip
    types = {**USER_TYPES, **EVENT_TYPES}
    return {name: chance.choice((None, *pools[kind], *pools[kind])) for name, kind in types.items()}


def _document(chance: random.Random) -> dict[str, Any]:
    present = [name for name in JSON_TYPES if chance.random() < 0.9]
    pools = {"string": TEXTS, "number": NUMBERS, "integer": INTEGERS, "version": VERSIONS, "list": TAGS}
    return {name: chance.choice((*MISFITS, *pools.get(JSON_TYPES[name], ()))) for name in present}


def typed(columns: dict[str, Any], document: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    """A row's properties as the naive evaluator wants them."""
    values = {name: columns[name] for name in types}
    for name, value in values.items():
        if types[name] == "version" and value is not None:
            values[name] = _version(value)
    return {**values, **{name: as_type(kind, document.get(name)) for name, kind in JSON_TYPES.items()}}


def user_ids(count: int) -> list[str]:
    nasty = ["o'neil", "ü;--", "%s", "back\\slash", "7", "42 ", '"q"', "名前"]
    return [*nasty, *(f"u{n}" for n in range(count - len(nasty)))]


def load(connection: psycopg.Connection[Any], *, seed: int, users: int = 50, events: int = 2000) -> World:
    """Fill the database's tables with a random world and return it typed."""
    chance = random.Random(seed)
    connection.execute(_SCHEMA)
    world = World(users={}, events=[], sql_segments=SQL_ORACLES)
    for user in user_ids(users):
        columns, document = _columns(chance), _document(chance)
        document["deep"] = {"er": columns["tier"]}
        derived = {
            "birth": chance.choice((None, *BIRTHS, *DAYS)),
            "land": chance.choice((None, *LANDS)),
            "email": (email := chance.choice((None, *EMAILS))),
        }
        _insert(connection, "users", {"id": user, **_only(columns, USER_TYPES), **derived, "profile": Jsonb(document)})
        world.users[user] = {
            **typed(columns, document, USER_TYPES),
            "age": derived["birth"],
            "land": derived["land"],
            "has_email": bool(email and email.strip()),
        }
    doers = [*list(world.users)[: users - 5], None, "stranger", "u999"]
    for number in range(events):
        columns, document = _columns(chance), _document(chance)
        doer, name, at = chance.choice(doers), chance.choice(NAMES[:-1]), chance.choice(INSTANTS)
        if columns["amount"] is not None and math.isinf(columns["amount"]):
            columns["amount"] = 7.25  # sums of infinities are nobody's business
        row = {"id": number, "user_id": doer, "name": name, "at": at, **_only(columns, EVENT_TYPES)}
        _insert(connection, "events", {**row, "payload": Jsonb(document)})
        values = typed(columns, document, EVENT_TYPES)
        if values["amount"] is not None and math.isnan(values["amount"]):
            values["amount"] = None
        world.events.append(Event(user=doer, name=name, at=at, values=values))
    connection.execute("ANALYZE users; ANALYZE events")
    connection.commit()
    return world


def _only(columns: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    return {name: columns[name] for name in types}


def _insert(connection: psycopg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(["%s"] * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})".encode(), list(row.values()))


_SCHEMA = """
CREATE TABLE users (
    id text PRIMARY KEY, tier text, score double precision, visits bigint, vip boolean, born date,
    signed_up timestamptz, app_version varchar(40), tags text[], profile jsonb, email text, phone text,
    birth date, land text, unsubscribed boolean
);
CREATE TABLE events (
    id bigint PRIMARY KEY, user_id text, name text NOT NULL, at timestamptz NOT NULL,
    category text, amount double precision, quantity bigint, gift boolean, payload jsonb
);
CREATE INDEX events_name_at_user ON events (name, at, user_id);
"""


def catalog() -> dict[str, Any]:
    """The catalog of the world, as the file would say it."""

    def properties(types: dict[str, str], document: str) -> dict[str, Any]:
        columns = {name: {"column": name, "type": kind} for name, kind in types.items()}
        inside = {name: {"jsonb": document, "path": name, "type": kind} for name, kind in JSON_TYPES.items()}
        return {**columns, **inside}

    return {
        "users": {
            "relation": "users",
            "key": "id",
            "email": "email",
            "phone": "phone",
            "opt_out": ["unsubscribed"],
            "properties": {
                **properties(USER_TYPES, "profile"),
                "age": {"column": "birth", "type": "date", "derive": "age"},
                "land": {"column": "land", "type": "string", "derive": "country"},
                "deep": {"jsonb": "profile", "path": ["deep", "er"], "type": "string"},
            },
        },
        "events": {
            "relation": "public.events",
            "id": "id",
            "user": "user_id",
            "name": "name",
            "occurred_at": "at",
            "properties": properties(EVENT_TYPES, "payload"),
        },
        "timezone": "UTC",
    }


def to_decimal(value: float) -> Decimal:
    """A number as its shortest decimal text says it."""
    return Decimal(str(value))
