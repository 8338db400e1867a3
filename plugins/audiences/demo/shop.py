"""Fills a database with the sample shop: the same seed and time give the same rows on every machine."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psycopg
from psycopg import sql
from pyarrow import csv

from audiences.demo import people, visits

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    import pyarrow as pa

USERS = 50_000
EVENTS = 500_000
SEED = 20_261_124
_HERE = Path(__file__).parent
_ROWS_PER_BLOCK = 100_000


def shop_tables(
    *,
    as_of: datetime,
    users: int = USERS,
    events: int = EVENTS,
    seed: int = SEED,
    reached: visits.Truth | None = None,
) -> tuple[pa.Table, pa.Table]:
    """The customers and the events of the 60 days before `as_of`, as Arrow tables.

    `reached`, a truth per customer in the order of their ids, builds a lift into the events (demo/visits.py).
    """
    # Separate streams: another number of events leaves the customers as they are.
    of_users, of_events = np.random.default_rng(seed).spawn(2)
    customers = people.users(of_users, as_of=as_of, count=users)
    signed_up_at = customers["signed_up_at"].combine_chunks()
    return customers, visits.events(of_events, as_of=as_of, signed_up_at=signed_up_at, count=events, reached=reached)


def load_shop(
    uri: str,
    *,
    as_of: datetime,
    users: int = USERS,
    events: int = EVENTS,
    seed: int = SEED,
    reached: visits.Truth | None = None,
) -> None:
    """Make the schema `shop` anew in the database at `uri` (libpq) and fill it, up to `as_of` (aware)."""
    customers, happened = shop_tables(as_of=as_of, users=users, events=events, seed=seed, reached=reached)
    with psycopg.connect(uri) as connection:
        connection.execute((_HERE / "shop.sql").read_bytes())
        _copy(connection, "users", customers)
        _copy(connection, "events", happened)
        connection.execute((_HERE / "shop_indexes.sql").read_bytes())
        connection.execute("ANALYZE shop.users, shop.events")


def _copy(connection: psycopg.Connection, table: str, rows: pa.Table) -> None:
    statement = sql.SQL("COPY shop.{} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    )
    blocks = (rows.slice(start, _ROWS_PER_BLOCK) for start in range(0, len(rows), _ROWS_PER_BLOCK))
    with connection.cursor() as cursor, cursor.copy(statement) as copy, ThreadPoolExecutor(max_workers=1) as writer:
        # One block is written as text while Postgres takes in the one before it.
        upcoming: Future[bytes] | None = None
        for block in blocks:
            written, upcoming = upcoming, writer.submit(_as_csv, block)
            if written is not None:
                copy.write(written.result())
        if upcoming is not None:
            copy.write(upcoming.result())


def _as_csv(rows: pa.Table) -> bytes:
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False))
    return text.getvalue()
