"""Replace sessions on record: the whole set of an audience, sent in several requests, which counts only when it has ended.

Between the first request of a session and its end, and after one that broke, nobody knows what the audience holds at
Facebook; the members on record are those of before until a session has ended right.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from audiences.ledger import audiences_in_doubt, chunks, member_changes, receipts, requests_in_doubt
from audiences.ledger.chunk_states import PlannedRequest, RequestState
from audiences.ledger.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.database import Ledger

FEWEST_MEASURED = 10  # requests; fewer say nothing about how long they take
LAST_MEASURED = 200


class SessionState(StrEnum):
    """State of a replace session; see the comment on the column `upload_session.state`."""

    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"
    BROKEN = "broken"
    DROPPED = "dropped"


TRANSITIONS: Final = Transitions(
    "upload_session",
    "replace session",
    {
        SessionState.PLANNED: frozenset({SessionState.OPEN, SessionState.DROPPED}),
        # Planned again, or dropped, where its first request certainly came to nothing.
        SessionState.OPEN: frozenset(SessionState) - {SessionState.OPEN},
        SessionState.ENDED: frozenset(),
        SessionState.BROKEN: frozenset(),
        SessionState.DROPPED: frozenset(),
    },
)
OF_UNKNOWN_FATE: Final = (SessionState.OPEN, SessionState.BROKEN)
"""Facebook may still keep it open, and nobody knows what the audience holds."""
_TO_SEND = (SessionState.PLANNED, SessionState.OPEN)


@dataclass(frozen=True, slots=True)
class ReplaceSession:
    """A session on record. `facebook_id` is the id we gave it at Facebook, `campaign` and `staging` (a folder) are its run's."""

    id: int
    run: int
    campaign: int
    audience: int
    attempt: int
    facebook_id: int
    schema: tuple[str, ...]
    closing: str
    state: SessionState
    staging: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", SessionState(self.state))


_SELECT = (
    "select s.id, s.run_id as run, r.campaign_id as campaign, s.audience_id as audience, s.attempt, s.facebook_id, s.schema,"
    " s.closing, s.state, r.staging"
    " from audiences.upload_session s join audiences.run r on r.id = s.run_id"
)


def plan(
    ledger: Ledger,
    *,
    run: int,
    audience: int,
    schema: Sequence[str],
    closing: str,
    planned: Sequence[PlannedRequest],
    id_of: Callable[[int], int],
) -> None:
    """Put a session and its requests on record, in place of what an interrupted attempt of the run planned.

    `closing` is the staged file of the memberships that change at its end, besides those that begin with its rows;
    `id_of` makes the session's id at Facebook from the number of the attempt, counted from 1.
    """
    with ledger.sql.transaction():
        _give_up(ledger, "run_id = %(run)s", {"run": run})
        chunks.drop_of_run(ledger, run)
        attempt = 1 + ledger.number(
            "select max(attempt) from audiences.upload_session where run_id = %(run)s", {"run": run}
        )
        session = ledger.number(
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
        chunks.plan(ledger, run=run, audience=audience, planned=planned, session=session)


def again(
    ledger: Ledger,
    session: ReplaceSession,
    *,
    id_of: Callable[[int], int],
    planned: Sequence[PlannedRequest] | None = None,
    closing: str | None = None,
) -> ReplaceSession:
    """The same session under a new id, nothing sent of it: an id that has been used cannot be used again.

    `planned` are its requests and `closing` its file, as `plan` takes them, where they are not to be the same.
    """
    if planned is None:
        planned = [request_of(chunk) for chunk in chunks.of_session(ledger, session.id)]
    plan(
        ledger,
        run=session.run,
        audience=session.audience,
        schema=session.schema,
        closing=closing or session.closing,
        planned=planned,
        id_of=id_of,
    )
    found = to_send(ledger, session.run)
    if found is None:  # deleted in between by a hand on the database
        message = f"the session of run {session.run} vanished from the ledger while it was being recorded"
        raise RuntimeError(message)
    return found


def request_of(chunk: Chunk) -> PlannedRequest:
    """The request of a session, to be planned once more."""
    return PlannedRequest(action=chunk.action, file=chunk.file, first_row=chunk.first_row, rows=chunk.rows)


def to_send(ledger: Ledger, run: int) -> ReplaceSession | None:
    """The session that the run still has to begin or to carry through."""
    found = _all(ledger, "s.run_id = %(id)s and s.state = any(%(states)s)", run, _TO_SEND)
    return found[-1] if found else None


def unfinished(ledger: Ledger, audience: int) -> list[ReplaceSession]:
    """Sessions that began and of whose end nothing is known, of any run."""
    return _all(ledger, "s.audience_id = %(id)s and s.state = any(%(states)s)", audience, [SessionState.OPEN])


def opened(ledger: Ledger, session: ReplaceSession, first: Chunk) -> None:
    """Record that the first request is about to be sent."""
    with ledger.sql.transaction():
        TRANSITIONS.move(ledger, session.id, SessionState.OPEN, "opened_at = now()")
        chunks.sending(ledger, first)


def not_opened(ledger: Ledger, session: ReplaceSession, first: Chunk) -> None:
    """Record that the first request certainly had no effect."""
    with ledger.sql.transaction():
        TRANSITIONS.move(ledger, session.id, SessionState.PLANNED, "opened_at = null")
        chunks.unsend(ledger, first)


def refused(ledger: Ledger, session: ReplaceSession, first: Chunk, *, error: str) -> None:
    """Record that Facebook refused the first request for good, and with it the session; the audience is as before."""
    with ledger.sql.transaction():
        chunks.refuse(ledger, first, error=error)
        drop(ledger, session, error=error)


def drop(ledger: Ledger, session: ReplaceSession, *, error: str) -> None:
    """Record that the session was never opened, and that nothing more is sent of it."""
    with ledger.sql.transaction():
        _over(ledger, session, SessionState.DROPPED, error)
        chunks.drop_of_session(ledger, session.id)


def drop_planned(ledger: Ledger, audience: int) -> None:
    """Give up the sessions of an audience, of any run, that were never opened: a new difference is due."""
    ledger.sql.execute(
        "update audiences.upload_session set state = %(dropped)s where audience_id = %(audience)s and state = %(planned)s",
        {"audience": audience, "planned": SessionState.PLANNED, "dropped": SessionState.DROPPED},
    )


def drop_of_audience(ledger: Ledger, audience: int) -> None:
    """Give up the sessions of an audience that is no longer there."""
    _give_up(ledger, "audience_id = %(audience)s", {"audience": audience})


def broken(ledger: Ledger, run: int) -> int:
    """How many sessions of the run broke."""
    return ledger.number(
        "select count(*) from audiences.upload_session where run_id = %(run)s and state = %(broken)s",
        {"run": run, "broken": SessionState.BROKEN},
    )


def invalid(ledger: Ledger, session: ReplaceSession) -> int:
    """How many rows of the requests that were acknowledged so far Facebook took for invalid."""
    return ledger.number(
        "select sum(invalid)::int from audiences.chunk where session = %(session)s", {"session": session.id}
    )


def broke(ledger: Ledger, session: ReplaceSession, *, error: str) -> None:
    """Record that the session is broken: over, and not known to have ended right."""
    _over(ledger, session, SessionState.BROKEN, error)


def end(
    ledger: Ledger, session: ReplaceSession, last: Chunk, *, received: int, invalid: int, changes: Iterable[pa.Table]
) -> None:
    """Record in one transaction that the session ended right and what that changes among the members.

    The tables of `changes` have the columns that `member_changes.record` takes, and `gone`; ends come before beginnings.
    """
    begun = gone = 0
    with ledger.asynchronous_commit():
        for part in changes:
            member_changes.record(ledger, audience=session.audience, run=session.run, changes=part)
            begins, goes = member_changes.count(part)
            begun, gone = begun + begins, gone + goes
        receipts.end_session(ledger, last, received=received, invalid=invalid, begun=begun, gone=gone)
        requests_in_doubt.end_of_audience(ledger, session.audience)
        TRANSITIONS.move(ledger, session.id, SessionState.ENDED, "ended_at = now(), error = null")
        audiences_in_doubt.end_by_session(ledger, session.audience, session=session.id)


def seconds_left(ledger: Ledger, audience: int, *, window: float) -> float:
    """How long Facebook, which ends a session after `window` seconds, may still keep one of ours open; 0: no longer."""
    passed = ledger.value(
        float,
        "select extract(epoch from max(opened_at) - now())::float8 from audiences.upload_session"
        " where audience_id = %(audience)s and state = any(%(states)s)",
        {"audience": audience, "states": list(OF_UNKNOWN_FATE)},
    )
    return 0.0 if passed is None else max(0.0, passed + window)


def seconds_per_request(ledger: Ledger, ad_account: str, *, rows: int) -> float | None:
    """90th percentile of the seconds that the account's last requests of at least that many rows took; None: too few."""
    return ledger.value(
        float,
        """
        select case when count(*) >= %(fewest)s then percentile_cont(0.9) within group (order by seconds) end from (
            select extract(epoch from c.acknowledged_at - c.sent_at)::float8 as seconds
            from audiences.chunk c join audiences.audience a on a.id = c.audience_id
            where a.ad_account = %(account)s and c.state = %(acknowledged)s and c.rows >= %(rows)s and c.tries = 1
            order by c.id desc limit %(last)s
        ) latest
        """,
        {
            "account": ad_account,
            "rows": rows,
            "last": LAST_MEASURED,
            "fewest": FEWEST_MEASURED,
            "acknowledged": RequestState.ACKNOWLEDGED,
        },
    )


def _all(ledger: Ledger, where: str, number: int, states: Sequence[SessionState]) -> list[ReplaceSession]:
    return ledger.rows(ReplaceSession, f"{_SELECT} where {where} order by s.id", {"id": number, "states": list(states)})


def _give_up(ledger: Ledger, where: str, values: Mapping[str, object]) -> None:
    """Sessions that began have broken, and those that did not are dropped."""
    for state, to in ((SessionState.OPEN, SessionState.BROKEN), (SessionState.PLANNED, SessionState.DROPPED)):
        ledger.sql.execute(
            f"update audiences.upload_session set state = %(to)s where {where} and state = %(state)s".encode(),  # noqa: S608  # our own text
            {"state": state, "to": to, **values},
        )


def _over(ledger: Ledger, session: ReplaceSession, state: SessionState, error: str) -> None:
    TRANSITIONS.move(ledger, session.id, state, "ended_at = now(), error = %(error)s", error=error)
