"""What tests of the ledger put into it: runs, requests, memberships."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from psycopg.rows import namedtuple_row

from audiences.ledger import chunks, receipts, replace_sessions, runs
from audiences.ledger.chunk_states import PlannedRequest, RequestAction
from audiences.ledger.receipts import Acknowledged

if TYPE_CHECKING:
    from audiences.ledger.chunk_states import Chunk, RequestState
    from audiences.ledger.database import Ledger
    from audiences.ledger.replace_sessions import ReplaceSession

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_COLUMNS = {
    "campaign_id": pa.int32(),
    "user_id": pa.string(),
    "identifiers": pa.binary(),
    "begins": pa.bool_(),
    "present": pa.bool_(),
    "gone": pa.bool_(),
}


def every(ledger: Ledger, query: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    """All rows of a query of the test's own, as named tuples."""
    with ledger.sql.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def one(ledger: Ledger, query: str, parameters: dict[str, Any] | None = None) -> Any:
    """The only row of a query of the test's own."""
    (row,) = every(ledger, query, parameters)
    return row


def start(
    ledger: Ledger, campaign: int, external_id: str = "r1", terms: str = "", *, at: datetime = NOON, staging: str = "/nowhere"
) -> int:  # fmt: skip
    """A run on record that looks at, and is assigned at, that time."""
    return runs.start(
        ledger,
        campaign=campaign,
        external_id=external_id,
        digest="d",
        config={"name": "x"},
        control_terms=terms,
        as_of=at,
        now=at,
        staging=staging,
    )


def changed(*rows: tuple[int, str | None, bytes, bool], present: bool = True) -> pa.Table:
    """Memberships that begin or end: campaign, user, identifiers, whether it begins."""
    listed = [
        dict(zip(_COLUMNS, (*row, present, not row[3]), strict=True)) for row in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=pa.schema(list(_COLUMNS.items())))


def request(
    ledger: Ledger, run: int, audience: int, rows: int = 1, *, action: RequestAction = "add", session: int | None = None
) -> Chunk:  # fmt: skip
    """A request of the run on record that was not sent yet."""
    planned = PlannedRequest(action=action, file=f"{action}-0.parquet", first_row=0, rows=rows)
    chunks.plan(ledger, run=run, audience=audience, planned=[planned], session=session)
    return chunks.of_run(ledger, run)[-1]


def sent(ledger: Ledger, run: int, audience: int, rows: int = 1, *, action: RequestAction = "add") -> Chunk:
    """A request of the run that has left."""
    chunk = request(ledger, run, audience, rows, action=action)
    chunks.sending(ledger, chunk)
    return chunk


def request_states(ledger: Ledger, run: int) -> list[RequestState]:
    """Of the requests of the run, in the order in which they are sent."""
    return [chunk.state for chunk in chunks.of_run(ledger, run)]


def acknowledge(ledger: Ledger, run: int, audience: int, changes: pa.Table) -> None:
    """A request that was sent and came back right, with the memberships that it changed."""
    chunk = sent(ledger, run, audience, changes.num_rows)
    receipts.acknowledge(ledger, Acknowledged(chunk, received=changes.num_rows, invalid=0, changes=changes))


def session(ledger: Ledger, run: int, audience: int, *, requests: int = 2, rows: int = 10) -> ReplaceSession:
    """A replace session of the run that was not begun, in place of an earlier attempt; `rows` are those of a request."""
    replace_sessions.plan(
        ledger,
        run=run,
        audience=audience,
        schema=("EMAIL",),
        closing="closing.parquet",
        planned=[PlannedRequest("replace", "whole.parquet", rows * n, rows) for n in range(requests)],
        id_of=lambda attempt: 1000 + attempt,
    )
    found = replace_sessions.to_send(ledger, run)
    assert found is not None
    return found
