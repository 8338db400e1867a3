"""Erasures: what is remembered of them, and how a person leaves the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.types.json import Jsonb

from audiences.ledger import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger


def known(ledger: Ledger) -> tuple[bytes, frozenset[bytes]]:
    """The salt of this ledger, and the hashes of everybody who was erased."""
    rows = ledger.all("select s.salt, e.digest from audiences.erasure_salt s left join audiences.erased e on true")
    return (rows[0].salt if rows else b""), frozenset(row.digest for row in rows if row.digest is not None)


def begin(ledger: Ledger, *, at: datetime, digests: Iterable[bytes]) -> int:
    """Put an erasure on record, or go on with the one of the same person that is not done, and give its number.

    From here on no new upload holds the person. A hash that is known already stays with its earlier erasure.
    """
    listed = list(digests)
    with ledger.sql.transaction():
        row = ledger.one(
            "select min(e.id) as id from audiences.erasure e join audiences.erased d on d.erasure_id = e.id"
            " where d.digest = any(%(digests)s) and e.done_at is null",
            {"digests": listed},
        )
        if row.id is None:
            row = ledger.one("insert into audiences.erasure (asked_at) values (%(at)s) returning id", {"at": at})
        with ledger.sql.cursor() as cursor:
            cursor.executemany(
                "insert into audiences.erased (digest, erasure_id) values (%s, %s) on conflict do nothing",
                [(digest, row.id) for digest in listed],
            )
    return int(row.id)


def of_the_same(ledger: Ledger, digests: Iterable[bytes]) -> frozenset[bytes]:
    """These hashes, and all that were remembered together with one of them."""
    listed = list(digests)
    found = ledger.all(
        "select digest from audiences.erased where erasure_id in"
        " (select erasure_id from audiences.erased where digest = any(%(digests)s))",
        {"digests": listed},
    )
    return frozenset(listed) | {row.digest for row in found}


def found_before(ledger: Ledger, digest: bytes) -> bool:
    """Whether an erasure that this hash belongs to had rows of the person, at Facebook or in the ledger."""
    row = ledger.one(
        "select exists (select 1 from audiences.erasure e join audiences.erased d on d.erasure_id = e.id"
        " where d.digest = %(digest)s and (jsonb_path_exists(e.requests, '$[*].rows ? (@ > 0)')"
        " or jsonb_path_exists(e.removed, '$.* ? (@ > 0)'))) as yes",
        {"digest": digest},
    )
    return bool(row.yes)


def accounts(ledger: Ledger) -> list[Any]:
    """Ad accounts in which the ledger knows audiences: `id`, and the `connections` by which they were once reached."""
    return ledger.all(
        "select a.ad_account as id, array(select p.connection from audiences.preflight p where p.ad_account = a.ad_account"
        " order by p.passed_at desc) as connections from (select distinct ad_account from audiences.audience) a order by 1"
    )


def forget(ledger: Ledger, digests: Iterable[bytes]) -> int:
    """Forget every erasure that one of the hashes belongs to: these people may be uploaded again. How many hashes."""
    return ledger.sql.execute(
        "delete from audiences.erased where erasure_id in"
        " (select erasure_id from audiences.erased where digest = any(%s))",
        (list(digests),),
    ).rowcount


def end(
    ledger: Ledger,
    erasure: int,
    *,
    at: datetime | None,
    requests: Sequence[Mapping[str, Any]],
    removed: Mapping[str, int],
    still_to_do: Sequence[str],
) -> None:
    """Keep the proof; `at` is None as long as something is still to be done.

    What an earlier try has done stays on record: its rows are counted in, and its requests stand where this one had none to send.
    """
    earlier = ledger.one("select requests, removed from audiences.erasure where id = %(id)s", {"id": erasure})
    told = {each["id"]: each for each in earlier.requests} | {
        each["id"]: each
        for each in requests
        if each["rows"] or each["id"] not in {one["id"] for one in earlier.requests}
    }
    rows = {table: earlier.removed.get(table, 0) + removed.get(table, 0) for table in {**earlier.removed, **removed}}
    ledger.sql.execute(
        "update audiences.erasure set done_at = %s, requests = %s, removed = %s, still_to_do = %s where id = %s",
        (at, Jsonb(list(told.values())), Jsonb(rows), list(still_to_do), erasure),
    )


def rows_of(ledger: Ledger, user: str) -> list[bytes]:
    """Every row that was ever recorded for the user in any audience."""
    found = ledger.all("select distinct identifiers from audiences.member where user_id = %(user)s", {"user": user})
    return [row.identifiers for row in found]


def rows_with(ledger: Ledger, cells: Iterable[bytes]) -> list[bytes]:
    """Rows of anybody that hold the bytes of one of the cells somewhere."""
    found = ledger.all(
        "select distinct m.identifiers from"
        " (select identifiers from audiences.member union all select identifiers from audiences.refused_row) m,"
        " unnest(%(cells)s::bytea[]) cell where position(cell in m.identifiers) > 0",
        {"cells": list(cells)},
    )
    return [row.identifiers for row in found]


def others_with(ledger: Ledger, user: str, rows: Sequence[bytes]) -> int:
    """How many other users are recorded with one of the rows."""
    row = ledger.one(
        "select count(distinct user_id) as n from audiences.member where identifiers = any(%(rows)s)"
        " and user_id <> %(user)s",
        {"rows": list(rows), "user": user},
    )
    return int(row.n)


def audiences_with(ledger: Ledger, user: str, rows: Sequence[bytes]) -> list[Any]:
    """Audiences in which the user or one of the rows is or was: `id` (Facebook's), `name`, `rows`."""
    return ledger.all(
        "select a.facebook_id as id, a.name, count(distinct m.identifiers) as rows"
        " from audiences.member m join audiences.audience a on a.id = m.audience_id"
        " where m.user_id = %(user)s or m.identifiers = any(%(rows)s) group by a.id order by a.id",
        {"user": user, "rows": list(rows)},
    )


def remove(ledger: Ledger, user: str, rows: Sequence[bytes]) -> dict[str, int]:
    """Delete the user from every table that knows users, and the rows whoever held them; how many, by table."""
    removed: dict[str, int] = {}
    with ledger.sql.transaction():
        for table, where in _tables(ledger).items():
            deleted = ledger.sql.execute(
                sql.SQL("delete from audiences.{} where {}").format(sql.Identifier(table), where),
                {"user": user, "rows": list(rows)},
            )
            removed[table] = deleted.rowcount
    return removed


def left(ledger: Ledger, user: str, rows: Sequence[bytes]) -> dict[str, int]:
    """How much is still there, by table, looked up anew."""
    return {
        table: int(
            ledger.sql.execute(
                sql.SQL("select count(*) as n from audiences.{} where {}").format(sql.Identifier(table), where),
                {"user": user, "rows": list(rows)},
            )
            .fetchone()  # type: ignore[union-attr]  # a count has one row
            .n
        )
        for table, where in _tables(ledger).items()
    }


def under_way(ledger: Ledger) -> list[Any]:
    """Audiences that a campaign is changing at the moment: `facebook_id`, `campaign`."""
    return ledger.all(
        "select a.facebook_id, c.name as campaign from audiences.audience a"
        " left join audiences.campaign c on c.id = a.busy_campaign where a.busy_until > now() order by a.id"
    )


def unfinished(ledger: Ledger, *, window: float, closed: Sequence[str]) -> list[Any]:
    """Runs that left something by which a person may still come back: `run`, `campaign`, `what`.

    `session`: a replace which Facebook may still adopt, `window` seconds after it began at the latest; `rows`: staged rows
    for a request whose fate is unknown; `running`: the run has not ended, a day after it began at the latest.
    In the ad accounts `closed` nothing can be finished, and nobody comes back.
    """
    return ledger.all(
        "select distinct r.id as run, c.name as campaign, found.what from ("  # noqa: S608  # a constant is put in
        " select run_id, 'session' as what from audiences.upload_session"
        " where state = 'open' or (state = 'broken' and opened_at > now() - %(window)s * interval '1 second')"
        f" union all select run_id, 'rows' from audiences.chunk c where {chunks.UNSETTLED}"
        " union all select id, 'running' from audiences.run where state = 'running'"
        " and started_at > now() - interval '1 day'"
        ") found join audiences.run r on r.id = found.run_id join audiences.campaign c on c.id = r.campaign_id"
        " left join audiences.audience a on a.id = r.audience_id where a.ad_account <> all(%(closed)s) is not false"
        " order by r.id",
        {"window": window, "closed": [*closed]},
    )


def _tables(ledger: Ledger) -> dict[str, sql.SQL]:
    """Every table that knows users or rows, those of later versions too, and which of its rows are the person's."""
    found = ledger.all(
        "select c.table_name as name, array_agg(c.column_name::text) as columns"
        " from information_schema.columns c join information_schema.tables t"
        " on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE'"
        " where c.table_schema = 'audiences' and c.column_name in ('user_id', 'identifiers')"
        " group by c.table_name order by c.table_name"
    )
    return {row.name: _where(row.columns) for row in found}


def _where(columns: Sequence[str]) -> sql.SQL:
    if "identifiers" not in columns:
        return sql.SQL("user_id = %(user)s")
    if "user_id" not in columns:
        return sql.SQL("identifiers = any(%(rows)s)")
    return sql.SQL("user_id = %(user)s or identifiers = any(%(rows)s)")
