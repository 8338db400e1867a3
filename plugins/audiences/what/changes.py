"""What a comparison is given and finds, as columns: who is wanted, and the memberships that begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.user_ids import USER_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CANDIDATES = pa.schema([USER_ID, ("identifiers", pa.binary()), ("rank", pa.binary())])
"""Who is to be in an audience, with the place in the order of a cap, where there is one."""
CHANGES = pa.schema(
    [
        ("action", pa.string()),
        ("position", pa.int64()),
        ("campaign_id", pa.int32()),
        USER_ID,
        ("identifiers", pa.binary()),
        ("present", pa.bool_()),
        ("begins", pa.bool_()),
        ("gone", pa.bool_()),
    ]
)
ADDED = {"action": "add", "present": True, "begins": True, "gone": False}
"""What is the same of all memberships that hang on a request to add."""
_NONE: Final = pa.scalar(None, pa.binary())


@dataclass(frozen=True, slots=True)
class Counts:
    """How many users and request rows a difference concerns.

    `targeted` users are wanted after the cap; of them `begun` are new or, those `rekeyed`, members with new identifiers. `left`
    users are held by the campaign and no longer wanted; `expired` ones leave because their time is up; `gone` are all who
    leave, members of other campaigns too where users are taken out; `held` is how many it holds before. `add` and `remove`
    count rows to send; `quarantined` of those begun are not sent, as their rows were refused before. Once all of it is done,
    there are `memberships_after` of all campaigns in the audience, with `rows_after` different rows.
    """

    candidates: int
    targeted: int
    begun: int
    rekeyed: int
    left: int
    expired: int
    gone: int
    held: int
    add: int
    remove: int
    quarantined: int
    memberships_after: int
    rows_after: int


def numbered(batches: Iterable[pa.RecordBatch], same: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
    """With the position of each membership's row among those to send: one more wherever the identifiers change."""
    position, last = -1, _NONE
    for batch in filter(len, batches):
        rows = batch.column("identifiers")
        positions = pc.add(pc.cumulative_sum(starts(rows, last).cast(pa.int64())), position)
        yield placed(batch, positions, same)
        position, last = positions[-1].as_py(), rows[-1]


def starts(rows: pa.Array, last: pa.Scalar = _NONE) -> pa.Array:
    """Where another row comes than right before; `last` is the one before all of them."""
    return pa.concat_arrays([pa.array([rows[0] != last]), pc.not_equal(rows.slice(1), rows.slice(0, len(rows) - 1))])


def placed(batch: pa.RecordBatch, positions: pa.Array | None, same: Mapping[str, object]) -> pa.RecordBatch:
    """With these positions, and with what is the `same` in all of them, as CHANGES."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns |= {name: pa.repeat(pa.scalar(value), len(batch)) for name, value in same.items()}
    columns["position"] = pa.nulls(len(batch)) if positions is None else positions
    return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in CHANGES], schema=CHANGES)
