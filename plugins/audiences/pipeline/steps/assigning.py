"""Assignments put on record while the rows of requests are still being written: Postgres is busy with them for as long as we are.

First assignment wins: the ledger keeps the one it has. On record before any upload, so that no crash can lose one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Full, Queue
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from audiences.ledger import assignments
from audiences.pipeline.staging import HELD_OUT
from audiences.who.control import Arm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from audiences.ledger.database import Ledger

_AHEAD: Final = 4  # batches
_LOOK_SECONDS: Final = 0.1


@contextmanager
def assigning(ledger: Ledger, *, campaign: int, run: int) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Gives a function that takes who is assigned to which arm (`user_id`, `arm`); all of them are on record at the end.

    In the order of `user_id` they are recorded in a third of the time.
    """
    given: Queue[Any] = Queue(_AHEAD)

    def record() -> None:
        rows = pa.RecordBatchReader.from_batches(HELD_OUT, _until_the_end(given))
        assignments.record(ledger, campaign=campaign, run=run, assigned=rows)

    with ThreadPoolExecutor(1, thread_name_prefix="assignments") as pool:
        recorded = pool.submit(record)
        try:
            yield lambda batch: _put(given, batch, recorded)
        except BaseException as error:
            _put(given, error, recorded)
            raise
        _put(given, None, recorded)
        recorded.result()


def as_targets(users: pa.Array) -> pa.RecordBatch:
    """Users (`user_id`) as they are assigned to the targets."""
    return pa.RecordBatch.from_arrays([users, pa.repeat(Arm.TARGET.word, len(users))], schema=HELD_OUT)


def _put(given: Queue[Any], item: pa.RecordBatch | BaseException | None, recorded: Future[None]) -> None:
    """Wait until there is room for it; not for a recorder who has failed."""
    while not recorded.done():
        try:
            given.put(item, timeout=_LOOK_SECONDS)
        except Full:
            continue
        return


def _until_the_end(given: Queue[Any]) -> Iterator[pa.RecordBatch]:
    while (item := given.get()) is not None:
        if isinstance(item, BaseException):
            raise item  # whoever names the users has failed, so nobody is put on record
        yield item
