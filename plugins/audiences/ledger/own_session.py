"""A session with the ledger's Postgres that is ours alone, from the first statement to the last.

Advisory locks keep two runs of a campaign, and two requests too many to an ad account, apart. They belong to a session, so a
pooler that gives each transaction another session would leave them with strangers. It is found out before one is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from audiences.connections import opened
from audiences.errors import FixAccessError
from audiences.libpq import setting_again

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    from audiences.connections import Connection

ALWAYS: Final = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
}
"""What statements and drivers take for given, whatever the server, the login or the connection's `options` say."""
LASTING: Final = """
select pg_catalog.set_config(name, '0', false)
from unnest('{idle_session_timeout,idle_in_transaction_session_timeout,transaction_timeout}'::text[]) as name
where pg_catalog.current_setting(name, true) <> '0'
"""
"""Takes off what would end a session that waits for the warehouse or for Facebook, as far as the server knows it."""
_TRIES = 5  # a pooler with several idle sessions need not hand out the same one at once
# Two servers may number their processes alike; the time at which one began tells them apart.
_WHO = b"select pid, backend_start from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())"


@dataclass(eq=False)
class LedgerPooledError(FixAccessError):
    """The ledger's connection leads to a pooler that gives each transaction another session."""

    place: str

    def __str__(self) -> str:
        at = f" ({self.place})" if self.place else ""
        return (
            f"the ledger needs a session of its own, and a pooler in between changes it from transaction to transaction{at}; "
            "the locks that keep two runs apart would not hold. Nothing was done. Set the pooler to session mode for this "
            "database (pgbouncer: `pool_mode = session`), or lead the connection straight to Postgres"
        )


def session(connection: Connection, *, application: str, autocommit: bool = False) -> psycopg.Connection[TupleRow]:
    """Open a session; raises LedgerPooledError for one that would not stay ours, and what the driver raises."""

    def connect() -> psycopg.Connection[TupleRow]:
        return psycopg.connect(connection.dsn(application=application), autocommit=True, prepare_threshold=None)

    found = opened(connect)
    try:
        (pid,) = found.execute("select pg_catalog.pg_backend_pid()").fetchone() or (None,)
        # A pooler gives its client another number to cancel queries by, whatever its mode.
        if pid != found.info.backend_pid:
            with opened(connect) as other:
                _ensure_ours(found, other, connection.place)
        found.execute(setting_again({**connection.settings, **ALWAYS}, local=False).encode())
        found.execute(LASTING.encode())
        found.autocommit = autocommit
    except BaseException:
        found.close()
        raise
    return found


def unlocked(sql: psycopg.Connection[TupleRow], *key: int, place: str = "", shared: bool = False) -> None:
    """Let an advisory lock of the session go, be it `shared`; raises LedgerPooledError where the session has lost it."""
    marks, kind = b", ".join([b"%s"] * len(key)), b"_shared" if shared else b""
    row: Any = sql.execute(b"select pg_catalog.pg_advisory_unlock" + kind + b"(" + marks + b")", key).fetchone()
    if not row[0]:
        raise LedgerPooledError(place)


def _ensure_ours(one: psycopg.Connection[TupleRow], other: psycopg.Connection[TupleRow], place: str) -> None:
    """Two open sessions are never the same one, and each stays what it is, unless they are lent by the transaction."""
    first = _who(one)
    for _ in range(_TRIES):
        other.autocommit = False
        second = _who(other)  # keeps it until the transaction ends
        pooled = second == first or _who(one) != first
        other.rollback()
        if pooled:
            raise LedgerPooledError(place)


def _who(of: psycopg.Connection[TupleRow]) -> tuple[Any, ...] | None:
    return of.execute(_WHO).fetchone()
