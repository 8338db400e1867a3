#!/usr/bin/env bash
# pyarrow 26.0.1: binary_join_element_wise(..., null_handling="skip") leaves out of its result every row in which all
# values are null. The result is shorter than the input, and what follows it stands in the wrong row. The documentation
# of "skip" speaks of the null values of a row, not of the row, and every other element-wise function keeps the length.
# "replace" keeps the length: with an empty replacement such a row holds the separator alone.
#
# Seen:    3 rows in, of which the second is all null: 2 rows out; 3 rows of nulls in: 0 rows out.
# Guard:   exit 1 if the length of the result is right again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import pyarrow as pa
import pyarrow.compute as pc

first = pa.array(["a", None, "c"], pa.string())
second = pa.array(["x", None, None], pa.string())
skipped = pc.binary_join_element_wise(first, second, "-", null_handling="skip")
replaced = pc.binary_join_element_wise(first, second, "-", null_handling="replace", null_replacement="")
nothing = pc.binary_join_element_wise(pa.nulls(3, pa.string()), pa.nulls(3, pa.string()), "-", null_handling="skip")
print(f"pyarrow {pa.__version__}")
print(f"skip:    {len(first)} rows in, {len(skipped)} out: {skipped.to_pylist()}")
print(f"replace: {len(first)} rows in, {len(replaced)} out: {replaced.to_pylist()}")
print(f"skip of nulls alone: 3 rows in, {len(nothing)} out")
sys.exit(0 if (len(skipped), len(replaced), len(nothing)) == (2, 3, 0) else "the behaviour has changed")
PYTHON
