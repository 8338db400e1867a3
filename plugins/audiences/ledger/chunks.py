"""Upload requests on record: planned before they are sent, then refused, postponed, cut in parts or given up.

What Facebook took goes on record in `receipts`, and what it may have carried out in `requests_in_doubt`; these three write the
table `chunk`. What came of the requests of a run is counted in `request_counts`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from audiences.ledger.chunk_states import (
    GIVEN_UP,
    IN_ORDER,
    OF_UNKNOWN_FATE,
    TRANSITIONS,
    UNSENT,
    Chunk,
    PlannedRequest,
    RequestAction,
    RequestState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audiences.ledger.database import Ledger

_COLUMNS = (
    "c.action, c.file, c.first_row, c.rows, c.schema, c.late as deferred,"
    " c.id, c.run_id as run, c.audience_id as audience, c.number, c.state, r.staging, r.staged_on, c.part_of,"
    " c.doubtful as in_doubt"
)
_SELECT = f"select {_COLUMNS} from audiences.chunk c join audiences.run r on r.id = c.run_id"  # noqa: S608  # constants only

# All at once: one by one the hundred requests of a million users take a tenth of a second.
_PLAN = """
insert into audiences.chunk (run_id, audience_id, number, session, action, file, first_row, rows, schema, late)
select %(run)s, %(audience)s, %(first)s + place - 1, %(session)s, action, file, first_row, rows, schema, deferred
from rows from (jsonb_to_recordset(%(planned)s)
    as (action text, file text, first_row bigint, rows integer, schema text[], deferred boolean))
with ordinality as planned (action, file, first_row, rows, schema, deferred, place)
order by place
"""


def plan(
    ledger: Ledger, *, run: int, audience: int, planned: Sequence[PlannedRequest], session: int | None = None
) -> None:
    """Put the requests of a run on record, in place of those that an interrupted attempt planned and never sent.

    `session` is the replace session that they make up.
    """
    common = {"run": run, "audience": audience, "session": session}
    with ledger.sql.transaction():
        ledger.sql.execute(
            f"delete from audiences.chunk c where run_id = %s and (state = %s or {GIVEN_UP})".encode(),  # noqa: S608  # constants only
            (run, RequestState.PLANNED),
        )
        last = ledger.value(int, "select max(number) from audiences.chunk where run_id = %(run)s", {"run": run})
        first = 0 if last is None else last + 1
        ledger.sql.execute(_PLAN, {**common, "first": first, "planned": Jsonb([asdict(each) for each in planned])})


def of_run(
    ledger: Ledger, run: int, *, action: RequestAction | None = None, deferred: bool | None = None
) -> list[Chunk]:
    """The requests of the run, of one action or all, deferred ones, others or all, in the order in which they are sent."""
    return ledger.rows(
        Chunk,
        f"{_SELECT} where c.run_id = %(run)s and c.action = coalesce(%(action)s, c.action)"
        f" and c.late = coalesce(%(late)s, c.late) order by {IN_ORDER}",
        {"run": run, "action": action, "late": deferred},
    )


def of_session(ledger: Ledger, session: int) -> list[Chunk]:
    """The requests of a replace session in their order."""
    return ledger.rows(Chunk, f"{_SELECT} where c.session = %(session)s order by c.number", {"session": session})


def of_unknown_fate(ledger: Ledger, audience: int) -> list[Chunk]:
    """Requests of unknown fate, of any run, in the order of sending: they may have reached Facebook without our knowing."""
    return ledger.rows(
        Chunk,
        f"{_SELECT} where c.audience_id = %(audience)s and {OF_UNKNOWN_FATE} order by {IN_ORDER}",
        {"audience": audience},
    )


def sending(ledger: Ledger, *requests: Chunk) -> None:
    """Record that the requests are about to be sent, all or none. Raises IllegalTransitionError, as all that follow here."""
    numbers = [chunk.id for chunk in requests]
    TRANSITIONS.move_all(ledger, numbers, RequestState.SENDING, "tries = tries + 1, sent_at = now()")


def unsend(ledger: Ledger, chunk: Chunk) -> None:
    """Record that the request certainly had no effect, so that it is still to be sent."""
    TRANSITIONS.move(ledger, chunk.id, RequestState.PLANNED)


def refuse(ledger: Ledger, chunk: Chunk, *, error: str, reason: str = "") -> None:
    """Record that Facebook refused the request for good: as a whole, or for a `reason` that lies in what its rows hold."""
    rejected = Jsonb({reason: chunk.rows} if reason else {})
    TRANSITIONS.move(
        ledger,
        chunk.id,
        RequestState.REFUSED,
        "error = %(error)s, rejected = %(rejected)s",
        error=error,
        rejected=rejected,
    )


def postpone(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Postpone the request, which Facebook does not carry out at present; the next run's difference contains its rows again."""
    TRANSITIONS.move(ledger, chunk.id, RequestState.POSTPONED, "error = %(error)s", error=error)


def lose(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Record that nobody will know whether the request arrived, as its rows are gone."""
    TRANSITIONS.move(ledger, chunk.id, RequestState.LOST, "doubtful = false, error = %(error)s", error=error)


def cut(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Record that the request was refused for what some of its rows hold, and that others take them."""
    TRANSITIONS.move(ledger, chunk.id, RequestState.SPLIT, "error = %(error)s", error=error)


def split(ledger: Ledger, chunk: Chunk, *, error: str) -> list[Chunk]:
    """Put two requests on record in place of one that was refused for its rows: its halves."""
    half = chunk.rows // 2
    ranges = [(chunk.first_row, half), (chunk.first_row + half, chunk.rows - half)]
    with ledger.sql.transaction():
        # Numbers are given out to one process at a time.
        ledger.sql.execute("select 1 from audiences.run where id = %s for update", (chunk.run,))
        cut(ledger, chunk, error=error)
        made = [
            ledger.number(
                "insert into audiences.chunk (run_id, audience_id, number, action, file, schema, late, first_row, rows, part_of)"
                " select run_id, audience_id, (select max(number) + 1 from audiences.chunk where run_id = c.run_id), action,"
                "   file, schema, late, %(first)s, %(rows)s, %(origin)s"
                " from audiences.chunk c where id = %(id)s returning id",
                {"first": first, "rows": rows, "origin": chunk.origin, "id": chunk.id},
            )
            for first, rows in ranges
        ]
    return [part for part in of_run(ledger, chunk.run) if part.id in made]


def drop_planned(ledger: Ledger, audience: int, *, but_run: int) -> None:
    """Give up requests of other runs that were never sent, and what is left of broken sessions: a new difference is due."""
    _drop(
        ledger,
        "audience_id = %(audience)s and run_id <> %(run)s and (state = %(planned)s or session is not null)",
        audience=audience,
        run=but_run,
        planned=RequestState.PLANNED,
    )


def drop_deferred(ledger: Ledger, run: int) -> None:
    """Give up the run's deferred removals: what they were to wait for did not come."""
    _drop(ledger, "run_id = %(run)s and late", [RequestState.PLANNED], run=run)


def drop_of_run(ledger: Ledger, run: int) -> None:
    """Give up what an interrupted attempt of the run left to be sent."""
    _drop(ledger, "run_id = %(run)s", run=run)


def drop_of_session(ledger: Ledger, session: int) -> None:
    """Give up the requests of a replace session that were never sent."""
    _drop(ledger, "session = %(session)s", [RequestState.PLANNED], session=session)


def drop_of_audience(ledger: Ledger, audience: int) -> None:
    """Give up whatever was to be sent to an audience that is no longer there."""
    _drop(ledger, "audience_id = %(audience)s", audience=audience)


def drop_of_campaign(ledger: Ledger, audience: int, *, campaign: int) -> None:
    """Give up whatever the campaign was to send to an audience that is another one's now."""
    whose = "run_id in (select id from audiences.run where campaign_id = %(campaign)s)"
    _drop(ledger, f"audience_id = %(audience)s and {whose}", audience=audience, campaign=campaign)


def _drop(ledger: Ledger, where: str, states: Iterable[RequestState] = UNSENT, **values: object) -> None:
    ledger.sql.execute(
        f"update audiences.chunk set state = %(dropped)s where {where} and state = any(%(unsent)s)".encode(),  # noqa: S608  # our own text
        {"dropped": RequestState.DROPPED, "unsent": list(states), **values},
    )
