"""Rejected rows: those that Facebook refused, quarantined so that they are not sent again for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.ledger import chunks, receipts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.database import Ledger

TRIED_AGAIN_AFTER = timedelta(days=30)
"""A refused row is quarantined for so long: sending it at every run would cost two dozen requests each time to find it anew."""


def refuse(ledger: Ledger, chunk: Chunk, *, reason: str, error: str, identifiers: Sequence[bytes] = ()) -> None:
    """Record rows as refused for good; those of `identifiers` (packed) are quarantined, so that later runs leave them out."""
    with ledger.sql.transaction():
        chunks.refuse(ledger, chunk, error=error, reason=reason)
        _quarantine(ledger, chunk, dict.fromkeys(identifiers, reason))


def leave_out(ledger: Ledger, chunk: Chunk, bad: Mapping[bytes, str]) -> None:
    """Record that Facebook took a batch of a replace without its `bad` rows (packed, with reasons), which are quarantined."""
    with ledger.sql.transaction():
        receipts.receive_without(ledger, chunk, bad)
        _quarantine(ledger, chunk, bad)


def of_run(ledger: Ledger, run: int) -> list[bytes]:
    """The rows (packed) that were refused one by one in the run."""
    return ledger.values(bytes, "select identifiers from audiences.refused_row where run_id = %(run)s", {"run": run})


def with_bytes(ledger: Ledger, cells: Collection[bytes]) -> list[bytes]:
    """The rows (packed) in quarantine with one of the cells somewhere among their bytes."""
    return ledger.values(
        bytes,
        "select distinct identifiers from audiences.refused_row, unnest(%(cells)s::bytea[]) cell"
        " where position(cell in identifiers) > 0",
        {"cells": list(cells)},
    )


def lost(ledger: Ledger, run: int, campaign: int) -> int:
    """How many of the campaign's users left the audience because the run's replace had to go without their rows."""
    return ledger.number(
        "select count(distinct m.user_id) from audiences.refused_row r"
        " join audiences.member m on m.audience_id = r.audience_id and m.identifiers = r.identifiers"
        " where r.run_id = %(run)s and m.removed_run = %(run)s and m.campaign_id = %(campaign)s and m.present",
        {"run": run, "campaign": campaign},
    )


def _quarantine(ledger: Ledger, chunk: Chunk, bad: Mapping[bytes, str]) -> None:
    for row, reason in bad.items():
        ledger.sql.execute(
            "insert into audiences.refused_row (audience_id, identifiers, reason, run_id) values (%s, %s, %s, %s)"
            " on conflict (audience_id, identifiers) do update set reason = excluded.reason, run_id = excluded.run_id",
            (chunk.audience, row, reason, chunk.run),
        )


def quarantined(ledger: Ledger, audience: int, at: datetime) -> pa.Table:
    """The rows (`identifiers`) in quarantine at that time, since Facebook refused them within TRIED_AGAIN_AFTER."""
    import pyarrow as pa

    since, schema = (at - TRIED_AGAIN_AFTER).isoformat(), pa.schema([("identifiers", pa.binary())])
    query = (
        "select identifiers from audiences.refused_row join audiences.run r on r.id = run_id"  # noqa: S608  # a number and a time
        f" where refused_row.audience_id = {int(audience)} and r.assigned_at > timestamptz '{since}'"
    )
    # Of most audiences there are none, and a connection for many rows takes as long to open as a small run's plan.
    return ledger.read(query, schema) if ledger.holds(f"select exists ({query})") else schema.empty_table()
