"""A semaphore for each ad account: all processes with this ledger share its slots, and none gets one while Facebook blocks it.

A slot is an advisory lock of Postgres, so a process that dies leaves its slots free. A block is kept in the database's
own time, which every process shares.
"""

from __future__ import annotations

import threading
import time
import zlib
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self

import psycopg

from audiences.ledger.own_session import session, unlocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.connections import Connection

_SLOT_LOCK = 0x_A0D2  # the class of these advisory locks; the second key is the ad account's and the slot's
_MOST_SLOTS = 64
_POLL_SECONDS = 0.05  # a request takes ten times as long


class AccountSemaphore:
    """The semaphore of one ad account, `slots` requests wide; safe to use from several threads at once.

    It has a database session of its own, opened with the first request, because the threads that send use it while the
    step's own session is in the middle of something.
    """

    def __init__(
        self, ledger: Connection, ad_account: str, slots: int, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ledger = ledger
        self._ad_account = ad_account
        first = (zlib.crc32(ad_account.encode()) & 0x1FF_FFFF) * _MOST_SLOTS
        self._slots = frozenset(range(first, first + min(slots, _MOST_SLOTS)))
        self._ours: set[int] = set()
        self._asking = threading.Lock()
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "_sql" in self.__dict__:
            self._sql.close()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots; waits while others have them all, one thread asking for all of this process."""
        with self._asking:
            while (taken := self._take()) is None:
                self._sleep(_POLL_SECONDS)
        sql = self._sql
        try:
            yield
        finally:
            self._ours.discard(taken)
            unlocked(sql, _SLOT_LOCK, taken, place=self._ledger.place)

    def blocked_for(self) -> float:
        """Seconds left of the block on the ad account; 0 without one."""
        row = self._sql.execute(
            "select extract(epoch from blocked_until - clock_timestamp()) from audiences.ad_account where id = %s",
            (self._ad_account,),
        ).fetchone()
        return max(0.0, float(row[0])) if row else 0.0

    def block(self, seconds: float) -> None:
        """Block the ad account for that many seconds, for all processes; a block that lasts longer stays."""
        self._sql.execute(
            "insert into audiences.ad_account (id, blocked_until)"
            " values (%s, clock_timestamp() + %s * interval '1 second')"
            " on conflict (id) do update set blocked_until = greatest(ad_account.blocked_until, excluded.blocked_until)",
            (self._ad_account, seconds),
        )

    @cached_property
    def _sql(self) -> psycopg.Connection:
        return session(self._ledger, application="audiences-gate", autocommit=True)

    def _take(self) -> int | None:
        """Lock a free slot and return it; None when all are taken. Locks of our own session count as ours, not as free."""
        try:
            taken = self._lock_one()
        except psycopg.OperationalError:
            if self._ours:
                raise
            # The session has ended since it was last used, perhaps by the campaign before. It held nothing.
            self._sql.close()
            del self._sql
            taken = self._lock_one()
        if taken is not None:
            self._ours.add(taken)
        return taken

    def _lock_one(self) -> int | None:
        row = self._sql.execute(
            "select slot from unnest(%s::int[]) as slot where pg_try_advisory_lock(%s, slot) limit 1",
            (sorted(self._slots - self._ours), _SLOT_LOCK),
        ).fetchone()
        return int(row[0]) if row else None
