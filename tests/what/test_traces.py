"""What names an erased person in a text, and what does not."""

from __future__ import annotations

from datetime import date

import pytest

from audiences.query.key_spelling import KeySpelling
from audiences.what.erased import Erased
from audiences.what.identifiers.hashing import sha256_hex
from audiences.what.rows import KEYS
from audiences.what.traces import Traces

SALT = b"salt"
EMAIL, PHONE = sha256_hex("jane@example.com"), sha256_hex("442079460958")


def cell(key: str, value: bytes) -> bytes:
    return bytes([KEYS[key], len(value)]) + value


@pytest.fixture
def traces() -> Traces:
    nobody = Erased(SALT, frozenset())
    row = cell("EMAIL", bytes.fromhex(EMAIL)) + cell("PHONE", bytes.fromhex(PHONE)) + cell("EXTERN_ID", b"crm-00815")
    digests = {nobody.digest_of_user("471"), nobody.digest_of_user("user-4711"), *nobody.digests_of_row(row)}
    return Traces(Erased(SALT, frozenset(digests)), frozenset({"customer_id"}), date(2026, 11, 29), "GB")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("cannot handle Jane@Example.COM.", "cannot handle [erased]."),
        ('{"a": "jane@example.com"}', '{"a": "[erased]"}'),
        ("<jane@example.com>, john@example.com", "<[erased]>, john@example.com"),
        ("call +44 20 7946 0958 now", "call [erased] now"),
        ("call 020 7946 0958", "call [erased]"),
        ("call 020 7946 0959", "call 020 7946 0959"),
        (f"hash {EMAIL.upper()} and {PHONE}", "hash [erased] and [erased]"),
        ("user user-4711: opted out", "user [erased]: opted out"),
        ("user user-47110", "user user-47110"),
        ("crm-00815", "[erased]"),
        ("at least 471 of them", "at least 471 of them"),
        ("2026-11-29 12:00:00+00:00", "2026-11-29 12:00:00+00:00"),
        ("", ""),
    ],
)
def test_a_text(traces: Traces, text: str, left: str) -> None:
    assert traces.without(text) == left
    assert traces.without(left) == left


def test_a_document(traces: Traces) -> None:
    document = {
        "never_hold_out": [471, "user-4711", 5],
        "customer_id": {"in": [471, 472]},
        "age": {"at_least": 471},
        "deep": [{"email": "jane@example.com"}, True, None, 1.5],
    }
    assert traces.cleaned(document) == {
        "never_hold_out": [5],
        "customer_id": {"in": ["[erased]", 472]},
        "age": {"at_least": 471},
        "deep": [{"email": "[erased]"}, True, None, 1.5],
    }
    assert traces.cleaned({"never_hold_out": 471}) == {"never_hold_out": []}
    assert traces.cleaned({"never_hold_out": 5}) == {"never_hold_out": 5}


NUMBERED = {"never_hold_out": ["007", 7.0, 7, " +7 ", "7e0", "70", 8, "0x7"], "age": {"at_least": 7}}


def test_a_number_is_the_id_in_any_spelling_where_the_key_is_a_number() -> None:
    erased = Erased(SALT, frozenset({Erased(SALT, frozenset()).digest_of_user("7")}))
    numbers = Traces(erased, frozenset(), date(2026, 11, 29), spelling=KeySpelling(numbers=True))
    assert numbers.cleaned(NUMBERED) == {"never_hold_out": ["70", 8, "0x7"], "age": {"at_least": 7}}
    texts = Traces(erased, frozenset(), date(2026, 11, 29))
    assert texts.cleaned(NUMBERED)["never_hold_out"] == ["007", 7.0, " +7 ", "7e0", "70", 8, "0x7"]
    assert numbers.without("row 000007, 000007.0 of 7") == "row 000007, 000007.0 of 7", (
        "short ones are numbers like any other"
    )


def test_a_uuid_is_the_id_in_any_spelling_where_the_key_is_one() -> None:
    one = "0a1b2c3d-0000-4000-8000-00000000000a"
    erased = Erased(SALT, frozenset({Erased(SALT, frozenset()).digest_of_user(one)}))
    traces = Traces(erased, frozenset(), date(2026, 11, 29), spelling=KeySpelling(uuids=True))
    spelled = [one, one.upper(), f"{{{one}}}", one.replace("-", ""), f" {one}"]
    assert traces.listed([*spelled, one[:-1] + "b"]) == [one[:-1] + "b"]
    assert traces.without(f"user {one.upper()}: no") == "user [erased]: no"
