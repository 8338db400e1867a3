"""Upload requests on record: planned before they are sent, acknowledged together with the members they change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow.compute as pc

from audiences.ledger import members

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from audiences.ledger.database import Ledger

Action = Literal["add", "remove", "replace"]
# Requests, called c, that are sent again before anything else; those of replace sessions cannot be, one by one.
UNSETTLED = "(c.state = 'sending' or c.doubtful) and c.session is null"
IN_ORDER = "c.run_id, c.late, c.action desc, c.number"  # removals before additions, late ones after


@dataclass(frozen=True, slots=True)
class Planned:
    """A request to put on record: `rows` positions of the change file from `first_row` on.

    `schema` has the Facebook keys of its rows; a `late` removal waits until the additions are in.
    """

    action: Action
    file: str
    first_row: int
    rows: int
    schema: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk(Planned):
    """A request on record, number `number` of the run, counted from 0; `staging` is the run's folder.

    `part_of` is the planned request of which it has some of the rows, for one that was cut in parts. A `doubtful` one was
    refused and may have been carried out before.
    """

    id: int
    run: int
    audience: int
    number: int
    state: str
    staging: str
    part_of: int | None
    doubtful: bool

    @property
    def origin(self) -> int:
        """The planned request that it is, or is a part of."""
        return self.part_of or self.id


_COLUMNS = (
    "c.action, c.file, c.first_row, c.rows, c.schema, c.late,"
    " c.id, c.run_id as run, c.audience_id as audience, c.number, c.state, r.staging, c.part_of,"
    " c.doubtful"
)
TOTALS = """
select
  coalesce(sum(tries), 0)::int as requests,
  coalesce(sum(begun), 0)::int as begun,
  coalesce(sum(gone), 0)::int as gone,
  count(*) filter (where state = 'refused' and rejected = '{}')::int as refused,
  min(error) filter (where state = 'refused' and rejected = '{}') as error,
  count(*) filter (where state in ('planned', 'sending'))::int as unsent,
  count(*) filter (where state = 'dropped' and session is null and not late)::int as dropped,
  coalesce(sum(rows) filter (where state = 'acknowledged'), 0)::int as taken,
  -- Within a session the count is of all requests so far.
  coalesce(sum(rows - received) filter (where state = 'acknowledged' and session is null), 0)::int as unreceived,
  coalesce(sum(invalid) filter (where state = 'acknowledged'), 0)::int as invalid,
  coalesce(sum(rows) filter (where state = 'postponed'), 0)::int as postponed,
  count(*) filter (where state = 'refused' and action = 'add') > 0
    and count(*) filter (where state <> 'refused' and state <> 'split' and action = 'add') = 0 as nothing_added,
  coalesce((
    select jsonb_object_agg(reason, refused order by refused desc)
    from (
      select reason, sum(refused::int)::int as refused
      from audiences.chunk c, jsonb_each_text(c.rejected) as r (reason, refused)
      where c.run_id = %(run)s
      group by reason
    ) reasons
  ), '{}') as rejected
from audiences.chunk where run_id = %(run)s
"""
_SELECT = f"select {_COLUMNS} from audiences.chunk c join audiences.run r on r.id = c.run_id"  # noqa: S608  # constants only


def plan(
    ledger: Ledger, *, run: int, audience: int, planned: Sequence[Planned], session: int | None = None
) -> None:  # fmt: skip
    """Put the requests of a run on record, in place of those that an interrupted attempt planned and never sent.

    `session` is the replace session that they make up.
    """
    with ledger.sql.transaction():
        ledger.sql.execute(
            "delete from audiences.chunk where run_id = %s"
            " and (state = 'planned' or (state = 'dropped' and session is null))",
            (run,),
        )
        last = ledger.one(
            "select coalesce(max(number), -1) as n from audiences.chunk where run_id = %(run)s", {"run": run}
        )
        with ledger.sql.cursor() as cursor:
            cursor.executemany(
                "insert into audiences.chunk (run_id, audience_id, number, session, action, file, first_row, rows,"
                "  schema, late) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (run, audience, number, session, *_planned(chunk))
                    for number, chunk in enumerate(planned, int(last.n) + 1)
                ],
            )


def of_run(ledger: Ledger, run: int, *, action: Action | None = None, late: bool | None = None) -> list[Chunk]:
    """The requests of the run, of one action or all, late ones, others or all, in the order in which they are sent."""
    rows = ledger.all(
        f"{_SELECT} where c.run_id = %(run)s and c.action = coalesce(%(action)s, c.action)"
        f" and c.late = coalesce(%(late)s, c.late) order by {IN_ORDER}",
        {"run": run, "action": action, "late": late},
    )
    return [_chunk(row) for row in rows]


def of_session(ledger: Ledger, session: int) -> list[Chunk]:
    """The requests of a replace session in their order."""
    return [
        _chunk(row)
        for row in ledger.all(f"{_SELECT} where c.session = %(session)s order by c.number", {"session": session})
    ]


def unsettled(ledger: Ledger, audience: int) -> list[Chunk]:
    """Requests that may have reached Facebook without our knowing, of any run, in the order of sending."""
    rows = ledger.all(
        f"{_SELECT} where c.audience_id = %(audience)s and {UNSETTLED} order by {IN_ORDER}", {"audience": audience}
    )
    return [_chunk(row) for row in rows]


def drop_planned(ledger: Ledger, audience: int, *, but_run: int) -> None:
    """Give up requests of other runs that were never sent, and what is left of broken sessions: a new difference is due."""
    ledger.sql.execute(
        "update audiences.chunk set state = 'dropped' where audience_id = %s and run_id <> %s"
        " and (state = 'planned' or (state = 'sending' and session is not null))",
        (audience, but_run),
    )


def drop_late(ledger: Ledger, run: int) -> None:
    """Give up the run's late removals: what they were to wait for did not come."""
    ledger.sql.execute(
        "update audiences.chunk set state = 'dropped' where run_id = %s and late and state = 'planned'", (run,)
    )


def sending(ledger: Ledger, chunk: Chunk) -> None:
    """Say on record that the request is about to leave."""
    ledger.sql.execute(
        "update audiences.chunk set state = 'sending', tries = tries + 1, sent_at = now() where id = %s", (chunk.id,)
    )


def refuse(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Record that Facebook refused the request as a whole, for good."""
    ledger.sql.execute("update audiences.chunk set state = 'refused', error = %s where id = %s", (error, chunk.id))


def lose(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Record that nobody will know whether the request arrived, as its rows are gone."""
    ledger.sql.execute(
        "update audiences.chunk set state = 'lost', doubtful = false, error = %s where id = %s", (error, chunk.id)
    )


def unsend(ledger: Ledger, chunk: Chunk) -> None:
    """Record that the request, which has just left, certainly came to nothing: it is still to be sent."""
    ledger.sql.execute("update audiences.chunk set state = 'planned' where id = %s", (chunk.id,))


def receive(ledger: Ledger, chunk: Chunk, *, received: int, invalid: int) -> None:
    """Record that Facebook took a request that changes nothing by itself: a part of a replace session."""
    ledger.sql.execute(
        "update audiences.chunk set state = 'acknowledged', acknowledged_at = now(), error = null,"
        " received = %s, invalid = %s where id = %s",
        (received, invalid, chunk.id),
    )


def acknowledge(
    ledger: Ledger,
    chunk: Chunk,
    *,
    received: int,
    invalid: int,
    changes: pa.Table,
) -> None:
    """Record in one transaction that Facebook took the request and what that changes among the members.

    `changes` has `campaign_id`, `user_id`, `identifiers`, `present`, `begins`, `gone`. A second receipt of the same request,
    which a process given up for dead and its successor may both have got, changes nothing.
    """
    with ledger.bulk.cursor() as cursor:
        cursor.execute(
            "update audiences.chunk set state = 'acknowledged', acknowledged_at = now(), error = null,"
            " received = $1, invalid = $2, begun = $3, gone = $4 where id = $5 and state <> 'acknowledged' returning id",
            (received, invalid, *count(changes), chunk.id),
        )
        if cursor.fetchone() is not None:
            members.write(cursor, audience=chunk.audience, run=chunk.run, changes=changes)
    ledger.bulk.commit()


def record_unsent(ledger: Ledger, *, audience: int, run: int, changes: pa.Table) -> None:
    """Record memberships that change without a request: somebody else holds the same identifiers."""
    with ledger.bulk.cursor() as cursor:
        members.write(cursor, audience=audience, run=run, changes=changes)
    ledger.bulk.commit()


def count(changes: pa.Table) -> tuple[int, int]:
    """How many memberships begin with these changes, and how many users are gone."""
    return tuple(int(pc.sum(changes.column(name)).as_py() or 0) for name in ("begins", "gone"))  # type: ignore[return-value]  # two names


def totals(ledger: Ledger, run: int) -> Any:
    """Over the run's requests.

    `requests` sent, tries included; users `begun` and `gone`; requests `refused` as a whole, with an `error` of theirs,
    `unsent`, or `dropped` because another run changed the audience meanwhile; rows `taken`, of which Facebook says it
    `received` so many less and took so many for `invalid`; `rejected` rows by reason; rows `postponed`; whether of the
    additions only such are left that were refused (`nothing_added`).
    """
    return ledger.one(TOTALS, {"run": run})


def _planned(chunk: Planned) -> tuple[Any, ...]:
    return chunk.action, chunk.file, chunk.first_row, chunk.rows, list(chunk.schema), chunk.late


def _chunk(row: Any) -> Chunk:
    return Chunk(**{**row._asdict(), "schema": tuple(row.schema)})
