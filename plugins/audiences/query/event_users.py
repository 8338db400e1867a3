"""Events' users by the text of the users' key, whatever type the events have that key in.

Rules over events join the two columns, and Postgres takes 7.00 for 7. What goes by texts, since it is compared with the ledger,
has to write a user as the key does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.query.listed_ids import KeyType
from audiences.query.render import quoted, quoted_list
from audiences.query.sources import schema_and_name, users_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.campaign.catalog import Catalog, Events
    from audiences.query.text_columns import Value

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision", "oid")


@dataclass(frozen=True, slots=True)
class EventUsers:
    """How an event's user becomes the text of the key.

    `alike`: the events' column is written as the key is, so nothing is to be done. `looked_up`: equal keys may be written
    differently, so only the users' relation knows. Neither: the key has one text for each value. `of_text`: the key is a text.
    """

    alike: bool = True
    looked_up: bool = False
    of_text: bool = True

    def user_id(self, catalog: Catalog, table: sa.FromClause) -> Value:
        """The key's text for the user of an event of the table; that of the event itself, where there is no such user."""
        user = table.c[_events(catalog).user]
        written: Value = sa.cast(user, sa.Text)
        if self.alike:
            return written
        if not self.looked_up:
            return KeyType(catalog).listed(written)
        users = users_table(catalog)
        key = users.c[catalog.users.key]
        found = sa.select(sa.cast(key, sa.Text)).where(key == user).limit(1).correlate(table)
        return sa.func.coalesce(found.scalar_subquery(), written)


def event_users(catalog: Catalog) -> sa.Select[Any]:
    """The question to the warehouse, in whose transaction the answer holds: one row with the fields of EventUsers."""
    users, events = catalog.users, _events(catalog)
    of_key, of_user = _type_of(users.relation, users.key), _type_of(events.relation, events.user)
    key_type, same = KeyType(catalog, of_key), of_key == of_user
    alike = sa.or_(key_type.is_plain_text, sa.and_(same, key_type.has_one_text))
    fractions = sa.and_(key_type.is_fractional, sa.func.format_type(of_user, sa.null()).in_(_NUMBERS))
    looked_up = sa.and_(sa.not_(alike), sa.or_(fractions, sa.and_(same, sa.not_(key_type.has_one_text))))
    columns = {"alike": alike, "looked_up": looked_up, "of_text": key_type.is_text}
    return sa.select(*(sa.func.coalesce(value, sa.false()).label(name) for name, value in columns.items()))


def _type_of(relation: str, column: str) -> Value:
    """The number of a column's type, out of the catalogs of Postgres: a goal is measured by a login that need not read users."""
    columns = sa.table("pg_attribute", *map(sa.column, ("attrelid", "attname", "atttypid")), schema="pg_catalog")
    name = ".".join(quoted(part) for part in schema_and_name(relation) if part)
    found = sa.select(columns.c.atttypid).where(
        columns.c.attrelid == sa.func.to_regclass(name), columns.c.attname == column
    )
    return found.scalar_subquery()


def having_keys(catalog: Catalog, keys: Sequence[str]) -> sa.Select[Any]:
    """The `user_id` of the users who have one of these keys, found by their index; for a key that is a text."""
    key = users_table(catalog).c[catalog.users.key]
    listed: Value = sa.literal_column(quoted_list(keys))
    return sa.select(sa.cast(key, sa.Text).label("user_id")).where(key == sa.any_(listed))


def _events(catalog: Catalog) -> Events:
    if catalog.events is None:
        message = "the catalog maps no events; validation refuses what would read them then"
        raise ValueError(message)
    return catalog.events
