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
        """`user_id`, `opted_out`, `identifiers` (packed, null when unreachable); properties and `never_held_out` as they came.

        Where the batch has fingerprints, these too, and `rejected`.
        """
        packed, rejected = self.identifiers(batch)
        self.count_rejected(rejected)
        self.count_misfits(batch)
        kept = [self._columns.user_id, self._columns.opted_out, *self._columns.properties.values()]
        kept += filter(None, [self._columns.never_held_out])
        columns = {name: batch.column(name) for name in kept} | {"identifiers": packed}
        if (fingerprint := self._columns.fingerprint) in batch.schema.names:
            columns |= {fingerprint: batch.column(fingerprint), "rejected": rejected}
        return pa.RecordBatch.from_pydict(columns)

    def identifiers(self, batch: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
        """Of each user the packed identifiers, and `rejected`: which ones are of no use, and why.

        The latter is text, a line for each such identifier, null for most users. It is not counted yet.
        """
        cells: dict[str, pa.Array] = {}
        reasons: dict[str, pa.Array] = {}
        for name in self._identifiers:
            of_name, why = self._cells(name, batch)
            cells.update(of_name)
            if why.null_count < len(why):
                reasons[name] = why
        return rows.pack(cells), _lines(reasons, len(batch))

    def count_rejected(self, rejected: pa.Array) -> None:
        """Count what `identifiers` says of users."""
        for count in pc.value_counts(rejected.drop_null()).to_pylist():
            for line in count["values"].split("\n"):
                name, _, reason = line.partition(": ")
                with self._counting:
                    self.rejected[name][reason] += count["counts"]

    def count_misfits(self, batch: pa.RecordBatch) -> None:
        """Count the users of a batch whose properties, or other values, could not be read."""
        for name, column in self._columns.present.items():
            missing = pc.is_null(batch.column(self._columns.properties[name]))
            count = pc.sum(pc.and_(missing, batch.column(column))).as_py() or 0
            with self._counting:
                self.misfits[name] += count
        for name, column in self._columns.unread.items():
            if column not in batch.schema.names:  # what is known to be of its type can be read
                continue
            count = pc.sum(batch.column(column)).as_py() or 0
            with self._counting:
                self.unread[name] += count

    def _cells(self, name: Identifier, batch: pa.RecordBatch) -> tuple[Mapping[str, pa.Array], pa.Array]:
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
        cells, reasons = dict(encoded.columns), encoded.reasons
        for key in cells.keys() & rows.UNHASHED:
            # A shop may number its people by their e-mail addresses; an id is sent as it is, and those must not be.
            found = pc.fill_null(pc.match_substring(cells[key], "@"), fill_value=False)
            cells[key] = pc.if_else(found, pa.scalar(None, cells[key].type), cells[key])
            reasons = pc.if_else(found, Reason.MAYBE_AN_EMAIL.value, reasons)
        return cells, reasons


def _lines(reasons: Mapping[str, pa.Array], length: int) -> pa.Array:
    """Per row the reasons by identifier, a line each; null where there are none."""
    lines = pa.nulls(length, pa.string())
    for name, why in reasons.items():
        line = pc.binary_join_element_wise(f"{name}: ", why, "")
        lines = pc.coalesce(pc.binary_join_element_wise(lines, line, "\n"), lines, line)
    return lines
