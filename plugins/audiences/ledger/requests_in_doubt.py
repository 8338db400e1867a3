"""Requests in doubt: the answer to a first try was lost, and the next try was refused, so the first may have been carried out.

Their memberships go on record as if they had been acknowledged, so that the next difference sends whoever is wanted the other
way. The request is sent again before that, without the rows that went the other way since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.ledger import chunk_states, chunks, member_changes

if TYPE_CHECKING:
    from audiences.ledger.chunk_states import Chunk, InDoubtState
    from audiences.ledger.database import Ledger


def begin(
    ledger: Ledger,
    chunk: Chunk,
    *,
    state: InDoubtState,
    error: str,
    changes: pa.Table,
) -> None:
    """Record in one transaction how the request was refused, that it is in doubt, and its `changes` among the members.

    These have the columns that `member_changes.record` takes. Nothing changes for one that is in doubt already.
    """
    with ledger.asynchronous_commit():
        moved = chunks.begin_doubt(ledger, chunk, state, error=error)
        if moved:
            member_changes.record(ledger, audience=chunk.audience, run=chunk.run, changes=changes)
    if not moved and not chunks.is_in_doubt(ledger, chunk, state):
        raise chunk_states.TRANSITIONS.illegal(ledger, chunk.id, state)


def still_meant(ledger: Ledger, chunk: Chunk, changes: pa.Table) -> pa.Table:
    """Those of its `changes` whose `identifiers` the members on record have, or lack, as the request was to make it."""
    rows = changes.column("identifiers")
    present = ledger.values(
        bytes,
        "select distinct identifiers from audiences.member"
        " where audience_id = %(audience)s and removed_run is null and present and identifiers = any(%(rows)s)",
        {"audience": chunk.audience, "rows": rows.unique().to_pylist()},
    )
    found = pc.is_in(rows, pa.array(present, pa.binary()))
    return changes.filter(found if chunk.action == "add" else pc.invert(found))
