"""What the end of a replace session says of the memberships that were to last or begin with its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from audiences.ledger.chunk_states import Chunk
    from audiences.what.erased import Erased


def perhaps_in(lasting: pa.Table, erased: Erased, *, left_before: Sequence[Chunk]) -> pa.Table:
    """Those who may be in: nobody who was erased, unless one of the batches that had `left_before` has them.

    Unknown to the ledger they would be taken out by no run, and found by no erasure.
    """
    if not erased.digests:
        return lasting
    users, rows = (lasting.column(name).combine_chunks() for name in ("user_id", "identifiers"))
    there = pc.invert(erased.among(users, rows))
    for chunk in left_before:
        there = pc.or_(there, _of(chunk, lasting))
    return lasting.filter(there)


def recorded(
    lasting: pa.Table,
    *,
    left_before: Sequence[Chunk],
    refused: Sequence[Chunk],
    bad: Sequence[bytes],
    but: Collection[str],
) -> pa.Table:
    """Memberships that began; those of batches that were `refused` and of `bad` rows did not, and lasting ones have ended.

    So it is with those of the users `but`, who were left out, unless one of the batches that had `left_before` has them.
    """
    begins = lasting.column("begins")
    lost = _left_out(lasting, left_before, but)
    lost = pc.or_(lost, pc.is_in(lasting.column("identifiers"), pa.array(bad, pa.binary())))
    for chunk in refused:
        lost = pc.or_(lost, _of(chunk, lasting))
    changed = pc.xor(begins, lost)
    place = lasting.column_names.index("gone")
    return lasting.set_column(place, "gone", pc.and_(lost, pc.invert(begins))).filter(changed)


def kept_till_left_out(
    lasting: pa.Table, *, campaign: int, left_before: Sequence[Chunk], but: Collection[str]
) -> set[str]:
    """Of the users `but`, those whom the campaign held, was to keep, and has left out."""
    ours = pc.and_not(pc.equal(lasting.column("campaign_id"), campaign), lasting.column("begins"))
    return set(lasting.filter(pc.and_(_left_out(lasting, left_before, but), ours)).column("user_id").to_pylist())


def _left_out(lasting: pa.Table, left_before: Sequence[Chunk], but: Collection[str]) -> pa.ChunkedArray:
    found = pc.is_in(lasting.column("user_id"), pa.array(sorted(but), pa.string()))
    for chunk in left_before:
        found = pc.and_not(found, _of(chunk, lasting))
    return found


def _of(chunk: Chunk, rows: pa.Table) -> pa.ChunkedArray:
    """Whether each row is one of the batch."""
    position = rows.column("position")
    return pc.and_(pc.greater_equal(position, chunk.first_row), pc.less(position, chunk.first_row + chunk.rows))
