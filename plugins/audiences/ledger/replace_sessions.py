"""Replace sessions on record: the whole set of an audience, sent in several requests, which counts only when it has ended.

Between the first request of a session and its end, and after one that broke, nobody knows what the audience holds at
Facebook; the members on record are those of before until a session has ended right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger import chunks, members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pyarrow as pa

    from audiences.ledger.chunks import Chunk, Planned
    from audiences.ledger.database import Ledger

FEWEST_MEASURED = 10  # requests; fewer say nothing about how long they take
LAST_MEASURED = 200


@dataclass(frozen=True, slots=True)
class ReplaceSession:
    """A session on record. `facebook_id` is the id we gave it at Facebook, `staging` the folder of its run."""

    id: int
    run: int
    audience: int
    attempt: int
    facebook_id: int
    schema: tuple[str, ...]
    closing: str
    state: str
    staging: str


_SELECT = (
    "select s.id, s.run_id as run, s.audience_id as audience, s.attempt, s.facebook_id, s.schema, s.closing, s.state, r.staging"
    " from audiences.upload_session s join audiences.run r on r.id = s.run_id"
)


def plan(
    ledger: Ledger,
    *,
    run: int,
    audience: int,
    schema: Sequence[str],
    closing: str,
    planned: Sequence[Planned],
    id_of: Callable[[int], int],
) -> None:
    """Put a session and its requests on record, in place of what an interrupted attempt of the run planned.

    `closing` is the staged file of the memberships that change at its end, besides those that begin with its rows;
    `id_of` makes the session's id at Facebook from the number of the attempt, counted from 1.
    """
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.upload_session set state = case state when 'open' then 'broken' else 'dropped' end"
            " where run_id = %s and state in ('planned', 'open')",
            (run,),
        )
        ledger.sql.execute(
            "update audiences.chunk set state = 'dropped' where run_id = %s and state in ('planned', 'sending')", (run,)
        )
        last = ledger.one(
            "select coalesce(max(attempt), 0) as n from audiences.upload_session where run_id = %(run)s", {"run": run}
        )
        attempt = int(last.n) + 1
        row = ledger.one(
            "insert into audiences.upload_session (run_id, audience_id, attempt, facebook_id, schema, closing)"
            " values (%(run)s, %(audience)s, %(attempt)s, %(facebook_id)s, %(schema)s, %(closing)s) returning id",
            {
                "run": run,
                "audience": audience,
                "attempt": attempt,
                "facebook_id": id_of(attempt),
                "schema": list(schema),
                "closing": closing,
            },
        )
        chunks.plan(ledger, run=run, audience=audience, planned=planned, session=int(row.id))


def again(
    ledger: Ledger,
    session: ReplaceSession,
    *,
    id_of: Callable[[int], int],
    planned: Sequence[Planned] | None = None,
) -> ReplaceSession:
    """The same session under a new id, nothing sent of it: an id that has been used cannot be used again.

    `planned` are its requests, where they are not to be the same.
    """
    if planned is None:
        planned = [request_of(chunk) for chunk in chunks.of_session(ledger, session.id)]
    plan(
        ledger,
        run=session.run,
        audience=session.audience,
        schema=session.schema,
        closing=session.closing,
        planned=planned,
        id_of=id_of,
    )
    found = to_send(ledger, session.run)
    if found is None:  # deleted in between by a hand on the database
        message = f"the session of run {session.run} vanished from the ledger while it was being recorded"
        raise RuntimeError(message)
    return found


def request_of(chunk: Chunk) -> Planned:
    """The request of a session, to be planned once more."""
    return chunks.Planned(action=chunk.action, file=chunk.file, first_row=chunk.first_row, rows=chunk.rows)


def to_send(ledger: Ledger, run: int) -> ReplaceSession | None:
    """The session that the run still has to begin or to carry through."""
    found = _all(ledger, "s.run_id = %(id)s and s.state in ('planned', 'open')", run)
    return found[-1] if found else None


def unfinished(ledger: Ledger, audience: int) -> list[ReplaceSession]:
    """Sessions that began and of whose end nothing is known, of any run."""
    return _all(ledger, "s.audience_id = %(id)s and s.state = 'open'", audience)


def opened(ledger: Ledger, session: ReplaceSession, first: Chunk) -> None:
    """Say on record that the first request is about to leave."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.upload_session set state = 'open', opened_at = now() where id = %s", (session.id,)
        )
        chunks.sending(ledger, first)


def not_opened(ledger: Ledger, session: ReplaceSession, first: Chunk) -> None:
    """Record that the first request certainly came to nothing."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.upload_session set state = 'planned', opened_at = null where id = %s", (session.id,)
        )
        chunks.unsend(ledger, first)


def refused(ledger: Ledger, session: ReplaceSession, first: Chunk, *, error: str) -> None:
    """Record that Facebook refused the first request for good, and with it the session; the audience is as before."""
    with ledger.sql.transaction():
        chunks.refuse(ledger, first, error=error)
        drop(ledger, session, error=error)


def drop(ledger: Ledger, session: ReplaceSession, *, error: str) -> None:
    """Record that the session was never opened, and that nothing more is sent of it."""
    with ledger.sql.transaction():
        _over(ledger, session, "dropped", error)
        ledger.sql.execute(
            "update audiences.chunk set state = 'dropped' where session = %s and state = 'planned'", (session.id,)
        )


def broken(ledger: Ledger, run: int) -> int:
    """How many sessions of the run broke."""
    found = ledger.one(
        "select count(*) as n from audiences.upload_session where run_id = %(run)s and state = 'broken'", {"run": run}
    )
    return int(found.n)


def invalid(ledger: Ledger, session: ReplaceSession) -> int:
    """How many rows of the requests that were acknowledged so far Facebook took for invalid."""
    found = ledger.one(
        "select coalesce(sum(invalid), 0)::int as n from audiences.chunk where session = %(session)s",
        {"session": session.id},
    )
    return int(found.n)


def broke(ledger: Ledger, session: ReplaceSession, *, error: str) -> None:
    """Record that the session is over and not known to have ended right."""
    _over(ledger, session, "broken", error)


def end(
    ledger: Ledger, session: ReplaceSession, last: Chunk, *, received: int, invalid: int, changes: Iterable[pa.Table]
) -> None:
    """Record in one transaction that the session ended right and what that changes among the members.

    The tables of `changes` have the columns that `members.write` takes, and `gone`; ends come before beginnings.
    """
    begun = gone = 0
    with ledger.bulk.cursor() as cursor:
        for part in changes:
            members.write(cursor, audience=session.audience, run=session.run, changes=part)
            begins, goes = chunks.count(part)
            begun, gone = begun + begins, gone + goes
        cursor.execute(
            "update audiences.chunk set acknowledged_at = now(), received = $1, invalid = $2, begun = $3, gone = $4,"
            " state = case state when 'refused' then state else 'acknowledged' end where id = $5",
            (received, invalid, begun, gone, last.id),
        )
        cursor.execute(
            "update audiences.upload_session set state = 'ended', ended_at = now(), error = null where id = $1",
            (session.id,),
        )
        # Whatever was in doubt: the audience holds this set now. Unless the doubt is younger than the session, as with one that
        # a restored ledger takes for open and that ended long ago.
        cursor.execute(
            "update audiences.audience set in_doubt = null, in_doubt_since = null where id = $1"
            " and in_doubt_since <= (select opened_at from audiences.upload_session where id = $2)",
            (session.audience, session.id),
        )
        cursor.execute(
            "update audiences.chunk set doubtful = false where audience_id = $1 and doubtful", (session.audience,)
        )
    ledger.bulk.commit()


def seconds_left(ledger: Ledger, audience: int, *, window: float) -> float:
    """How long Facebook, which ends a session after `window` seconds, may still keep one of ours open; 0: no longer."""
    row = ledger.one(
        "select extract(epoch from max(opened_at) - now()) as seconds from audiences.upload_session"
        " where audience_id = %(audience)s and state in ('open', 'broken')",
        {"audience": audience},
    )
    return max(0.0, float(row.seconds) + window) if row.seconds is not None else 0.0


def seconds_per_request(ledger: Ledger, ad_account: str, *, rows: int) -> float | None:
    """How long one of ten of the account's last requests with at least that many rows took, or longer; None: too few."""
    row = ledger.one(
        """
        select count(*) as n, percentile_cont(0.9) within group (order by seconds) as seconds from (
            select extract(epoch from c.acknowledged_at - c.sent_at) as seconds
            from audiences.chunk c join audiences.audience a on a.id = c.audience_id
            where a.ad_account = %(account)s and c.state = 'acknowledged' and c.rows >= %(rows)s and c.tries = 1
            order by c.id desc limit %(last)s
        ) latest
        """,
        {"account": ad_account, "rows": rows, "last": LAST_MEASURED},
    )
    return float(row.seconds) if row is not None and row.n >= FEWEST_MEASURED else None


def _all(ledger: Ledger, where: str, number: int) -> list[ReplaceSession]:
    rows = ledger.all(f"{_SELECT} where {where} order by s.id", {"id": number})
    return [ReplaceSession(**{**row._asdict(), "schema": tuple(row.schema)}) for row in rows]


def _over(ledger: Ledger, session: ReplaceSession, state: str, error: str) -> None:
    ledger.sql.execute(
        "update audiences.upload_session set state = %s, ended_at = now(), error = %s where id = %s",
        (state, error, session.id),
    )
