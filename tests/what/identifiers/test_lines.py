from __future__ import annotations

import json

import pytest
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.lines import normalise_lines


def answers(*lines: str) -> list[str]:
    return list(normalise_lines(lines, today=TODAY))


def test_a_value_is_answered_with_its_normal_form_and_hash():
    (line,) = answers('{"field": "first_name", "input": " Val\\u00e9ry ", "context": {}}\n')

    assert line.isascii()
    assert json.loads(line) == {
        "normalised": "valéry",
        "sha256": "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
    }


def test_a_key_that_is_not_hashed_has_no_hash():
    (line,) = answers('{"field": "external_id", "input": "CUST-001"}')
    assert json.loads(line) == {"normalised": "CUST-001", "sha256": None}


def test_a_rejected_value_is_answered_with_nulls_and_the_reason():
    (line,) = answers('{"field": "email", "input": null, "context": null}')
    assert json.loads(line) == {"normalised": None, "sha256": None, "reason": "empty"}


def test_the_context_is_taken_into_account():
    (line,) = answers('{"field": "phone", "input": "020 7946 0958", "context": {"default_country": "GB"}}')
    assert json.loads(line)["normalised"] == "442079460958"


def test_blank_lines_and_other_keys_are_passed_over():
    assert len(answers("", "\n", '{"field": "email", "input": "a@b.co", "note": 1}', " ")) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("jane@example.com", "Invalid JSON"),
        ('"jane@example.com"', "should be an object"),
        ('["jane@example.com"]', "should be an object"),
        ('{"field": "email"}', "input: Field required"),
        ('{"input": "jane@example.com"}', "field: Field required"),
        ('{"field": "emial", "input": "jane@example.com"}', "field: unknown, known are city,"),
        ('{"field": "email", "input": ["jane@example.com"]}', "input: Input should be a valid string"),
        ('{"field": "phone", "input": 16505551212}', "input: Input should be a valid string"),
        ('{"field": "email", "input": "jane@example.com", "context": {"vanity": 1}}', "context.vanity"),
        ('{"field": "dob", "input": "1.2.1990", "context": {"date_order": "MYD"}}', "context.date_order"),
        ('{"field": "dob", "input": "1.2.1990", "context": {"country_code": "US"}}', "context.country_code"),
        ('{"field": "email", "input": "jane@example.com\\ud800"}', "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ("\x00", "Invalid JSON"),
        ("jane\udcff@example.com", "unicode"),
    ],
)
def test_a_line_that_cannot_be_read_is_answered_with_an_error_that_repeats_no_value(line: str, problem: str):
    good = '{"field": "email", "input": "bob@example.com"}'
    first, second, third = answers(good, line, good)

    assert second.startswith('{"error":')
    assert json.loads(second)["error"].startswith("line 2: ")
    assert problem in json.loads(second)["error"]
    assert "jane" not in second
    assert first == third
    assert not first.startswith('{"error":')
