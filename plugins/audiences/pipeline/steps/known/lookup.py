"""The users whom a query finds beside those of the last run: who is as before, and who has to be looked at anew.

Both can be larger than memory is meant to be, so they are joined by DuckDB under a memory limit while the query is read.
"""

from __future__ import annotations

import tempfile
from collections import deque
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.concurrency import begun
from audiences.ledger import snapshots
from audiences.pipeline.staging import KNOWN_FILES
from audiences.pipeline.steps.known.changed import LookAtAllError
from audiences.pipeline.steps.known.snapshot_rows import AS_NUMBERS, AS_TEXT, from_file
from audiences.sql import statement
from audiences.user_ids import USER_ID

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import duckdb

    from audiences.ledger.database import Ledger
    from audiences.ledger.snapshots import Snapshot
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef
    from audiences.pipeline.staging import Staging
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
FOUND_NUMBERS: Final = FOUND.set(FOUND.get_field_index(USER_ID.name), pa.field(USER_ID.name, pa.int64()))
"""The same where the users' key is a whole number."""
KEPT, KNOWN, ANEW, GONE = range(4)
"""What the join says of a user: a member who stays as they are; known, and no target; to be looked at anew; not found."""
_ROWS: Final = 65_536
_MEMORY: Final = "120MB"
"""A million users whose keys are numbers fit into that. Of as many long texts some go to disk, which takes a tenth longer."""


class KnownUsers:
    """The users of the last run's snapshot, which is read into a local file once the query is under way."""

    def __init__(self, ledger: Ledger, campaign: int, snapshot: Snapshot, folder: Path) -> None:
        self.revision = snapshot.revision
        self.users = snapshot.users
        self.base = snapshot.base_digest
        self._ledger, self._campaign, self._snapshot = ledger, campaign, snapshot
        self._folder = folder
        self._files = [folder / name for name in KNOWN_FILES]

    def beside(
        self, found: Iterator[pa.RecordBatch], staging: Staging, *, schema: pa.Schema = FOUND
    ) -> Generator[pa.RecordBatch]:
        """The users found, of the columns FOUND, with what is remembered of those known, and `what` of the four they are.

        They may be given as FOUND_NUMBERS, which is its `schema` then. Members who stay as they are come only where something was
        `rejected`. `user_id` is that of the snapshot for those not found any more. The snapshot is staged for the next steps.
        Raises what `found` raises, and LookAtAllError for a snapshot that is damaged, or of keys that are no numbers where those
        found are.
        """
        import duckdb

        from audiences.larger_than_memory import session

        failed: list[BaseException] = []
        under_way = begun(found)
        if not self._loaded(staging):
            deque(under_way, maxlen=0)  # nobody closes the warehouse while it is being read
            raise LookAtAllError

        def told() -> Iterator[pa.RecordBatch]:
            try:
                yield from under_way
            except BaseException as error:
                failed.append(error)
                raise

        # While the query is at its joins, the snapshot is made ready for what comes of it.
        with session(self._folder, joins_as_written=True, memory=_MEMORY) as database:
            database.register("found", pa.RecordBatchReader.from_batches(schema, told()))
            read = AS_NUMBERS if schema == FOUND_NUMBERS else AS_TEXT
            for name, file in zip(("base", "changes"), self._files, strict=True):
                database.execute(f"create temp view {name} as {read} {from_file(file)}")
            if schema == FOUND_NUMBERS:
                self._ensure_numbered(database)
            database.execute(f"create temp view users as {statement('snapshot/users')}")
            try:
                yield from database.sql(statement("snapshot/beside")).to_arrow_reader(_ROWS)
            except (duckdb.Error, pa.ArrowException, OSError):
                if failed:
                    raise failed[0] from None
                raise

    def _ensure_numbered(self, database: duckdb.DuckDBPyConnection) -> None:
        """Raise LookAtAllError where users are remembered by another key than a whole number."""
        for file in self._files:
            query = f"select true from ({from_file(file)}) where number is null and settled is not null limit 1"  # noqa: S608  # our own
            if database.execute(query).fetchone():
                raise LookAtAllError

    def _loaded(self, staging: Staging) -> bool:
        with ExitStack() as opened:
            base, changes = (opened.enter_context(file.open("wb")) for file in self._files)
            intact = snapshots.load(self._ledger, self._snapshot, base, changes, campaign=self._campaign)
        for file in self._files if intact else ():
            with file.open("rb") as content:
                staging.store(file.name, content)
        return intact

    def held_otherwise(self) -> pa.Array:
        """The users whom the campaign holds under other identifiers than their own, or who did not qualify."""
        from audiences.larger_than_memory import session

        with session(self._folder) as database:
            query = f"select distinct user_id from ({AS_TEXT} {from_file(self._files[1])}) where settled is null"  # noqa: S608  # our own file
            return database.sql(query).to_arrow_table().column("user_id").combine_chunks()


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
