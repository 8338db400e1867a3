"""The users whom a query finds beside those of the last run: who is as before, and who has to be looked at anew.

Both can be larger than memory is meant to be, so they are joined by DuckDB under a memory limit while the query is read.
"""

from __future__ import annotations

import tempfile
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.concurrency import begun
from audiences.ledger import snapshots
from audiences.pipeline.steps.known.changed import LookAtAllError
from audiences.sql import statement
from audiences.user_ids import USER_ID

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from audiences.ledger.database import Ledger
    from audiences.ledger.snapshots import Snapshot
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef
    from audiences.pipeline.steps.known.terms import Terms

FOUND: Final = pa.schema(
    [
        USER_ID,
        ("opted_out", pa.bool_()),
        ("passes", pa.bool_()),
        ("never_held_out", pa.bool_()),
        ("fingerprint", pa.int64()),
    ]
)
"""What the query gives of a user; `passes` says whether the property filters let them through."""
KEPT, KNOWN, ANEW, GONE = range(4)
"""What the join says of a user: a member who stays as they are; known, and no target; to be looked at anew; not found."""
_ROWS: Final = 65_536


class KnownUsers:
    """The users of the last run's snapshot, which is read into a local file once the query is under way."""

    def __init__(self, ledger: Ledger, campaign: int, snapshot: Snapshot, folder: Path) -> None:
        self.revision = snapshot.revision
        self.users = snapshot.users
        self._ledger, self._campaign, self._snapshot = ledger, campaign, snapshot
        self._folder = folder
        self._file = folder / "snapshot.parquet"

    def beside(self, found: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        """The users found, of the columns FOUND, with what is remembered of those known, and `what` of the four they are.

        `user_id` is that of the snapshot for those not found any more. Raises what `found` raises, and LookAtAllError for a
        snapshot that is damaged.
        """
        import duckdb

        from audiences.larger_than_memory import session

        failed: list[BaseException] = []
        under_way = begun(found)
        if not self._loaded():
            deque(under_way, maxlen=0)  # nobody closes the warehouse while it is being read
            raise LookAtAllError

        def told() -> Iterator[pa.RecordBatch]:
            try:
                yield from under_way
            except BaseException as error:
                failed.append(error)
                raise

        # While the query is at its joins, the snapshot is made ready for what comes of it.
        with session(self._folder, joins_as_written=True) as database:
            database.register("found", pa.RecordBatchReader.from_batches(FOUND, told()))
            database.execute(f"create temp view snapshot as from read_parquet('{self._escaped}')")
            try:
                yield from database.sql(statement("snapshot/beside")).to_arrow_reader(_ROWS)
            except (duckdb.Error, pa.ArrowException, OSError):
                if failed:
                    raise failed[0] from None
                raise

    def _loaded(self) -> bool:
        with self._file.open("wb") as stream:
            return snapshots.load(self._ledger, self._snapshot, stream, campaign=self._campaign)

    def held_otherwise(self) -> pa.Array:
        """The users whom the campaign holds under other identifiers than their own, or who did not qualify."""
        from audiences.larger_than_memory import session

        with session(self._folder) as database:
            query = f"select distinct user_id from read_parquet('{self._escaped}') where settled is null"  # noqa: S608  # our own file
            return database.sql(query).to_arrow_table().column("user_id").combine_chunks()

    @property
    def _escaped(self) -> str:
        return str(self._file).replace("'", "''")


@contextmanager
def known_users(resources: CampaignResources, run: RunRef, terms: Terms | None) -> Iterator[KnownUsers | None]:
    """The users of the last run, unless something has changed by which they may be other users; else None."""
    snapshot = (
        snapshots.find(resources.ledger, campaign=run.campaign, audience=run.audience, scope=terms.digest)
        if terms
        else None
    )
    if snapshot is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="audiences-") as folder:
        yield KnownUsers(resources.ledger, run.campaign, snapshot, Path(folder))
