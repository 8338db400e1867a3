"""One user's identifiers, all that the catalog maps, whatever campaigns use of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import sqlalchemy as sa

from audiences.campaign.what import Identifier
from audiences.who.columns import Columns
from audiences.who.sources import text, users_table

if TYPE_CHECKING:
    from audiences.campaign.catalog import Catalog


def person(catalog: Catalog, user: str) -> tuple[sa.Select[Any], Columns]:
    """The query for the user's row, with `opted_out` false, and its columns."""
    sources = {name: catalog.users.identifier(name) for name in get_args(Identifier)}
    columns = Columns(
        identifiers={name: f"identifier_{name}" for name, source in sources.items() if source}, properties={}
    )
    table = users_table(catalog)
    key = sa.cast(table.c[catalog.users.key], sa.Text)
    values = [text(source, table).label(columns.identifiers[name]) for name, source in sources.items() if source]
    fixed: list[sa.Label[Any]] = [key.label(columns.user_id), sa.false().label(columns.opted_out)]
    return sa.select(*fixed, *values).where(key == user), columns
