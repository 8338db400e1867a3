from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.what.identifiers.messy import COUNTRIES, TODAY, contexts, values_of

from audiences.campaign.identifiers import FIELDS
from audiences.what.identifiers.column import Encoded, encode_column
from audiences.what.identifiers.hashing import sha256_hex
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

CONTEXT = Context(today=TODAY)
SINGLE = sorted({field.name for field in FIELDS.values() if len(field.keys) == 1})


def digest(text: str) -> bytes:
    return bytes.fromhex(sha256_hex(text))


def assert_cells_match_single_values(
    field: str, values: list[str | None], context: Context, countries: list[str | None] | None = None
):
    """`encode_column` says of every row what `normalise_one` says, and counts what it rejects."""
    encoded = encode_column(
        field, pa.array(values, pa.string()), context, None if countries is None else pa.array(countries, pa.string())
    )
    rows = countries or [None] * len(values)
    expected, rejected = [], {}
    for value, country in zip(values, rows, strict=True):
        one = normalise_one(field, value, replace(context, country=country) if country else context)
        assert one.reason != "unreadable"
        if one.normalised is None:
            expected.append(None)
        else:
            expected.append(bytes.fromhex(one.sha256) if FIELDS[field].hashed else one.normalised)
        if value is not None and one.reason:
            rejected[one.reason] = rejected.get(one.reason, 0) + 1
    assert encoded.values.to_pylist() == expected
    assert encoded.rejected == rejected


@pytest.mark.parametrize("field", SINGLE)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_column_says_what_single_values_say(field: str, data: st.DataObject):
    values = data.draw(st.lists(st.none() | values_of(field), min_size=1, max_size=25))
    assert_cells_match_single_values(field, values, data.draw(contexts))


@pytest.mark.parametrize("field", ["phone", "region", "zip"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_each_row_is_read_with_its_own_country(field: str, data: st.DataObject):
    rows = data.draw(st.lists(st.tuples(values_of(field), st.sampled_from(COUNTRIES)), min_size=1, max_size=25))
    values, countries = zip(*rows, strict=True)
    # A row that says nothing about the country falls back to the context, which normalise_one is not told here.
    known = [None if country in ("n/a", "") else country for country in countries]
    assert_cells_match_single_values(field, list(values), data.draw(contexts), known)


@pytest.mark.parametrize("field", SINGLE)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_column_declared_as_hashed_says_what_single_values_say(field: str, data: st.DataObject):
    values = data.draw(st.lists(values_of(field), min_size=1, max_size=15))
    assert_cells_match_single_values(field, values, replace(data.draw(contexts), pre_hashed=True))


@settings(max_examples=30, deadline=None)
@given(values=st.lists(values_of("date_of_birth"), min_size=1, max_size=20), context=contexts)
def test_a_date_of_birth_fills_three_columns(values: list[str], context: Context):
    encoded = encode_column("date_of_birth", pa.array(values), context)

    outcomes = [normalise_one("date_of_birth", value, context).normalised for value in values]
    for key, start, stop in (("DOBY", 0, 4), ("DOBM", 4, 6), ("DOBD", 6, 8)):
        assert encoded.columns[key].to_pylist() == [one and digest(one[start:stop]) for one in outcomes]
    assert sum(encoded.rejected.values()) == outcomes.count(None)


def test_nulls_are_absent_and_blanks_are_rejected():
    encoded = encode_column("email", pa.array([None, "", " ", "n/a", "jane@example.com"]), CONTEXT)

    assert encoded.values.to_pylist() == [None, None, None, None, digest("jane@example.com")]
    assert encoded.rejected == {"empty": 2, "placeholder": 1}


def test_a_raw_column_that_holds_hashes_is_counted_and_never_hashed_again():
    values = pa.array([sha256_hex("jane@example.com"), "5d41402abc4b2a76b9719d911017c592", "jane@example.com"])
    encoded = encode_column("email", values, CONTEXT)

    assert encoded.values.to_pylist() == [None, None, digest("jane@example.com")]
    assert encoded.rejected == {"already hashed": 1, "already hashed as MD5": 1}


def test_a_hashed_column_that_holds_raw_values_is_counted_and_never_sent():
    values = pa.array([sha256_hex("jane@example.com").upper(), "jane@example.com", sha256_hex("")])
    encoded = encode_column("email", values, replace(CONTEXT, pre_hashed=True))

    assert encoded.values.to_pylist() == [digest("jane@example.com"), None, None]
    assert encoded.rejected == {"not a SHA-256 hash": 1, "hash of nothing": 1}


def test_a_date_of_birth_cannot_be_hashed_before():
    with pytest.raises(ValueError, match="DOBY, DOBM, DOBD, each hashed by itself"):
        encode_column("date_of_birth", pa.array([sha256_hex("19970216")]), replace(CONTEXT, pre_hashed=True))


@pytest.mark.parametrize(
    ("field", "values", "normalised"),
    [
        ("phone", pa.array([16505551212], pa.int64()), "16505551212"),
        ("phone", pa.array([Decimal(16505551212)]), "16505551212"),
        ("zip", pa.array([94035], pa.int32()), "94035"),
        ("gender", pa.array(["Female"]).dictionary_encode(), "f"),
        ("city", pa.array(["Köln"], pa.large_string()), "koln"),
        ("city", pa.array(["Köln"], pa.string_view()), "koln"),
        ("email", pa.chunked_array([["jane@example.com"], []], pa.string()), "jane@example.com"),
    ],
)
def test_columns_of_other_types_are_read_as_text(field: str, values: pa.Array, normalised: str):
    context = replace(CONTEXT, default_country="us" if field == "phone" else None)
    assert encode_column(field, values, context).values.to_pylist() == [digest(normalised)]


def test_dates_of_the_warehouse_are_read_as_dates():
    for values in (pa.array([date(1997, 2, 16)]), pa.array([date(1997, 2, 16)]).cast(pa.timestamp("us", "UTC"))):
        assert encode_column("date_of_birth", values, CONTEXT).columns["DOBM"].to_pylist() == [digest("02")]


@pytest.mark.parametrize("values", [pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.nulls(3)])
@pytest.mark.parametrize("field", sorted(FIELDS))
def test_columns_without_values_give_columns_without_cells(field: str, values: pa.Array):
    encoded = encode_column(field, values, CONTEXT, pa.nulls(len(values), pa.string()))

    assert all(cells.to_pylist() == [None] * len(values) for cells in encoded.columns.values())
    assert not encoded.rejected


def test_a_slice_of_a_column_is_read_from_where_it_starts():
    values = pa.array(["a@b.co", "jane@example.com", "bob"])
    assert encode_column("email", values.slice(1), CONTEXT) == Encoded(
        {"EMAIL": pa.array([digest("jane@example.com"), None])}, pa.array([None, "not an e-mail address"])
    )


def test_no_error_repeats_a_value():
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\7\0\0\0"), pa.py_buffer(b"jane\xff@x"))
    with pytest.raises(ValueError, match="not UTF-8") as caught:
        encode_column("email", broken, CONTEXT)
    assert "jane" not in f"{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(TypeError, match="not from bool"):
        encode_column("email", pa.array([True]), CONTEXT)
