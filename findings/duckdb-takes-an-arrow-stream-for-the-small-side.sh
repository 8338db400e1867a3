#!/usr/bin/env bash
# duckdb 2.0.0: a registered Arrow stream (a RecordBatchReader, of which nobody knows the length) counts as one row when a join is
# planned. So the join makes its hash table of the stream and lets the table, however small it is, run past that. A left join of a
# stream with a table gives its first answer only when the stream has ended, and by then all of it lies in memory or on disk.
# Without the optimizers `build_side_probe_side` and `join_order` the right side is kept and the stream flows.
#
# Seen:    a stream of 20 batches beside a table of 200,000 rows: 20 batches are taken before the first row comes out; with the
#          two optimizers off, 2.
# Guard:   exit 1 if the stream flows by itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.0 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import duckdb
import pyarrow as pa

BATCHES, ROWS = 20, 50_000
SCHEMA = pa.schema([("id", pa.string())])


def taken_before_the_first_row(off: str) -> int:
    """How many batches of the stream are read until the join gives its first row."""
    taken = 0

    def stream():
        nonlocal taken
        for number in range(BATCHES):
            taken += 1
            ids = map(str, range(number * ROWS, (number + 1) * ROWS))
            yield pa.RecordBatch.from_arrays([pa.array(ids)], schema=SCHEMA)

    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(f"set disabled_optimizers = '{off}'")
        database.execute("create temp table known as select i::varchar as id, i as number from range(200000) t(i)")
        database.register("stream", pa.RecordBatchReader.from_batches(SCHEMA, stream()))
        joined = database.sql("select s.id, k.number from stream s left join known k on s.id = k.id")
        joined.to_arrow_reader(10_000).read_next_batch()
    return taken


as_planned, as_written = taken_before_the_first_row(""), taken_before_the_first_row("build_side_probe_side,join_order")
print(f"duckdb {duckdb.__version__}, a stream of {BATCHES} batches")
print(f"as it is planned: {as_planned} batches are taken before the first row")
print(f"as it is written: {as_written}")
sys.exit(0 if as_planned == BATCHES and as_written < BATCHES // 2 else "the behaviour has changed")
PYTHON
