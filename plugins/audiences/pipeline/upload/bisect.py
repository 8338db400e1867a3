"""Bisection of a request that Facebook refused for its rows: its halves are sent again until the rows at fault are alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from audiences.facebook.graph_errors import RowsRefusedError
from audiences.ledger import chunks, rejected_rows, replace_sessions, request_counts
from audiences.logs import logger
from audiences.pipeline.upload.request_body import staged

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from audiences.ledger.chunk_states import Chunk, PlannedRequest
    from audiences.ledger.database import Ledger
    from audiences.ledger.replace_sessions import ReplaceSession
    from audiences.what.erased import Erased

# One bad row among 10,000 takes 14 halvings, so 28 requests; each further one some 20 more. A thousand find about 50 of them
# and are a fifth of what an ad account with limited access may call in an hour, half a percent with full access.
MOST_PARTS_A_RUN = 1_000
# Sixty parts of a request refused and none taken: then more than one row in a hundred is bad, or it is not the rows at all.
HOPELESS_AFTER = 60
_log = logger(__name__)


def halve(ledger: Ledger, chunk: Chunk, error: RowsRefusedError, erased: Erased) -> list[Chunk]:
    """The halves to send in place of the request; none where a single row is at fault or the search is given up.

    Either way it is on record; `erased` is what it was sent without. The whole search costs at most 2 · log2(rows) requests
    for each bad row.
    """
    if chunk.rows == 1:
        (row,) = staged(chunk, erased).column("identifiers").unique().to_pylist()
        _log.warning("row %s of request %s (%s) was refused: %s", chunk.first_row, chunk.number, chunk.action, error)
        rejected_rows.refuse(
            ledger, chunk, reason=error.reason, error=str(error), identifiers=[row] if chunk.action == "add" else []
        )
        return []
    if _worth_it(ledger, chunk):
        _log.info("request %s (%s) was refused for what its rows hold; sending its halves", chunk.number, chunk.action)
        return chunks.split(ledger, chunk, error=str(error))
    _log.warning("request %s (%s): %s rows were refused: %s", chunk.number, chunk.action, f"{chunk.rows:,}", error)
    rejected_rows.refuse(ledger, chunk, reason=error.reason, error=str(error))
    return []


def rows_at_fault(rows: pa.Table, send: Callable[[pa.Table], object]) -> dict[bytes, str]:
    """Send the halves of refused rows, and theirs, until those at fault are alone; these (packed) with their reasons.

    For a request of which nothing is put on record part by part. Raises RowsRefusedError when the search is given up.
    """
    waiting, bad, refused, taken = _halves(rows), dict[bytes, str](), 0, 0
    while waiting:
        part = waiting.pop()
        try:
            send(part)
            taken += 1
        except RowsRefusedError as error:
            refused += 1
            halves = _halves(part)
            if len(halves) == 1:
                bad[part.column("identifiers")[0].as_py()] = error.reason
            elif (refused >= HOPELESS_AFTER and not taken) or refused + taken >= MOST_PARTS_A_RUN:
                raise
            else:
                waiting += halves
    return bad


def other_opening(
    ledger: Ledger, session: ReplaceSession, error: RowsRefusedError, erased: Erased
) -> list[PlannedRequest]:
    """The requests of a replace whose first one was refused for its rows, with a half of those to open it.

    Nothing is open at Facebook then. A single row at fault is quarantined, and the other requests go on without it. Empty when
    nothing is left, or when the search is given up. Either way it is on record.
    """
    first, *others = chunks.of_session(ledger, session.id)
    if first.rows > 1 and session.attempt >= HOPELESS_AFTER:
        replace_sessions.refused(ledger, session, first, error=str(error))
        return []
    parts: list[PlannedRequest] = []
    if first.rows > 1:
        _log.info("the first batch of the replace was refused for what its rows hold; trying a half of it")
        chunks.cut(ledger, first, error=str(error))
        half = first.rows // 2
        whole = replace_sessions.request_of(first)
        parts = [replace(whole, rows=half), replace(whole, first_row=first.first_row + half, rows=first.rows - half)]
    else:
        rows = staged(first, erased).column("identifiers").unique().to_pylist()
        rejected_rows.refuse(ledger, first, reason=error.reason, error=str(error), identifiers=rows)
    replace_sessions.drop(ledger, session, error=str(error))
    return [*parts[:1], *map(replace_sessions.request_of, others), *parts[1:]]


def _halves(rows: pa.Table) -> list[pa.Table]:
    """Two parts with different rows each, or all in one where there is a single row, whoever shares it."""
    distinct = rows.column("identifiers").unique()
    if len(distinct) < 2:
        return [rows]
    first = pc.is_in(rows.column("identifiers"), distinct.slice(0, len(distinct) // 2))
    return [rows.filter(first), rows.filter(pc.invert(first))]


def _worth_it(ledger: Ledger, chunk: Chunk) -> bool:
    parts = request_counts.parts(ledger, chunk)
    hopeless = parts.refused >= HOPELESS_AFTER and not parts.taken
    return not hopeless and parts.in_all + 2 <= MOST_PARTS_A_RUN
