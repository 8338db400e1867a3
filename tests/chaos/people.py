"""A shop whose data never stands still: users and events in Postgres, changed by the dice of a seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from random import Random

FIRST_DAY = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAMES = ("Added To Cart", "Charged", "Viewed")
TABLES = """
create table users (id bigint primary key, email text, phone text, tier text, age int, opted_out boolean);
create table events (id bigint generated always as identity primary key, user_id bigint, name text, occurred_at timestamptz);
"""
CATALOG = {
    "users": {
        "relation": "users",
        "key": "id",
        "email": "email",
        "phone": "phone",
        "opt_out": "opted_out",
        "properties": {"tier": {"column": "tier", "type": "string"}, "age": {"column": "age", "type": "integer"}},
    },
    "events": {"relation": "events", "id": "id", "user": "user_id", "name": "name", "occurred_at": "occurred_at"},
}


class People:
    """Draws users, events and what happens to them. Everything follows from the dice and the number of calls before."""

    def __init__(self, dsn: str, dice: Random) -> None:
        self._dsn, self._dice = dsn, dice
        self._last = self._mails = 0

    def settle_in(self, number: int, now: datetime) -> None:
        """The first users, with a past."""
        self._run(TABLES)
        self._newcomers(number, now, days=45)

    def live_on(self, now: datetime, part: float) -> None:
        """One day's changes; `part` is the share of users to whom something of each kind happens."""
        dice, ids = self._dice, [user for (user,) in self._run("select id from users order by id")]

        def some(share: float) -> list[int]:
            return dice.sample(ids, max(2, int(len(ids) * share)))

        self._newcomers(max(2, int(len(ids) * part)), now, days=3)
        self._events(some(3 * part), now, days=2)
        self._each("update users set email = %s where id = %s", [(self._email(), user) for user in some(part)])
        self._each("update users set phone = %s where id = %s", [(self._phone(), user) for user in some(part)])
        self._each("update users set tier = %s where id = %s", [(self._tier(), user) for user in some(part)])
        self._each("delete from events where user_id = %s", [(user,) for user in some(part)])
        self._each("delete from users where id = %s", [(user,) for user in some(part / 4)])
        self._each("update users set opted_out = true where id = %s", [(user,) for user in some(part / 2)])
        self._each("update users set opted_out = null where id = %s", [(user,) for user in some(part / 2)])
        one, other = some(part), some(part)
        twins = "update users u set email = o.email, phone = o.phone from users o where o.id = %s and u.id = %s"
        self._each(twins, list(zip(one, other, strict=True)))
        # Two users who swap their addresses: each row is removed for the one and added for the other.
        swap = (
            "update users u set email = o.email, phone = o.phone from users o"
            " where u.id in (%(a)s, %(b)s) and o.id in (%(a)s, %(b)s) and o.id <> u.id"
        )
        self._each(swap, [{"a": a, "b": b} for a, b in zip(some(part / 2), some(part / 2), strict=True) if a != b])

    def turn_away(self, users: list[int]) -> None:
        """These people, about to be added somewhere, leave, change their address or opt out."""
        self._each("delete from events where user_id = %s", [(user,) for user in users[0::3]])
        self._each("update users set email = %s where id = %s", [(self._email(), user) for user in users[1::3]])
        self._each("update users set opted_out = true where id = %s", [(user,) for user in users[2::3]])

    def _newcomers(self, number: int, now: datetime, *, days: int) -> None:
        ids = range(self._last + 1, self._last + number + 1)
        self._last += number
        rows = [
            (user, self._email(), self._phone(), self._tier(), self._dice.randint(16, 80), self._dice.random() < 0.03)
            for user in ids
        ]
        self._copy("users", rows)
        self._events([user for user in ids for _ in range(self._dice.choice((0, 1, 1, 2, 4)))], now, days=days)

    def _events(self, users: list[int], now: datetime, *, days: int) -> None:
        """Events of the last days; a few lie in the future, as with a phone's wrong clock."""
        ago = (timedelta(days=days * self._dice.random() - 0.05) for _ in users)
        rows = [(user, self._dice.choice(NAMES), now - back) for user, back in zip(users, ago, strict=True)]
        self._copy("events (user_id, name, occurred_at)", rows)

    def _email(self) -> str | None:
        """Mostly an address, written in one of several ways; sometimes none, sometimes nonsense."""
        kind = self._dice.random()
        if kind < 0.08:
            return None
        if kind < 0.12:
            return self._dice.choice(("", "  ", "nobody", "no one@", "@example.com"))
        self._mails += 1
        plain = f"person.{self._mails}+shop@example.com"
        return plain if kind < 0.8 else f" {plain.upper()} " if kind < 0.9 else f"\t{plain.title()}\n"

    def _phone(self) -> str | None:
        kind = self._dice.random()
        if kind < 0.3:
            return None
        if kind < 0.34:
            return self._dice.choice(("", "12", "call me"))
        number = f"{self._dice.randrange(10**7):07d}"
        return f"+49 1512 {number}" if kind < 0.7 else f"+491512{number}"

    def _tier(self) -> str | None:
        return self._dice.choice(("gold", "silver", "bronze", "bronze", None))

    def _copy(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        statement = f"copy {table} from stdin".encode()
        with psycopg.connect(self._dsn) as connection, connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def _run(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def _each(self, query: str, parameters: list[Any]) -> None:
        with psycopg.connect(self._dsn) as connection, connection.cursor() as cursor:
            cursor.executemany(query.encode(), parameters)
