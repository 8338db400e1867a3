"""Users' identifiers as the catalog maps them, whatever campaigns use of them: of one user, or one kind of everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.campaign.identifiers import FIELDS
from audiences.query.columns import Columns
from audiences.query.sources import text, users_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.identifiers import Identifier


def person(catalog: Catalog, user: str) -> tuple[sa.Select[Any], Columns]:
    """The query for the user's row, with `opted_out` false, and its columns."""
    query, key, columns = _rows(catalog, FIELDS)
    return query.where(key == user), columns


def is_there(catalog: Catalog, user: str) -> sa.Select[Any]:
    """The query for the user's id, and for nothing else of them: a row if the warehouse has the user."""
    key = sa.cast(users_table(catalog).c[catalog.users.key], sa.Text)
    return sa.select(key.label("user_id")).where(key == user)


def everybody(catalog: Catalog, identifier: Identifier) -> tuple[sa.Select[Any], Columns]:
    """The query for this identifier of all users, with their countries where the catalog maps them, and its columns."""
    query, key, columns = _rows(catalog, (identifier, "country"))
    return query.where(key.is_not(None)), columns


def _rows(catalog: Catalog, identifiers: Iterable[Identifier]) -> tuple[sa.Select[Any], sa.ColumnElement[str], Columns]:
    """The query, its key as text, and its columns."""
    sources = {name: catalog.users.identifier(name) for name in identifiers}
    columns = Columns(
        identifiers={name: f"identifier_{name}" for name, source in sources.items() if source}, properties={}
    )
    table = users_table(catalog)
    key = sa.cast(table.c[catalog.users.key], sa.Text)
    values = [text(source, table).label(columns.identifiers[name]) for name, source in sources.items() if source]
    fixed: list[sa.Label[Any]] = [key.label(columns.user_id), sa.false().label(columns.opted_out)]
    return sa.select(*fixed, *values), key, columns
