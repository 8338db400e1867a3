"""Reading uploads, without a server."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.sandbox.graph.error_table import GraphError
from audiences.sandbox.member_sets import each
from audiences.sandbox.uploaded_rows import HASHES_OR_USER_IDS, MULTI_HASHES, HashingMistake, read_upload


def h(text):
    return sha256(text.encode()).hexdigest()


def read(schema, data, over_limit="100"):
    return read_upload({"schema": schema, "data": data}, over_limit=over_limit)


def kinds(upload):
    return {(one.kind, one.key): one.cells for one in upload.findings}


def test_rows_are_grouped_by_their_filled_cells_whatever_the_order_of_the_schema():
    one = read(["PHONE", "EMAIL"], [[h("1"), h("a")], ["", h("b")]])
    other = read(["EMAIL", "PHONE"], [[h("a"), h("1")], [h("b"), ""]])
    assert one.rows == other.rows
    assert set(one.rows) == {("EMAIL", "PHONE"), ("EMAIL",)}


@pytest.mark.parametrize(
    ("cell", "key", "kind"),
    [
        ("mary@example.com", "EMAIL", "at_sign"),
        ("+0000000000", "PHONE", "not_a_hash"),
        (h("x").upper(), "EMAIL", "upper_case_hash"),
        (h("x")[:63], "EMAIL", "not_a_hash"),
        ("é" * 64, "EMAIL", "not_a_hash"),
        ("g" * 64, "EMAIL", "not_a_hash"),
    ],
)
def test_a_cell_that_is_no_hash_makes_its_row_invalid_and_is_reported(cell, key, kind):
    good = [h("good"), h("1")]
    upload = read(["EMAIL", "PHONE"], [good, [cell, h("2")] if key == "EMAIL" else [h("2"), cell]])
    assert (upload.received, upload.invalid) == (2, 1)
    assert list(each(upload.rows)) == [{"EMAIL": good[0], "PHONE": good[1]}]
    assert kinds(upload)[kind, key] == 1
    assert list(upload.samples) == ["1"]


def test_the_hash_of_nothing_is_accepted_and_reported():
    upload = read(["EMAIL"], [[h("")], [h("a")]])
    assert upload.invalid == 0
    assert upload.findings == [HashingMistake("empty_hash", "EMAIL", 1)]


def test_an_all_blank_row_is_received_and_not_stored():
    upload = read(["EMAIL", "PHONE"], [["", ""], [h("a"), ""]])
    assert (upload.received, upload.invalid, len(list(each(upload.rows)))) == (2, 1, 1)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("GEN", h("m"), h("x")),
        ("DOBY", h("1985"), h("85")),
        ("DOBM", h("02"), h("2")),
        ("DOBD", h("31"), h("32")),
        ("MADID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "my phone"),
        ("MADID", h("device"), "6ba7b810"),
        ("EXTERN_ID", "customer-1", "  "),
    ],
)
def test_keys_with_rules_of_their_own(key, good, bad):
    assert read([key], [[good]]).invalid == 0
    assert read([key], [[bad]]).invalid == 1


def test_at_most_a_hundred_invalid_rows_are_shown():
    upload = read(["EMAIL"], [["nope"]] * 250)
    assert upload.invalid == 250
    assert len(upload.samples) == 100


def test_attributes_are_no_part_of_who_a_row_is():
    upload = read(["EMAIL", "LOOKALIKE_VALUE"], [[h("a"), 12.5], [h("b"), 0]])
    assert list(upload.rows) == [("EMAIL",)]
    assert upload.invalid == 0


def test_a_numeric_id_counts_as_its_text():
    assert list(each(read(["EXTERN_ID"], [[12]]).rows)) == [{"EXTERN_ID": "12"}]


def test_a_string_schema_takes_flat_data_and_makes_another_family():
    flat, nested = read("EMAIL_SHA256", [h("a")]), read("EMAIL_SHA256", [[h("a")]])
    assert flat.rows == nested.rows == read(["EMAIL"], [[h("a")]]).rows
    assert (flat.family, read(["EMAIL"], [[h("a")]]).family) == (HASHES_OR_USER_IDS, MULTI_HASHES)


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (["EMAIL", "LOOKALIKE_VALUE"], [[h("a"), "12.5"]]),
        (["EMAIL", "LOOKALIKE_VALUE"], [[h("a"), -1]]),
        (["EMAIL", "LOOKALIKE_VALUE"], [[h("a"), True]]),
        (["EMAIL", "LOOKALIKE_VALUE"], [[h("a"), None]]),
        (["EMAIL", "DATA_PROCESSING_OPTIONS"], [[h("a"), ["LDU"]]]),
        (["EMAIL"], []),
        (["EMAIL"], None),
        (["EMAIL"], "abc"),
        (["EMAIL"], [[h("a"), h("b")]]),
        (["EMAIL", "PHONE"], [[h("a"), ""], [h("b")]]),
        (["EMAIL"], [h("a")]),
        (["EMAIL"], [[None]]),
        (["EMAIL"], [[5]]),
        (["EMAIL"], [[["x"]]]),
        (["EXTERN_ID"], [[None]]),
        (["LOOKALIKE_VALUE"], [[1]]),
        (["SHOE_SIZE"], [["44"]]),
        (["EMAIL", "EMAIL"], [[h("a"), h("b")]]),
        ([], [[]]),
        (None, [[h("a")]]),
        ([["EMAIL"]], [[h("a")]]),
    ],
)
def test_data_that_does_not_match_its_schema_is_refused(schema, data):
    with pytest.raises(GraphError, match="Data is missing or does not match schema") as refused:
        read(schema, data)
    assert refused.value.code == 100


@pytest.mark.parametrize(("over_limit", "numbers"), [("100", (100, None)), ("1/99", (1, 99))])
def test_more_than_ten_thousand_rows_are_refused_as_configured(over_limit, numbers):
    assert read(["EMAIL"], [[h("a")]] * 10_000).received == 10_000
    with pytest.raises(GraphError) as refused:
        read(["EMAIL"], [[h("a")]] * 10_001, over_limit)
    assert (refused.value.code, refused.value.subcode) == numbers


CELLS = st.sampled_from(["", h("a"), h("b"), h("c"), "x", "A" * 64, "mail@example.com", "é"])


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30))
def test_column_wise_reading_agrees_with_reading_row_by_row(data):
    good = {h("a"), h("b"), h("c")}
    valid = [row for row in data if any(row) and all(cell in good or not cell for cell in row)]
    upload = read(["EMAIL", "PHONE"], [list(row) for row in data])
    assert upload.invalid == len(data) - len(valid)
    wanted = {tuple((key, cell) for key, cell in zip(("EMAIL", "PHONE"), row, strict=True) if cell) for row in valid}
    assert {tuple(sorted(row.items())) for row in each(upload.rows)} == wanted
