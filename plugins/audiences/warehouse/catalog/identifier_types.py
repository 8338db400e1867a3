"""Which types of columns can hold an identifier: a column of another type is a mistake, whatever can be cast to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, CITEXT

from audiences.campaign.identifiers import FIELDS

if TYPE_CHECKING:
    from audiences.campaign.identifier_fields import ColumnKind
    from audiences.warehouse.catalog.relation import Column

_Types = tuple[type[Any], ...]
_TYPES: Final[dict[ColumnKind, _Types]] = {
    "text": (sa.String, sa.Enum, CITEXT),
    "whole number": (sa.Integer,),
    "decimal": (sa.Numeric,),
    "date": (sa.Date, sa.DateTime),
    "uuid": (sa.Uuid,),
}
_WAY_OUT: Final[tuple[tuple[type[Any], str], ...]] = (
    (sa.ARRAY, "Map a view with one value per user, such as the first of the array."),
    (sa.JSON, "A value inside of JSON is mapped as `{jsonb: …, path: …}`."),
    (BYTEA, "Map a view that writes the bytes as text: encode(…, 'hex') for a hash, convert_from(…, 'UTF8') for text."),
    (
        sa.Float,
        "Such a column rounds: digits are lost already. Map the column in which the value is text or a whole number.",
    ),
)


def cannot_hold(name: str, column: Column) -> str | None:
    """What to do about a column that can never hold the identifier; None for one that can, or whose type is not known."""
    kind = column.type
    # SQLAlchemy has floats below the exact numbers, which they are not here.
    fits = any(isinstance(kind, _TYPES[each]) for each in FIELDS[name].columns) and not isinstance(kind, sa.Float)
    if fits or isinstance(kind, sa.types.NullType):
        return None
    return next((way_out for type_, way_out in _WAY_OUT if isinstance(kind, type_)), "Map a column of text.")
