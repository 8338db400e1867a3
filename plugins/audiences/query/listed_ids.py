"""Ids that a saved segment gives, compared with the users' key by the key's own type, however they are spelled.

A file says nothing of types: `007` is the user 7 where the key is a number and another one where it is text. So the type is
asked in the statement itself, once, and an id becomes the text that Postgres writes for that value: `2.00` is 2 for a
`bigint`, a UUID may be in upper case or in braces, a `char(8)` has no blanks at its end, a `citext` no letter case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from audiences.query.cte_names import common, once
from audiences.query.sources import users_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.campaign.catalog import Catalog
    from audiences.query.text_columns import Value

_WHOLE: Final = ("int2", "int4", "int8", "oid")
_FRACTIONAL: Final = ("numeric", "float4", "float8")
# As Postgres writes them: most ids are, and to see that takes a tenth of the time of reading them.
_PLAIN: Final = "^[1-9][0-9]{0,17}$"
_PLAIN_UUID: Final = ("________-____-____-____-____________", "[^0-9a-f-]")  # for LIKE, and what it has not
NUMBER: Final = r"^\s*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?\s*$"
LONGEST_NUMBER: Final = 400  # characters; a bound in the pattern would take Postgres twenty times as long
UUID_TEXT: Final = r"^\s*({U}|[{]{U}[}])\s*$".replace("{U}", "([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}")


class KeyType:
    """The type of the users' key as Postgres knows it, as a query with one row that a statement holds once.

    `of_key` is its number in Postgres, where the statement need not be allowed to read the users.
    """

    def __init__(self, catalog: Catalog, of_key: Value | None = None) -> None:
        if of_key is None:
            table = users_table(catalog)
            key = table.c[catalog.users.key]
            # A query without rows gives a null, and a null has a type.
            of_key = sa.func.pg_typeof(sa.select(key).limit(0).scalar_subquery())
        types = sa.table("pg_type", *map(sa.column, ("oid", "typname", "typbasetype")), schema="pg_catalog")
        itself, base = types.alias("t"), types.alias("b")
        first = sa.select(itself.c.typname, itself.c.typbasetype).where(itself.c.oid == of_key)
        steps = common(
            first, "key_domains", recursive=True
        )  # of a domain, also what it is made of, which may be one again
        below = sa.select(base.c.typname, base.c.typbasetype).join(steps, base.c.oid == steps.c.typbasetype)
        steps = steps.union_all(below)
        found: list[sa.Label[Any]] = [sa.cast(steps.c.typname, sa.Text).label("name"), of_key.label("oid")]
        self._found = common(sa.select(*found).where(steps.c.typbasetype == 0), "key_type")

    @property
    def has_one_text(self) -> Value:
        """Whether Postgres writes equal keys alike, so that an id has its text whether there is such a user or not."""
        return self._is(*_WHOLE, "uuid", "bpchar", "text", "varchar")

    @property
    def is_plain_text(self) -> Value:
        """Whether the key is a text that is equal to itself alone, as far as its type says so."""
        return self._is("text", "varchar")

    @property
    def is_text(self) -> Value:
        """Whether the key is a text of any kind."""
        return self._is("text", "varchar", "bpchar", "citext", "name")

    @property
    def is_fractional(self) -> Value:
        """Whether the key is a number that may have a fraction, of which Postgres may write equal ones differently."""
        return self._is(*_FRACTIONAL)

    def among(self, key: Value, users: Iterable[str]) -> Value:
        """Whether the key is one of the ids of a list."""
        given = listed_ids(users)
        return self.key(key).in_(sa.select(self.listed(given.c.user_id)))

    def key(self, key: Value) -> Value:
        """The key as the text that ids are compared with."""
        plain = sa.cast(key, sa.Text)
        return sa.case((self._is(*_FRACTIONAL, "citext"), self.listed(plain)), else_=plain)

    def listed(self, text: Value) -> Value:
        """An id that was given as text."""
        number = sa.func.trim_scale(sa.cast(text, sa.Numeric), type_=sa.Numeric)
        written = sa.and_(sa.func.length(text) <= LONGEST_NUMBER, _matches(text, NUMBER))
        return sa.case(
            (sa.and_(self._is(*_WHOLE, *_FRACTIONAL), _matches(text, _PLAIN)), text),
            (sa.and_(self._is(*_WHOLE, *_FRACTIONAL), written), sa.cast(number, sa.Text)),
            (sa.and_(self._is("uuid"), text.like(_PLAIN_UUID[0]), sa.not_(_matches(text, _PLAIN_UUID[1]))), text),
            (
                sa.and_(self._is("uuid"), _matches(text, UUID_TEXT)),
                sa.cast(sa.cast(sa.func.btrim(text, " \t\r\n{}"), UUID), sa.Text),
            ),
            (self._is("bpchar"), sa.func.rtrim(text, " ")),
            (self._is("citext"), sa.func.lower(text)),
            else_=text,
        )

    def selected(self, value: Value) -> Value:
        """An id that a query gave, of whatever type; a text in JSON is the text that it holds."""
        of_value = sa.cast(sa.func.pg_typeof(value), sa.Text)
        unpacked = sa.func.to_jsonb(value, type_=JSONB).op("#>>", return_type=sa.Text)(sa.literal_column("'{}'"))
        text = sa.case((of_value.in_(("json", "jsonb")), unpacked), else_=sa.cast(value, sa.Text))
        same = sa.and_(self._one("oid") == sa.func.pg_typeof(value), self._is(*_WHOLE, "uuid", "text", "varchar"))
        return sa.case((same, sa.cast(value, sa.Text)), else_=self.listed(text))

    def _one(self, column: str) -> Value:
        return sa.select(self._found.c[column]).scalar_subquery()

    def _is(self, *names: str) -> Value:
        return self._one("name").in_(names)


def listed_ids(users: Iterable[str]) -> sa.Subquery:
    """The ids of a list as rows with a `user_id`, as they are written there."""
    ids = sorted({user for user in users if "\x00" not in user})  # no Postgres text holds a NUL
    texts = sa.cast(sa.literal(ids, ARRAY(sa.Text)), ARRAY(sa.Text))
    return sa.select(sa.func.unnest(texts).label("user_id")).subquery("given")


def users_called(catalog: Catalog, user: str) -> sa.Select[Any]:
    """The `user_id`, the key as text, of the users whom an id means that a person gave; two at most.

    Of nobody in the warehouse it is the id as the key's type writes it, where that has one text for each value.
    """
    key_type, table = KeyType(catalog), users_table(catalog)
    key, given = table.c[catalog.users.key], listed_ids([user])
    meant = sa.select(key_type.listed(given.c.user_id)).scalar_subquery()
    found = common(
        sa.select(sa.cast(key, sa.Text).label("user_id")).where(key_type.key(key) == meant).limit(2), "called"
    )
    nobody = sa.select(meant.label("user_id")).where(key_type.has_one_text, ~sa.exists(sa.select(found.c.user_id)))
    either = sa.union_all(sa.select(found.c.user_id), nobody).subquery()
    return sa.select(either.c.user_id)


def users_listed(catalog: Catalog, users: Iterable[str]) -> sa.Select[Any]:
    """The `user_id`, the key as text, of all users whom the ids of a list mean, and the ids as they are compared."""
    key_type, table, given = KeyType(catalog), users_table(catalog), listed_ids(users)
    key = table.c[catalog.users.key]
    meant = once(sa.select(key_type.listed(given.c.user_id).label("user_id")), "listed")
    found = sa.select(sa.cast(key, sa.Text).label("user_id")).where(key_type.key(key).in_(sa.select(meant.c.user_id)))
    either = sa.union(found, sa.select(meant.c.user_id)).subquery()
    return sa.select(either.c.user_id)


def no_users(catalog: Catalog, users: Iterable[str]) -> sa.Select[Any]:
    """Those of the ids of a list that no user has, in order."""
    given, key_type, table = listed_ids(users), KeyType(catalog), users_table(catalog)
    known = common(sa.select(key_type.key(table.c[catalog.users.key]).label("user_id")), "known")
    there = sa.exists().where(known.c.user_id == key_type.listed(given.c.user_id))
    return sa.select(given.c.user_id).where(~there).order_by(given.c.user_id)


def _matches(text: Value, pattern: str) -> Any:
    return text.op("~", is_comparison=True)(pattern)
