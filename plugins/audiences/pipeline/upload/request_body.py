"""The body of an upload request, made from the staged rows of a planned one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from audiences.errors import RefusedError
from audiences.facebook import audience_members as facebook_members
from audiences.ledger.chunk_states import RequestState
from audiences.pipeline.staging import Staging
from audiences.what.erased import NOBODY
from audiences.what.payload import Payload, payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from audiences.facebook.audience_members import BatchStep, JsonRows
    from audiences.ledger.chunk_states import Chunk
    from audiences.pipeline.staging import Footers
    from audiences.what.erased import Erased


@dataclass(frozen=True, slots=True)
class RequestPayload:
    """Rows of a request, and the body they make."""

    schema: tuple[str, ...]
    rows: JsonRows
    body: bytes


def staged(chunk: Chunk, erased: Erased, *, footers: Footers | None = None) -> pa.Table:
    """The changes that hang on the request, as CHANGES; nobody who is among the `erased` by now is uploaded.

    `footers` are kept between the requests of one upload, which read from the same file.
    """
    footers = {} if footers is None else footers
    after = chunk.first_row + chunk.rows
    changes = Staging(chunk.staging).between(chunk.file, chunk.first_row, after, footers=footers)
    return changes if chunk.action == "remove" else without(changes, erased)


def perhaps_carried_out(chunk: Chunk, erased: Erased) -> pa.Table:
    """The changes that an earlier try may have made: of a request that has left before, also of whoever was erased since.

    Who is in an audience unknown to the ledger is taken out by no run, and found by no erasure.
    """
    return staged(chunk, NOBODY if chunk.state is RequestState.SENDING else erased)


def without(changes: pa.Table, erased: Erased) -> pa.Table:
    """The changes that concern nobody who was erased."""
    if not erased.digests:
        return changes
    users, rows = (changes.column(name).combine_chunks() for name in ("user_id", "identifiers"))
    return changes.filter(pc.invert(erased.among(users, rows)))


def _distinct(changes: pa.Table) -> pa.Array:
    """The different rows of the changes: those of two changes are the same where their position is, by which they come."""
    rows, position = changes.column("identifiers"), changes.column("position")
    if not position.null_count and pc.all(pc.less(position[:-1], position[1:])).as_py():
        return rows.combine_chunks()
    return rows.unique()


def request_payload(changes: pa.Table, schema: Sequence[str], *, step: BatchStep | None = None) -> RequestPayload:
    """The request for these changes; raises RefusedError for what must not leave."""
    if not changes.num_rows:
        what = "everybody in it was erased after it was planned"
        raise RefusedError(what)
    ready: Payload = payload(_distinct(changes), schema)
    rows = facebook_members.JsonRows(ready.rows, ready.count)
    try:
        body = facebook_members.upload_body(ready.schema, rows, step=step)
    except ValueError as error:  # the last look before sending found something that must not leave
        raise RefusedError(what=str(error)) from error
    # The body has the rows now, and several requests are under way at a time: of the rows only their number is kept.
    return RequestPayload(ready.schema, facebook_members.JsonRows((), ready.count), body)
