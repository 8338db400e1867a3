"""What Facebook refused: requests cut in halves to find the rows at fault, and those rows, so that they are not sent again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from psycopg.types.json import Jsonb

from audiences.ledger import chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from audiences.ledger.chunks import Action, Chunk
    from audiences.ledger.database import Ledger

ROWS = pa.schema([("identifiers", pa.binary())])
TRIED_AGAIN_AFTER = timedelta(days=30)
"""A refused row is kept back for so long: sending it at every run would cost two dozen requests each time to find it anew."""


def split(ledger: Ledger, chunk: Chunk, *, error: str) -> list[Chunk]:
    """Put two requests on record in place of one that was refused for its rows: its halves."""
    half = chunk.rows // 2
    ranges = [(chunk.first_row, half), (chunk.first_row + half, chunk.rows - half)]
    with ledger.sql.transaction():
        # Numbers are given out to one process at a time.
        ledger.sql.execute("select 1 from audiences.run where id = %s for update", (chunk.run,))
        ledger.sql.execute("update audiences.chunk set state = 'split', error = %s where id = %s", (error, chunk.id))
        made = [
            ledger.one(
                "insert into audiences.chunk (run_id, audience_id, number, action, file, schema, late, first_row, rows, part_of)"
                " select run_id, audience_id, (select max(number) + 1 from audiences.chunk where run_id = c.run_id), action,"
                "   file, schema, late, %(first)s, %(rows)s, %(origin)s"
                " from audiences.chunk c where id = %(id)s returning id",
                {"first": first, "rows": rows, "origin": chunk.origin, "id": chunk.id},
            ).id
            for first, rows in ranges
        ]
    return [part for part in chunks.of_run(ledger, chunk.run) if part.id in made]


def parts(ledger: Ledger, chunk: Chunk) -> Any:
    """How far the search has got: of the planned request, parts `refused` and `taken`; of the whole run, parts `in_all`."""
    return ledger.one(
        "select count(*) filter (where part_of = %(origin)s and state in ('split', 'refused'))::int as refused,"
        " count(*) filter (where part_of = %(origin)s and state = 'acknowledged')::int as taken,"
        " count(*)::int as in_all from audiences.chunk where run_id = %(run)s and part_of is not null",
        {"origin": chunk.origin, "run": chunk.run},
    )


def refuse(
    ledger: Ledger, chunk: Chunk, *, reason: str, error: str, identifiers: Sequence[bytes] = ()
) -> None:  # fmt: skip
    """Record rows as refused for good; those of `identifiers` (packed) are kept back from later runs."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.chunk set state = 'refused', error = %s, rejected = %s where id = %s",
            (error, Jsonb({reason: chunk.rows}), chunk.id),
        )
        _keep_back(ledger, chunk, dict.fromkeys(identifiers, reason))


def cut(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Record that the request was refused for what some of its rows hold, and that others take them."""
    ledger.sql.execute("update audiences.chunk set state = 'split', error = %s where id = %s", (error, chunk.id))


def leave_out(ledger: Ledger, chunk: Chunk, bad: Mapping[bytes, str]) -> None:
    """Record that Facebook took a batch of a replace without its `bad` rows (packed, with reasons), which are kept back."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.chunk set state = 'acknowledged', acknowledged_at = now(), error = null, received = rows - %s,"
            " invalid = 0, rejected = %s where id = %s",
            (len(bad), Jsonb(dict(Counter(bad.values()))), chunk.id),
        )
        _keep_back(ledger, chunk, bad)


def of_run(ledger: Ledger, run: int) -> list[bytes]:
    """The rows (packed) that were refused one by one in the run."""
    found = ledger.all("select identifiers from audiences.refused_row where run_id = %(run)s", {"run": run})
    return [bytes(row.identifiers) for row in found]


def lost(ledger: Ledger, run: int, campaign: int) -> int:
    """How many of the campaign's users left the audience because the run's replace had to go without their rows."""
    found = ledger.one(
        "select count(distinct m.user_id) as n from audiences.refused_row r"
        " join audiences.member m on m.audience_id = r.audience_id and m.identifiers = r.identifiers"
        " where r.run_id = %(run)s and m.removed_run = %(run)s and m.campaign_id = %(campaign)s and m.present",
        {"run": run, "campaign": campaign},
    )
    return int(found.n)


def _keep_back(ledger: Ledger, chunk: Chunk, bad: Mapping[bytes, str]) -> None:
    for row, reason in bad.items():
        ledger.sql.execute(
            "insert into audiences.refused_row (audience_id, identifiers, reason, run_id) values (%s, %s, %s, %s)"
            " on conflict (audience_id, identifiers) do update set reason = excluded.reason, run_id = excluded.run_id",
            (chunk.audience, row, reason, chunk.run),
        )


def postpone(ledger: Ledger, chunk: Chunk, *, error: str) -> None:
    """Record that Facebook does not carry the request out at present; the next run's difference contains its rows again."""
    ledger.sql.execute("update audiences.chunk set state = 'postponed', error = %s where id = %s", (error, chunk.id))


def kept_back(ledger: Ledger, audience: int, at: datetime) -> pa.Table:
    """The rows (`identifiers`) that are not sent at that time, since Facebook refused them within TRIED_AGAIN_AFTER."""
    since = (at - TRIED_AGAIN_AFTER).isoformat()
    return ledger.read(
        "select identifiers from audiences.refused_row join audiences.run r on r.id = run_id"  # noqa: S608  # a number and a time
        f" where refused_row.audience_id = {int(audience)} and r.assigned_at > timestamptz '{since}'",
        ROWS,
    )


def standing(ledger: Ledger, run: int, action: Action) -> Any:
    """What came of the requests of an action in the run.

    Requests `planned`, parts not counted; those `taken`, `refused` and still `unsent`; whether it was `only_rows` that were
    refused; an `error` of those that were.
    """
    return ledger.one(
        "select count(*) filter (where part_of is null)::int as planned,"
        " count(*) filter (where state in ('acknowledged', 'postponed'))::int as taken,"
        " count(*) filter (where state = 'refused')::int as refused,"
        " count(*) filter (where state in ('planned', 'sending'))::int as unsent,"
        " coalesce(bool_and(rejected <> '{}') filter (where state = 'refused'), false) as only_rows,"
        " min(error) filter (where state = 'refused') as error"
        " from audiences.chunk where run_id = %(run)s and action = %(action)s and state <> 'dropped'",
        {"run": run, "action": action},
    )
