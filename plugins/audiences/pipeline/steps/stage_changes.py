"""Stage the difference: the change file of each action, cut into requests; who is added is assigned as the rows pass."""

from __future__ import annotations

from bisect import bisect_left
from operator import methodcaller
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.facebook.contract import MAX_ROWS
from audiences.ledger.chunk_states import PlannedRequest, RequestAction
from audiences.pipeline.staging import change_file
from audiences.pipeline.steps.assigning import as_targets
from audiences.what.changes import CHANGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.pipeline.staging import Staging
    from audiences.what.changes import Counts
    from audiences.what.difference import Difference


def stage_changes(
    staging: Staging,
    difference: Difference,
    counts: Counts,
    *,
    keys: tuple[str, ...],
    earlier: tuple[str, ...] | None,
    assign: Callable[[pa.RecordBatch], None],
) -> list[PlannedRequest]:
    """The requests of a difference. Removals of rows under `earlier` keys are deferred until the additions are in."""
    removed, added = difference.changes("remove"), _assigned(difference.changes("add"), assign)
    return [
        *_stage(staging, "remove", counts.remove, removed, schema=earlier or keys, deferred=earlier is not None),
        *_stage(staging, "add", counts.add, added, schema=keys),
    ]


def _assigned(added: Iterator[pa.RecordBatch], assign: Callable[[pa.RecordBatch], None]) -> Iterator[pa.RecordBatch]:
    """The same batches, whose users are assigned to the targets as they pass."""
    for batch in added:
        assign(as_targets(batch.column("user_id")))
        yield batch


def _stage(
    staging: Staging,
    action: RequestAction,
    rows: int,
    changes: Iterator[pa.RecordBatch],
    *,
    schema: tuple[str, ...],
    deferred: bool = False,
) -> list[PlannedRequest]:
    """Write the change file of an action and cut it into requests."""
    if not rows:
        return []
    file = staging.unused(change_file(action))
    with staging.writer(file, CHANGES) as writer:
        for request in _by_request(changes):  # a row group each, so that it reads no rows but its own
            writer.write_table(request, row_group_size=request.num_rows)
    return [
        PlannedRequest(action, file, first, min(MAX_ROWS, rows - first), schema, deferred)
        for first in range(0, rows, MAX_ROWS)
    ]


def _by_request(changes: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The changes of one request after the other: MAX_ROWS positions, each of which several users may share."""
    begun: list[pa.RecordBatch] = []
    after = MAX_ROWS
    for batch in changes:
        rest = batch
        while len(rest) and rest.column("position")[-1].as_py() >= after:
            end = bisect_left(rest.column("position"), after, key=methodcaller("as_py"))
            yield pa.Table.from_batches([*begun, rest.slice(0, end)])
            begun, rest, after = [], rest.slice(end), after + MAX_ROWS
        begun.append(rest)
    if begun:
        yield pa.Table.from_batches(begun)
