"""The agreed cases: raw input, what Facebook should receive, and the source that says so."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from tests.what.identifiers import messy
from tests.what.identifiers.messy import TODAY, agreed

from audiences.campaign.identifiers import FIELDS
from audiences.what.identifiers.column import encode_column
from audiences.what.identifiers.hashing import sha256_hex
from audiences.what.identifiers.lines import normalise_lines
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

CASES: list[dict[str, Any]] = agreed("vectors.json")
per_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['field']}-{case['input']!a}")


@per_case
def test_one_value_is_normalised_as_agreed(case: dict[str, Any]):
    outcome = normalise_one(case["field"], case["input"], Context(today=TODAY, **case["context"]))

    assert (outcome.normalised, outcome.sha256) == (case["normalised"], case["sha256"])
    assert (outcome.reason is None) == (case["normalised"] is not None)


@per_case
def test_a_column_is_encoded_as_agreed(case: dict[str, Any]):
    context = Context(today=TODAY, **case["context"])
    encoded = encode_column(case["field"], pa.array([case["input"], None, case["input"]]), context)

    cells = {key: _cell(part, case) for key, part in _parts(case).items()}
    assert {key: column.to_pylist() for key, column in encoded.columns.items()} == {
        key: [cell, None, cell] for key, cell in cells.items()
    }
    assert sum(encoded.rejected.values()) == (2 if case["normalised"] is None else 0)


def _parts(case: dict[str, Any]) -> dict[str, str | None]:
    keys, full_set = FIELDS[case["field"]].keys, case["normalised"]
    if len(keys) == 1 or full_set is None:
        return dict.fromkeys(keys, full_set)
    return {"DOBY": full_set[:4], "DOBM": full_set[4:6], "DOBD": full_set[6:]}


def _cell(part: str | None, case: dict[str, Any]) -> str | bytes | None:
    if part is None or not case["hash"]:
        return part
    return bytes.fromhex(part if case["context"].get("pre_hashed") else sha256_hex(part))


def test_lines_are_answered_as_agreed():
    asked = [json.dumps({"field": case["asked"], "input": case["input"], "context": case["context"]}) for case in CASES]
    answers = [json.loads(line) for line in normalise_lines(asked, today=TODAY)]

    assert [(answer["normalised"], answer["sha256"]) for answer in answers] == [
        (case["normalised"], case["sha256"]) for case in CASES
    ]


def test_every_identifier_has_cases():
    assert set(messy.USUAL) == set(FIELDS), "each identifier needs usual values in messy.py"
    assert {case["field"] for case in CASES} == set(FIELDS), "each identifier needs agreed cases in vectors.json"
