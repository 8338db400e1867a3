"""Rows that are sorted in runs on disk: all of them come back in order, and they can be read again."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.what import sorted_runs
from audiences.what.sorted_runs import SortedRuns

ROWS = pa.schema([("user_id", pa.string()), ("number", pa.int64())])
users = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)


def given_in_batches(runs: SortedRuns, names: list[str], size: int) -> list[tuple[str, int]]:
    rows = list(zip(names, range(len(names)), strict=True))
    for first in range(0, len(rows), size):
        some = [dict(zip(ROWS.names, row, strict=True)) for row in rows[first : first + size]]
        runs.add(pa.RecordBatch.from_pylist(some, schema=ROWS))
    return rows


def tuples(batches) -> list[tuple[str, int]]:
    return [(row["user_id"], row["number"]) for batch in batches for row in batch.to_pylist()]


@settings(max_examples=50)
@given(st.lists(users, max_size=60), st.integers(1, 9), st.integers(1, 20), st.integers(1, 5), st.integers(1, 7))
def test_all_rows_come_in_order_whatever_the_size_of_runs_and_pieces(
    tmp_path_factory, names, size, run_rows, piece_rows, stride
):
    with pytest.MonkeyPatch.context() as patch:
        for constant, value in (
            ("RUN_ROWS", run_rows),
            ("PIECE_ROWS", piece_rows),
            ("_STRIDE", stride),
            ("_RANGE_ROWS", 7),
        ):
            patch.setattr(sorted_runs, constant, value)
        runs = SortedRuns(ROWS, tmp_path_factory.mktemp("runs"))
        rows = given_in_batches(runs, names, size)
        batches = list(runs.merged())
        assert sorted(tuples(runs.rows())) == sorted(rows)
        assert tuples(runs.merged()) == tuples(batches)
    found = tuples(batches)
    assert sorted(found) == sorted(rows)
    # As Postgres orders them in its C collation.
    assert [user for user, _ in found] == sorted((user for user, _ in rows), key=str.encode)
    assert all(
        one.column("user_id")[-1].as_py() != other.column("user_id")[0].as_py() for one, other in pairwise(batches)
    )


def test_few_rows_make_no_file(tmp_path):
    runs = SortedRuns(ROWS, tmp_path)
    given_in_batches(runs, ["b", "a"], 1)
    assert [user for user, _ in tuples(runs.merged())] == ["a", "b"]
    assert list(tmp_path.iterdir()) == []
