"""Sets far larger than DuckDB's memory limit are compared on disk: so many that each answer alone is larger."""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from tests.what.test_difference import HELD, ME

from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long
USERS, BATCH = 3_000_000, 50_000


def candidates() -> Iterator[pa.RecordBatch]:
    for first in range(0, USERS, BATCH):
        users = [str(number) for number in range(first, first + BATCH)]
        rows = [sha256(user.encode()).digest() * 2 for user in users]
        yield pa.RecordBatch.from_arrays(
            [pa.array(users), pa.array(rows, pa.binary()), pa.nulls(BATCH, pa.binary())], schema=CANDIDATES
        )


def test_the_first_sync_of_millions_goes_through_disk(tmp_path):
    """The second answer has still to fit when the tables and the first one have filled what memory there is."""
    with closing(Difference(campaign=ME, action="mirror", spill=tmp_path)) as difference:
        difference.hold(HELD.empty_table().to_reader())
        difference.want(pa.RecordBatchReader.from_batches(CANDIDATES, candidates()))
        assert difference.compute().add == USERS
        held_out = pa.table({"user_id": ["in_control"], "arm": ["system"]}).to_reader()
        assert sum(batch.num_rows for batch in difference.assigned(held_out, added=False)) == USERS + 1
        assert sum(batch.num_rows for batch in difference.changes("add")) == USERS
