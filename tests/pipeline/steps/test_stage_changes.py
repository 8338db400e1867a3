"""The change file of an action: each of its requests has a row group of its own, so that it reads no rows but these."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.pipeline.staging import Staging
from audiences.pipeline.steps import stage_changes
from audiences.what.changes import CHANGES

MOST = 3


def batches(positions: list[int], size: int):
    same = {"action": "add", "campaign_id": 1, "present": True, "begins": True, "gone": False}
    rows = [
        {**same, "position": position, "user_id": str(number), "identifiers": bytes([position])}
        for number, position in enumerate(positions)
    ]
    for first in range(0, len(rows), size):
        yield pa.RecordBatch.from_pylist(rows[first : first + size], schema=CHANGES)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(1, 8))
def test_each_request_has_its_positions_in_a_row_group_however_many_users_share_them(tmp_path_factory, users, size):
    positions = [position for position, sharing in enumerate(users) for _ in range(sharing)]
    folder = tmp_path_factory.mktemp("staging")
    staging = Staging(str(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_changes, "MAX_ROWS", MOST)
        planned = stage_changes._stage(staging, "add", len(users), batches(positions, size), schema=())
    groups = pq.ParquetFile(folder / planned[0].file)
    read = [groups.read_row_group(number).column("position").to_pylist() for number in range(groups.num_row_groups)]
    assert read == [
        [position for position in positions if request.first_row <= position < request.first_row + request.rows]
        for request in planned
    ]
