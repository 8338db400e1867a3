"""A campaign's rules as one SELECT over the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.query.column_types import UNKNOWN, ColumnTypes
from audiences.query.columns import OPT_OUT, columns_of
from audiences.query.conditions import text_of
from audiences.query.fingerprint import fingerprint
from audiences.query.render import quoted_list
from audiences.query.sources import declined, is_boolean, present, text, typed, unread, users_table
from audiences.who.segment_queries import Conditions, People

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.catalog_sources import Source
    from audiences.campaign.identifiers import Identifier
    from audiences.campaign.spec import CampaignSpec
    from audiences.query.text_columns import Value


def qualified(
    spec: CampaignSpec,
    at: datetime,
    *,
    users: Sequence[str] | None = None,
    secret: bytes | None = None,
    identifiers: bool = True,
    types: ColumnTypes = UNKNOWN,
) -> sa.Select[Any]:
    """The users whom the rules name at the run time `at` (aware), one row each, with the columns of `columns_of(spec)`.

    `users` limits the answer to these ids. With a `secret` the fingerprint of the identifiers is among the columns, and the
    identifiers themselves need not be. What `types` says of columns is not asked of each value: what is surely read has no column
    that says whether it is, and beside fingerprints alone a key of whole numbers is a number.
    The session's time zone should be the catalog's: Postgres reads columns of type `timestamp without time zone` in it.
    """
    conditions = Conditions(spec, at, users, types)
    people = People(conditions)
    truth = people.truth(spec.campaign.who, required=True)
    columns = _selected(spec, people, conditions, identifiers=identifiers)
    if secret is not None:
        of = fingerprint(_identifiers(spec, people.table), secret)
        columns.append(of.label(columns_of(spec).fingerprint))
    return people.select(*columns, where=truth)


def identifiers_of(spec: CampaignSpec, users: Sequence[str]) -> sa.Select[Any]:
    """The identifiers of these users, by the texts of their keys: `user_id`, and the columns of `columns_of(spec)` for them."""
    names, table = columns_of(spec), users_table(spec.catalog)
    key = table.c[spec.catalog.users.key]
    values = [
        value.label(names.identifiers[name]) for name, value in _identifiers(spec, table).items()
    ]  # fmt: skip
    columns: list[sa.Label[Any]] = [sa.cast(key, sa.Text).label(names.user_id), *values]
    return sa.select(*columns).where(_is_one_of(key, users))


def _identifiers(spec: CampaignSpec, table: sa.FromClause) -> dict[Identifier, Value]:
    """The raw identifiers that the campaign reads, as text."""
    users = spec.catalog.users
    return {
        name: text(source, table)
        for name in columns_of(spec).identifiers
        if (source := users.identifier(name))
    }  # fmt: skip


def opted_out(catalog: Catalog, users: Sequence[str] | None = None) -> sa.Select[Any]:
    """The users (`user_id`) who have opted out, whether or not they qualify for anything; of these only, by their keys' texts."""
    table = users_table(catalog)
    key = table.c[catalog.users.key]
    asked = key.is_not(None) if users is None else _is_one_of(key, users)
    return sa.select(sa.cast(key, sa.Text).label("user_id")).where(asked, _opted_out(catalog, table))


def _is_one_of(key: sa.ColumnElement[Any], users: Sequence[str]) -> sa.ColumnElement[bool]:
    """Without a type of its own the list is read as one of keys, whatever their type, so that their index finds them."""
    listed: Value = sa.literal_column(quoted_list(users))
    return key == sa.any_(listed)


def _opted_out(catalog: Catalog, table: sa.FromClause) -> Value:
    declines = (declined(source, table) for source in catalog.users.opt_out)
    return sa.func.coalesce(sa.or_(sa.false(), *declines), sa.false())


def _selected(spec: CampaignSpec, people: People, conditions: Conditions, *, identifiers: bool) -> list[sa.Label[Any]]:
    names, catalog = columns_of(spec), spec.catalog
    properties = catalog.user_properties()
    values = [
        (names.user_id, people.user_id if identifiers else people.user_id_or_number),
        (names.opted_out, _opted_out(catalog, people.table)),
        *(
            (names.identifiers[name], value)
            for name, value in (_identifiers(spec, people.table) if identifiers else {}).items()
        ),
        *(
            (column, typed(properties[name], people.table, catalog.timezone))
            for name, column in names.properties.items()
        ),
        *((column, present(properties[name], people.table)) for name, column in names.present.items()),
        *(
            (column, sa.or_(sa.false(), *(unread(each, people.table) for each in sources)))
            for name, column in names.unread.items()
            if (sources := _may_be_unread(name, people.table, catalog))
        ),
    ]
    if names.never_held_out:
        listed = map(text_of, spec.campaign.who.never_hold_out)
        values.append((names.never_held_out, conditions.key_type.among(people.key, listed)))
    return [value.label(name) for name, value in values]


def _may_be_unread(name: str, table: sa.FromClause, catalog: Catalog) -> list[Source]:
    source = catalog.users.identifier(name) if name != OPT_OUT else None
    return [source] if source else [each for each in catalog.users.opt_out if not is_boolean(each, table)]
