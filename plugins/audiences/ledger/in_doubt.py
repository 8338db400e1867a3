"""Requests that were refused and may have been carried out before: an answer was lost, and the next try was refused.

Their memberships go on record as if they had been acknowledged, so that the next difference sends whoever is wanted the other
way. The request is sent again before that, without the rows that went the other way since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from audiences.ledger import members

if TYPE_CHECKING:
    from audiences.ledger.chunks import Chunk
    from audiences.ledger.database import Ledger


def begin(
    ledger: Ledger, chunk: Chunk, *, state: Literal["refused", "postponed"], error: str, changes: pa.Table
) -> None:
    """Record in one transaction how the request was refused, that it is in doubt, and its `changes` among the members.

    These have the columns that `members.write` takes.
    """
    with ledger.bulk.cursor() as cursor:
        cursor.execute(
            "update audiences.chunk set doubtful = true, state = $1, error = $2 where id = $3 and not doubtful returning id",
            (state, error, chunk.id),
        )
        if cursor.fetchone() is not None:
            members.write(cursor, audience=chunk.audience, run=chunk.run, changes=changes)
    ledger.bulk.commit()


def still_meant(ledger: Ledger, chunk: Chunk, changes: pa.Table) -> pa.Table:
    """Those of its `changes` whose `identifiers` the members on record have, or lack, as the request was to make it."""
    rows = changes.column("identifiers")
    present = ledger.all(
        "select distinct identifiers from audiences.member"
        " where audience_id = %(audience)s and removed_run is null and present and identifiers = any(%(rows)s)",
        {"audience": chunk.audience, "rows": rows.unique().to_pylist()},
    )
    found = pc.is_in(rows, pa.array([row.identifiers for row in present], pa.binary()))
    return changes.filter(found if chunk.action == "add" else pc.invert(found))


def asked(ledger: Ledger, chunk: Chunk) -> None:
    """Record that the request is about to leave once more."""
    ledger.sql.execute("update audiences.chunk set tries = tries + 1, sent_at = now() where id = %s", (chunk.id,))


def end(ledger: Ledger, chunk: Chunk, *, answered: bool) -> None:
    """Record that what the request was about is as the members on record say, since Facebook has `answered` it or by itself."""
    ledger.sql.execute(
        "update audiences.chunk set doubtful = false, acknowledged_at = case when %s then now() else acknowledged_at end"
        " where id = %s",
        (answered, chunk.id),
    )
