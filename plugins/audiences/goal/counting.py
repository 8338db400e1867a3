"""Users, converters and revenue of a campaign's arms: assignments joined to the goal's events.

Ledger and warehouse may be two servers and the warehouse a read replica, so neither is asked to join. Both are streamed
into DuckDB, which keeps to a memory limit and spills to disk. The statements are in `include/sql/goal/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from audiences.sql import statement
from audiences.user_ids import USER_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

MEMORY = "256MB"
_INSTANT = pa.timestamp("us", tz="UTC")
ASSIGNED = pa.schema([USER_ID, ("arm", pa.string()), ("run_id", pa.int64())])
HAPPENED = pa.schema([USER_ID, ("occurred_at", _INSTANT), ("amount", pa.float64())])
_RUNS = pa.schema(
    [
        ("run_id", pa.int64()),
        ("assigned_at", _INSTANT),
        ("starts", _INSTANT),
        ("ends", _INSTANT),
        ("terms", pa.string()),
    ]
)
_WINDOWS = pa.schema(
    [
        *((name, _INSTANT) for name in ("first_assigned", "last_assigned", "first_start", "first_end", "last_end")),
        *((name, pa.int64()) for name in ("spared", "begun", "missed")),
    ]
)


@dataclass(frozen=True, slots=True)
class AssignmentWindows:
    """A run that may have assigned users: their windows are (starts, ends]; `terms` are salts and percentages."""

    run_id: int
    assigned_at: datetime
    starts: datetime
    ends: datetime
    terms: str


@dataclass(frozen=True, slots=True)
class Windows:
    """When users were assigned, and the first and the last of their windows.

    `spared` users were targeted by name, not by chance, and are left out of everything else. `begun` were assigned after
    their window had begun, `missed` of them after it had ended.
    """

    first_assigned: datetime
    last_assigned: datetime
    first_start: datetime
    first_end: datetime
    last_end: datetime
    spared: int
    begun: int
    missed: int


@dataclass(frozen=True, slots=True)
class Count:
    """Users of one arm, assigned under the same terms, whose windows have all ended or are all open.

    A user is one of `converters` however often he converts; `conversions` counts the events, `amounts` those with one;
    `revenue_squared` is the sum of the squares of each user's revenue.
    """

    arm: str
    terms: str
    ended: bool
    users: int
    converters: int = 0
    conversions: int = 0
    amounts: int = 0
    revenue: Decimal = Decimal(0)
    revenue_squared: float = 0.0


class Read:
    """What passed by while events were read: how many, and the time of the newest."""

    def __init__(self) -> None:
        self.rows = 0
        self.newest: datetime | None = None

    def through(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches, looked at."""
        for batch in batches:
            newest = pc.max(batch.column("occurred_at")).as_py()
            if newest is not None:
                self.rows += batch.num_rows
                self.newest = max(newest, self.newest or newest)
            yield batch


class Counting:
    """One count: give the assignments, ask for the `windows`, give the events of that time, then ask for the `counts`."""

    def __init__(self, spill: Path) -> None:
        self._database = duckdb.connect(config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(spill)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def assign(
        self, runs: Iterable[AssignmentWindows], assigned: Iterable[pa.RecordBatch], spared: Iterable[str]
    ) -> None:
        """Say who was assigned (as ASSIGNED), by which runs, and who was not chosen by chance (`spared`).

        Who was assigned by a run that is not among `runs` is left out.
        """
        rows = [{name: getattr(run, name) for name in _RUNS.names} for run in runs]
        self._database.register("runs", pa.Table.from_pylist(rows, schema=_RUNS))
        self._database.execute("create table run as from runs")
        self._database.register("spared", pa.table({"user_id": pa.array(list(spared), pa.string())}))
        self._stream("create table everyone as from incoming semi join run using (run_id)", assigned, ASSIGNED)
        self._database.execute("create view assigned as from everyone anti join spared using (user_id)")

    def windows(self) -> Windows | None:
        """When the windows begin and end; None when nobody is assigned."""
        # By way of Arrow, because the Python values of DuckDB's timestamps would need pytz.
        found = self._database.sql(statement("goal/windows")).to_arrow_table().cast(_WINDOWS).to_pylist()[0]
        return None if found["first_start"] is None else Windows(**found)

    def convert(self, happened: Iterable[pa.RecordBatch]) -> Read:
        """Give the events (as HAPPENED) of the time of the windows, in any order; raises what reading them raises."""
        read = Read()
        self._stream(f"create table converted as {statement('goal/converted')}", read.through(happened), HAPPENED)
        return read

    def counts(self, at: datetime) -> list[Count]:
        """What everyone assigned did; windows that end up to `at` have ended. After `convert`."""
        return [Count(*row) for row in self._database.execute(statement("goal/counted"), {"at": at}).fetchall()]

    def _stream(self, query: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Run a query over `incoming`, which is read once and never whole."""
        failed: list[Exception] = []

        def remembered() -> Iterator[pa.RecordBatch]:
            try:
                for batch in batches:
                    yield batch.cast(schema)
            except Exception as error:
                failed.append(error)
                raise

        self._database.register("incoming", pa.RecordBatchReader.from_batches(schema, remembered()))
        try:
            self._database.execute(query)
        except duckdb.Error:
            if failed:  # DuckDB makes a text of whatever fails under it
                raise failed[0] from None
            raise
        finally:
            self._database.unregister("incoming")
