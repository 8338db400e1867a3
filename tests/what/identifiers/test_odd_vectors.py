"""Stranger cases by the same rules: scripts, invisible characters, extensions, trunk prefixes, leap days, other spellings."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pytest
from tests.what.identifiers.messy import TODAY, agreed

from audiences.campaign.identifiers import FIELDS
from audiences.what.identifiers.column import encode_column
from audiences.what.identifiers.hashing import sha256_hex
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

CASES: list[dict[str, Any]] = agreed("odd_vectors.json")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['field']}-{case['input']!a}")
def test_one_value_is_normalised_by_the_rules(case):
    outcome = normalise_one(case["field"], case["input"], Context(today=TODAY, **case["context"]))

    assert outcome.normalised == case["normalised"]
    assert (outcome.reason is None) == (outcome.normalised is not None)


def test_a_bad_value_costs_its_cell_and_no_other_of_the_column():
    columns = defaultdict(list)
    for case in CASES:
        if len(FIELDS[case["field"]].keys) == 1:
            columns[case["field"], json.dumps(case["context"])].append(case)
    for (field, context), cases in columns.items():
        known = Context(today=TODAY, **json.loads(context))
        encoded = encode_column(field, pa.array([case["input"] for case in cases], pa.string()), known)
        (column,) = encoded.columns.values()
        assert column.to_pylist() == [_cell(case) for case in cases]
        assert sum(encoded.rejected.values()) == sum(
            case["normalised"] is None and case["input"] is not None for case in cases
        )


def _cell(case: dict[str, Any]) -> bytes | str | None:
    normalised = case["normalised"]
    if normalised is None or not FIELDS[case["field"]].hashed:
        return normalised
    return bytes.fromhex(normalised if case["context"].get("pre_hashed") else sha256_hex(normalised))
