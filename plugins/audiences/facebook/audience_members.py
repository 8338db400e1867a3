"""Members of an audience: add, remove, replace, remove everywhere. Rows are lists of normalised, hashed cells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from audiences.campaign.wording import counted
from audiences.errors import RefusedError
from audiences.facebook.answers import ErasedAnswer, SessionAnswer, Uploaded
from audiences.facebook.contract import MAX_ROWS, RECEIVED_SHARE
from audiences.facebook.graph_errors import NotReceivedError, RowsRefusedError
from audiences.logs import logger

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from audiences.facebook.session import GraphSession
    from audiences.facebook.values import Json


@dataclass(frozen=True, slots=True)
class JsonRows:
    """Rows that are JSON already, for callers who have a faster way than cell by cell.

    The `parts` one after the other are arrays with commas between them.
    """

    parts: Sequence[ReadableBuffer]
    count: int

    def __len__(self) -> int:
        return self.count


Rows = Sequence[Sequence[str]] | JsonRows

# Refusals for what the rows hold, where a half of them may pass: "does not match schema", and too many.
_ROW_FAULTS = frozenset({(100, None), (1, 99)})
_EMPTY_HASH = hashlib.sha256(b"").hexdigest().encode()
_log = logger(__name__)
_COUNT_TRIES = 2  # for an answer that counts far fewer rows than were sent


@dataclass(frozen=True, slots=True)
class BatchStep:
    """Where a request stands in an upload session: `sequence` counts from 1, nothing may follow the `last` one.

    `session_id` is chosen by us: positive, 63 bits, unique in the ad account. `total` is an estimate of all rows.
    """

    session_id: int
    sequence: int
    last: bool
    total: int | None = None

    def as_json(self) -> Json:
        """The `session` object of the request."""
        step: Json = {"session_id": self.session_id, "batch_seq": self.sequence, "last_batch_flag": self.last}
        return step if self.total is None else {**step, "estimated_num_total": self.total}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Facebook acknowledged: received, not matched.

    `received` is cumulative within an upload session: take the largest, not the sum. `invalid` is Facebook's
    approximate count of malformed rows, `samples` the number of examples it gave (which are not kept, as they may quote
    the rows).
    """

    audience_id: str
    rows: int
    received: int
    invalid: int
    samples: int
    session_id: int | None = None


@dataclass(frozen=True, slots=True)
class UploadSession:
    """A session as Facebook lists it. `stage` is free text ("uploading" and others); -1 matched means not known yet."""

    session_id: int | None
    stage: str
    received: int | None
    matched: int | None
    invalid: int | None
    started: int | None
    ended: int | None


def counts_as_complete(received: int, invalid: int, rows: int) -> bool:
    """Whether that many rows received, or taken for invalid, say that all `rows` have arrived."""
    return received + invalid > 0 and received + invalid >= RECEIVED_SHARE * rows


def session_id_for(*parts: str) -> int:
    """A session id that is the same for the same parts. Include the attempt: an ended session cannot be reopened."""
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return (int.from_bytes(digest[:8], "big") & (2**63 - 1)) or 1


def upload_body(schema: Sequence[str], rows: Rows, *, step: BatchStep | None = None) -> bytes:
    """The JSON body of one upload. The schema is always sent as a list, since an audience keeps the kind it began with.

    Raises ValueError for no rows or more than 10,000, and, as the last line of defence, when anything looks like a raw
    e-mail address or the hash of nothing.
    """
    if not 1 <= len(rows) <= MAX_ROWS:
        message = f"an upload takes 1 to {MAX_ROWS} rows, not {len(rows)}"
        raise ValueError(message)
    parts = rows.parts if isinstance(rows, JsonRows) else [orjson.dumps(rows)[1:-1]]
    content: Json = {"payload": {"schema": list(schema), "data": []}}
    if step:
        content["session"] = step.as_json()
    before, here, after = orjson.dumps(content).partition(b'"data":[')
    body = b"".join((before, here, *parts, after))  # the rows are copied once
    if b"@" in body:
        message = "an upload holds an `@`: identifiers must be normalised and hashed before"
        raise ValueError(message)
    if _EMPTY_HASH in body:
        message = "an upload holds the hash of an empty value: unknown cells are empty strings"
        raise ValueError(message)
    return body


def add(
    graph: GraphSession,
    audience_id: str,
    schema: Sequence[str],
    rows: Rows,
    *,
    step: BatchStep | None = None,
    body: bytes | None = None,
) -> Receipt:
    """Add members. Sending the same rows again is harmless, so a lost answer is simply tried again.

    `body` is what `upload_body` made of the same arguments, for callers that prepare it ahead.
    Raises RowsRefusedError when the rows are at fault, NotReceivedError, and the errors of GraphSession.call.
    """
    content = body or upload_body(schema, rows, step=step)
    action = f"add {counted(len(rows), 'row')} to audience {audience_id}"
    send = _send if step else _send_counted
    return send(graph, "POST", f"{audience_id}/users", content, audience_id, len(rows), action)


def remove(
    graph: GraphSession,
    audience_id: str,
    schema: Sequence[str],
    rows: Rows,
    *,
    step: BatchStep | None = None,
    body: bytes | None = None,
) -> Receipt:
    """Remove members; those who are not in count as received too. Safe to repeat.

    Raises AudienceTooSmallError when too few would be left, RowsRefusedError, NotReceivedError, and the errors of
    GraphSession.call.
    """
    content = body or upload_body(schema, rows, step=step)
    action = f"remove {counted(len(rows), 'row')} from audience {audience_id}"
    send = _send if step else _send_counted
    return send(graph, "DELETE", f"{audience_id}/users", content, audience_id, len(rows), action)


def replace(
    graph: GraphSession,
    audience_id: str,
    schema: Sequence[str],
    rows: Rows,
    *,
    step: BatchStep,
    body: bytes | None = None,
) -> Receipt:
    """One batch of a replace session. Batch 1 goes alone and first, and is never sent twice.

    Raises ReplaceBrokenError when a new session must be started, AudienceBusyError when another replace is running.
    When batch 1 ends in FacebookTransientError, it is unknown whether the session was opened: start a new one, which
    may have to wait for the old one to end.
    """
    content = body or upload_body(schema, rows, step=step)
    action = f"replace audience {audience_id}, batch {step.sequence} with {counted(len(rows), 'row')}"
    path = f"{audience_id}/usersreplace"
    return _send(graph, "POST", path, content, audience_id, len(rows), action, repeatable=step.sequence != 1)


def remove_from_all(graph: GraphSession, schema: Sequence[str], rows: Rows) -> Receipt:
    """Remove people from every list audience of the session's ad account (an erasure); raises as `remove` does."""
    account = graph.credentials.account_id
    action = f"remove {counted(len(rows), 'row')} from all audiences of {account}"
    path = f"{account}/usersofanyaudience"
    return _send_counted(
        graph, "DELETE", path, upload_body(schema, rows), account, len(rows), action, reads=ErasedAnswer
    )


def upload_sessions(graph: GraphSession, audience_id: str, session_id: int | None = None) -> list[UploadSession]:
    """The upload sessions of an audience, or the one of that id. Facebook sends every value as text."""
    params = {} if session_id is None else {"session_id": str(session_id)}
    action = f"list the upload sessions of audience {audience_id}"
    return [
        UploadSession(
            session_id=item.session_id,
            stage=item.stage,
            received=item.num_received,
            matched=item.num_matched,
            invalid=item.num_invalid_entries,
            started=item.start_time,
            ended=item.end_time,
        )
        for item in graph.pages(f"{audience_id}/sessions", params, action=action, of=SessionAnswer)
    ]


def _send_counted(
    graph: GraphSession,
    method: str,
    path: str,
    body: bytes,
    target: str,
    rows: int,
    action: str,
    *,
    reads: type[Uploaded] = Uploaded,
) -> Receipt:
    """Send a request without a session; once more when Facebook's count, which is of its own rows, is far too small."""
    for _ in range(_COUNT_TRIES):
        receipt = _send(graph, method, path, body, target, rows, action, reads=reads)
        if counts_as_complete(receipt.received, receipt.invalid, rows):
            return receipt
        what = f"{action}: Facebook says that it received {receipt.received:,} of them"
        _log.warning("%s", what)
    raise NotReceivedError(what, after_unknown=True)


def _send(
    graph: GraphSession,
    method: str,
    path: str,
    body: bytes,
    target: str,
    rows: int,
    action: str,
    *,
    repeatable: bool = True,
    reads: type[Uploaded] = Uploaded,
) -> Receipt:
    try:
        answer = graph.call(method, path, body=body, action=action, reads=reads, repeatable=repeatable, lags=repeatable)
    except RefusedError as error:
        if (error.code, error.subcode or None) in _ROW_FAULTS:
            reason = error.what.removeprefix(f"{action}: ")
            raise RowsRefusedError(error.what, error.code, error.subcode, error.trace, reason) from None
        raise
    return Receipt(
        # A replace answers with account_id instead on one page of the documentation; what we asked for is certain.
        audience_id=target,
        rows=rows,
        received=rows if answer.num_received is None else answer.num_received,
        invalid=answer.num_invalid_entries or 0,
        samples=_size(answer.invalid_entry_samples),
        session_id=answer.session_id or None,
    )


def _size(samples: Any) -> int:
    """A map of examples, or `[]` when there is none."""
    return len(samples) if isinstance(samples, (dict, list)) else 0
