"""An id comes out of a snapshot's file as it went in, whether it is there as a number or as text."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.pipeline.staging import SNAPSHOT
from audiences.pipeline.steps.known.snapshot_rows import AS_NUMBERS, AS_TEXT, NUMBERED, numbered

IDS = st.one_of(
    st.integers(-(2**63) - 1, 2**63).map(str), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)


def rows(ids: list[str]) -> pa.RecordBatch:
    others = [pa.nulls(len(ids), field.type) for field in SNAPSHOT if field.name != "user_id"]
    return pa.RecordBatch.from_arrays([pa.array(ids, pa.string()), *others], schema=SNAPSHOT)


def selected(columns: str, batch: pa.RecordBatch) -> list[object]:
    with duckdb.connect() as database:
        database.register("given", pa.Table.from_batches([batch]))
        return [row[0] for row in database.execute(f"{columns} from given").fetchall()]


@given(st.lists(IDS, max_size=5))
def test_ids_are_the_same_text_afterwards(ids: list[str]) -> None:
    batch = numbered(rows(ids))
    assert batch.schema == NUMBERED
    written = (column.to_pylist() for column in batch.columns[:2])
    assert [str(number) if text is None else text for number, text in zip(*written, strict=True)] == ids


@pytest.mark.parametrize("others", [["07"], ["+7"], [" 7"], ["7 "], ["7.0"], ["-0"], ["a"], [""], [str(2**63)], ["٧"]])
def test_an_id_that_is_not_written_as_postgres_writes_a_number_is_text(others: list[str]) -> None:
    assert numbered(rows(["7", *others])).column("number").null_count == 1 + len(others)
    assert selected(AS_TEXT, numbered(rows(["7", *others]))) == ["7", *others]


def test_numbers_are_numbers() -> None:
    ids = ["0", "-1", "7", str(2**63 - 1), str(-(2**63))]
    assert selected(AS_NUMBERS, numbered(rows(ids))) == list(map(int, ids))
    assert selected(AS_TEXT, numbered(rows(ids))) == ids
