"""What is written as a binary COPY is what Postgres reads, whatever the values and however the table is cut."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.ledger import binary_copy

KINDS = {
    "flag": (pa.bool_(), "boolean", st.booleans()),
    "small": (pa.int32(), "integer", st.integers(-(2**31), 2**31 - 1)),
    "word": (
        pa.string(),
        'text collate "C"',
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9),
    ),
    "large": (pa.int64(), "bigint", st.integers(-(2**63), 2**63 - 1)),
    "raw": (pa.binary(), "bytea", st.binary(max_size=9)),
    "other": (pa.bool_(), "boolean", st.booleans()),
}
ROWS = st.lists(st.tuples(*(values for _, _, values in KINDS.values())), max_size=30)
SCHEMA = pa.schema([(name, kind) for name, (kind, _, _) in KINDS.items()])


@pytest.fixture
def table(ledger):
    columns = ", ".join(f"{name} {kind}" for name, (_, kind, _) in KINDS.items())
    ledger.sql.execute(f"create temporary table copied ({columns}, at serial)".encode())
    return "copied"


@pytest.mark.integration
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(ROWS, st.integers(0, 3), st.data())
def test_rows_arrive_as_they_are_and_in_their_order(ledger, table, rows, skipped, data):
    order = data.draw(st.permutations(SCHEMA.names))
    whole = pa.Table.from_pylist([dict(zip(KINDS, row, strict=True)) for row in rows], schema=SCHEMA)
    part = pa.concat_tables([whole.slice(skipped), whole]).select(order)
    with ledger.sql.transaction(force_rollback=True):
        binary_copy.append(ledger.sql, table, part)
        found = ledger.sql.execute(f"select {', '.join(KINDS)} from copied order by at".encode()).fetchall()
    assert found == [*rows[skipped:], *rows]


@pytest.mark.integration
def test_more_rows_than_go_at_a_time_all_arrive(ledger, table):
    many = pa.table({"small": pa.array(range(25_001), pa.int32())})
    binary_copy.append(ledger.sql, table, many)
    assert ledger.number("select sum(small)::int from copied") == sum(range(25_001))


def test_a_null_is_refused_before_anything_is_written():
    batch = pa.RecordBatch.from_pydict({"word": pa.array(["a", None])})
    with pytest.raises(ValueError, match="a null in word"):
        binary_copy.encoded(batch)


def test_a_column_of_another_type_is_refused():
    batch = pa.RecordBatch.from_pydict({"share": pa.array([0.5])})
    with pytest.raises(TypeError, match="share is double"):
        binary_copy.encoded(batch)
