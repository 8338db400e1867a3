"""Values as real tables hold them, by kind; any of the expected ones is right, and none of the others is."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from tests.what.identifiers.messy import TODAY, agreed

from audiences.campaign.identifiers import FIELDS
from audiences.what.identifiers.column import encode_column
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

CASES: list[dict[str, Any]] = agreed("table_cases.json")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['input']!a}")
def test_a_value_of_a_table_is_read_right_or_not_at_all(case: dict[str, Any]):
    context = Context(today=TODAY, **case["context"])
    outcome = normalise_one(case["field"], case["input"], context)
    cell = encode_column(case["field"], pa.array([case["input"]]), context).values[0].as_py()

    assert outcome.normalised in case["expected"]
    hashed = FIELDS[case["field"]].hashed
    assert (cell.hex() if cell and hashed else cell) == (outcome.sha256 if hashed else outcome.normalised)
