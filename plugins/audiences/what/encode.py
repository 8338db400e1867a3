"""A batch of qualified users with raw identifiers in, the same users with one packed, hashed value out."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.what import rows
from audiences.what.identifiers.column import encode_column
from audiences.what.identifiers.outcome import Context, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.identifiers import Identifier
    from audiences.query.columns import Columns


class Encoder:
    """Encodes batches of one campaign, several at a time, and counts by identifier and reason what Facebook could not use."""

    def __init__(self, identifiers: Sequence[Identifier], columns: Columns, catalog: Catalog, *, today: date) -> None:
        self._identifiers = tuple(identifiers)
        self._columns = columns
        self._catalog = catalog
        self._today = today
        self._counting = Lock()
        self.misfits: Counter[str] = Counter()
        """Users by property whose value there is none of the declared type."""
        self.unread: Counter[str] = Counter()
        """Users by identifier, or OPT_OUT, of whom there is something that is none."""
        self.rejected: dict[str, Counter[str]] = {name: Counter() for name in self._identifiers}

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """`user_id`, `opted_out`, `identifiers` (packed, null when unreachable); properties and `never_held_out` as they came."""
        cells: dict[str, pa.Array] = {}
        for name in self._identifiers:
            cells.update(self._cells(name, batch))
        self._count_misfits(batch)
        kept = [self._columns.user_id, self._columns.opted_out, *self._columns.properties.values()]
        kept += filter(None, [self._columns.never_held_out])
        arrays = [batch.column(name) for name in kept]
        return pa.RecordBatch.from_arrays([*arrays, rows.pack(cells)], names=[*kept, "identifiers"])

    def _count_misfits(self, batch: pa.RecordBatch) -> None:
        for name, column in self._columns.present.items():
            missing = pc.is_null(batch.column(self._columns.properties[name]))
            count = pc.sum(pc.and_(missing, batch.column(column))).as_py() or 0
            with self._counting:
                self.misfits[name] += count
        for name, column in self._columns.unread.items():
            count = pc.sum(batch.column(column)).as_py() or 0
            with self._counting:
                self.unread[name] += count

    def _cells(self, name: Identifier, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        source = self._catalog.users.identifier(name)
        countries = self._columns.identifiers.get("country")
        context = Context(
            today=self._today,
            default_country=self._catalog.default_country,
            **(source.reading() if source else {}),
        )
        encoded = encode_column(
            name,
            batch.column(self._columns.identifiers[name]),
            context,
            batch.column(countries) if countries else None,
        )
        with self._counting:
            self.rejected[name].update(encoded.rejected)
        return {key: self._without_addresses(name, key, cells) for key, cells in encoded.columns.items()}

    def _without_addresses(self, name: Identifier, key: str, cells: pa.Array) -> pa.Array:
        """A shop may number its people by their e-mail addresses; an id is sent as it is, and those must not be."""
        if key not in rows.UNHASHED:
            return cells
        found = pc.fill_null(pc.match_substring(cells, "@"), fill_value=False)
        if count := pc.sum(found).as_py():
            self.rejected[name][Reason.MAYBE_AN_EMAIL.value] += count
        return pc.if_else(found, pa.scalar(None, cells.type), cells)
