"""The users whom a query finds beside those of the last run: who is as before, and who has to be looked at anew.

Both can be larger than memory is meant to be, so they are joined by DuckDB under a memory limit while the query is read.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.ledger import snapshots
from audiences.sql import statement
from audiences.user_ids import USER_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

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
    """The users of the last run's snapshot, in a local file."""

    def __init__(self, file: Path, snapshot: Snapshot, spill: Path) -> None:
        self.revision = snapshot.revision
        self.users = snapshot.users
        self._file = file
        self._spill = spill

    def beside(self, found: Callable[[], Iterator[pa.RecordBatch]]) -> Generator[pa.RecordBatch]:
        """The users found, of the columns FOUND, with what is remembered of those known, and `what` of the four they are.

        `user_id` is that of the snapshot for those not found any more. Raises what `found` raises.
        """
        import duckdb

        from audiences.larger_than_memory import session

        failed: list[BaseException] = []

        def told() -> Iterator[pa.RecordBatch]:
            try:
                yield from found()
            except BaseException as error:
                failed.append(error)
                raise

        with session(self._spill) as database:
            database.register("found", pa.RecordBatchReader.from_batches(FOUND, told()))
            database.execute(f"create temp view snapshot as from read_parquet('{self._escaped}')")
            try:
                yield from database.sql(statement("snapshot/beside")).to_arrow_reader(_ROWS)
            except (duckdb.Error, pa.ArrowException, OSError):
                if failed:
                    raise failed[0] from None
                raise

    def held_otherwise(self) -> pa.Array:
        """The users whom the campaign holds under other identifiers than their own, or who did not qualify."""
        from audiences.larger_than_memory import session

        with session(self._spill) as database:
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
        file = Path(folder) / "snapshot.parquet"
        with file.open("wb") as stream:
            intact = snapshots.load(resources.ledger, snapshot, stream, campaign=run.campaign)
        yield KnownUsers(file, snapshot, Path(folder)) if intact else None
