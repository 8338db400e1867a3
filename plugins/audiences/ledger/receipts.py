"""Receipts of upload requests: what Facebook took is recorded together with the members that it changes, in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from audiences.ledger import member_changes
from audiences.ledger.chunk_states import TRANSITIONS, RequestState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A request that Facebook took: of its rows it `received` so many, and so many were `invalid` to it.

    `changes` are what that changes among the members: `campaign_id`, `user_id`, `identifiers`, `present`, `begins`, `gone`.
    """

    chunk: Chunk
    received: int
    invalid: int
    changes: pa.Table


def acknowledge(ledger: Ledger, *receipts: Acknowledged) -> None:
    """Record in one transaction that Facebook took these requests, of one run, and what each of them changes among the members.

    A second receipt of the same request, which a process given up for dead and its successor may both have got, changes nothing.
    Receipts that can be recorded are, also where another one raises IllegalTransitionError.
    """
    import pyarrow as pa

    with ledger.asynchronous_commit():
        moved = _acknowledged(ledger, receipts)
        new = [each for each in receipts if each.chunk.id in moved]
        if new:
            changes = pa.concat_tables([each.changes for each in new])
            member_changes.record(ledger, audience=new[0].chunk.audience, run=new[0].chunk.run, changes=changes)
    for each in receipts:
        if each.chunk.id not in moved and TRANSITIONS.now(ledger, each.chunk.id) != RequestState.ACKNOWLEDGED:
            raise TRANSITIONS.illegal(ledger, each.chunk.id, RequestState.ACKNOWLEDGED)


def _acknowledged(ledger: Ledger, receipts: Sequence[Acknowledged]) -> set[int]:
    """Those of the requests that were not acknowledged yet, and are now."""
    counted = [member_changes.count(each.changes) for each in receipts]
    done = ledger.sql.execute(
        "update audiences.chunk c set state = %(to)s, acknowledged_at = now(), error = null,"
        " received = r.received, invalid = r.invalid, begun = r.begun, gone = r.gone"
        " from unnest(%(ids)s::bigint[], %(received)s::integer[], %(invalid)s::integer[], %(begun)s::integer[],"
        " %(gone)s::integer[]) as r (id, received, invalid, begun, gone)"
        " where c.id = r.id and c.state = any(%(before)s) returning c.id",
        {
            "to": RequestState.ACKNOWLEDGED,
            "before": TRANSITIONS.before(RequestState.ACKNOWLEDGED),
            "ids": [each.chunk.id for each in receipts],
            "received": [each.received for each in receipts],
            "invalid": [each.invalid for each in receipts],
            "begun": [begun for begun, _ in counted],
            "gone": [gone for _, gone in counted],
        },
    )
    return {number for (number,) in done}


def receive(ledger: Ledger, chunk: Chunk, *, received: int, invalid: int) -> None:
    """Record that Facebook took a request that changes nothing by itself: a part of a replace session.

    Raises IllegalTransitionError, as `receive_without` does.
    """
    _taken(ledger, chunk, "received = %(received)s, invalid = %(invalid)s", received=received, invalid=invalid)


def receive_without(ledger: Ledger, chunk: Chunk, bad: Mapping[bytes, str]) -> None:
    """Record that Facebook took a request of a replace session without its `bad` rows (packed), by their reasons."""
    _taken(
        ledger,
        chunk,
        "received = rows - %(bad)s, invalid = 0, rejected = %(rejected)s",
        bad=len(bad),
        rejected=Jsonb(dict(Counter(bad.values()))),
    )


def _taken(ledger: Ledger, chunk: Chunk, setting: str, **values: object) -> None:
    setting = f"acknowledged_at = now(), error = null, {setting}"
    TRANSITIONS.move(ledger, chunk.id, RequestState.ACKNOWLEDGED, setting, **values)


def end_session(ledger: Ledger, last: Chunk, *, received: int, invalid: int, begun: int, gone: int) -> None:
    """In the transaction of the caller: what the session's end changed is counted with its last request.

    One that was refused for its rows stays so: another one ended the session in its place.
    """
    ledger.sql.execute(
        "update audiences.chunk set acknowledged_at = now(), received = %(received)s, invalid = %(invalid)s,"
        " begun = %(begun)s, gone = %(gone)s, state = case when state = any(%(before)s) then %(to)s else state end"
        " where id = %(id)s",
        {
            "received": received,
            "invalid": invalid,
            "begun": begun,
            "gone": gone,
            "before": TRANSITIONS.before(RequestState.ACKNOWLEDGED),
            "to": RequestState.ACKNOWLEDGED,
            "id": last.id,
        },
    )
