"""Requests in doubt: the answer to a first try was lost, and the next try was refused, so the first may have been carried out.

Their memberships go on record as if they had been acknowledged, so that the next difference sends whoever is wanted the other
way. The request is sent again before that, without the rows that went the other way since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.ledger import member_changes
from audiences.ledger.chunk_states import TRANSITIONS

if TYPE_CHECKING:
    import pyarrow as pa

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
        moved = _begun(ledger, chunk, state, error)
        if moved:
            member_changes.record(ledger, audience=chunk.audience, run=chunk.run, changes=changes)
    if not moved and not _is_known(ledger, chunk, state):
        raise TRANSITIONS.illegal(ledger, chunk.id, state)


def _begun(ledger: Ledger, chunk: Chunk, state: InDoubtState, error: str) -> bool:
    """Whether the request was not known to be refused, and is now; it is in doubt then."""
    done = ledger.sql.execute(
        "update audiences.chunk set doubtful = true, state = %s, error = %s where id = %s and state = any(%s)",
        (state, error, chunk.id, TRANSITIONS.before(state)),
    )
    return done.rowcount > 0


def _is_known(ledger: Ledger, chunk: Chunk, state: InDoubtState) -> bool:
    """Whether the request is on record as in doubt after that refusal."""
    return ledger.holds(
        "select doubtful and state = %(state)s from audiences.chunk where id = %(id)s", {"id": chunk.id, "state": state}
    )


def still_meant(ledger: Ledger, chunk: Chunk, changes: pa.Table) -> pa.Table:
    """Those of its `changes` whose `identifiers` the members on record have, or lack, as the request was to make it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = changes.column("identifiers")
    present = ledger.values(
        bytes,
        "select distinct identifiers from audiences.member"
        " where audience_id = %(audience)s and removed_run is null and present and identifiers = any(%(rows)s)",
        {"audience": chunk.audience, "rows": rows.unique().to_pylist()},
    )
    found = pc.is_in(rows, pa.array(present, pa.binary()))
    return changes.filter(found if chunk.action == "add" else pc.invert(found))


def sending_again(ledger: Ledger, chunk: Chunk) -> None:
    """Record that the request is about to be sent once more; its state stays."""
    ledger.sql.execute("update audiences.chunk set tries = tries + 1, sent_at = now() where id = %s", (chunk.id,))


def end(ledger: Ledger, chunk: Chunk, *, answered: bool) -> None:
    """Record that the request is no longer in doubt: Facebook has `answered` it, or later requests have replaced all of it."""
    ledger.sql.execute(
        "update audiences.chunk set doubtful = false, acknowledged_at = case when %s then now() else acknowledged_at end"
        " where id = %s",
        (answered, chunk.id),
    )


def end_of_campaign(ledger: Ledger, audience: int, *, campaign: int) -> None:
    """Record that no request of the campaign to the audience is in doubt any more: the audience is another one's now."""
    ledger.sql.execute(
        "update audiences.chunk set doubtful = false where audience_id = %s and doubtful"
        " and run_id in (select id from audiences.run where campaign_id = %s)",
        (audience, campaign),
    )


def end_of_audience(ledger: Ledger, audience: int) -> None:
    """Record that no request of the audience is in doubt any more: its whole set was replaced, or it is no longer there."""
    ledger.sql.execute("update audiences.chunk set doubtful = false where audience_id = %s and doubtful", (audience,))
