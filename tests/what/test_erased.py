from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audiences.what.erased import Erased, rows_in_common, strong_cells
from audiences.what.rows import KEYS, pack, unpack

hashes = st.binary(min_size=32, max_size=32)
people = st.fixed_dictionaries(
    {
        "EMAIL": st.none() | hashes,
        "PHONE": st.none() | hashes,
        "EXTERN_ID": st.none() | st.text("ab1", min_size=1, max_size=3),
    },
    optional={"FN": hashes, "COUNTRY": hashes},
).filter(lambda cells: any(cells[key] for key in ("EMAIL", "PHONE", "EXTERN_ID")))


def packed(cells) -> bytes:
    columns = {
        key: pa.array([value], pa.string() if key == "EXTERN_ID" else pa.binary())
        for key, value in cells.items()
        if value is not None
    }
    return pack(columns)[0].as_py()


@given(people)
def test_the_strong_cells_are_rows_that_say_one_identifier_each(cells):
    found = [unpack(cell) for cell in strong_cells(packed(cells))]
    wanted = {key: cells[key] for key in ("EMAIL", "PHONE", "EXTERN_ID") if cells[key] is not None}
    assert {key: value for one in found for key, value in one.items()} == {
        key: value if key == "EXTERN_ID" else value.hex() for key, value in wanted.items()
    }
    assert all(len(one) == 1 for one in found)


@given(people, st.lists(people, max_size=6), hashes)
def test_who_shares_an_identifier_that_names_one_person_is_that_person(gone, others, salt):
    row = packed(gone)
    blank = Erased(salt, frozenset())
    erased = Erased(salt, frozenset([blank.digest_of_user("gone"), *blank.digests_of_row(row)]))
    rows = [packed(cells) for cells in others]
    shares = [
        any(cells[key] is not None and cells[key] == gone[key] for key in ("EMAIL", "PHONE", "EXTERN_ID"))
        for cells in others
    ]
    users = pa.array([f"u{number}" for number in range(len(rows))], pa.string())
    assert erased.among(users, pa.array(rows, pa.binary())).to_pylist() == shares
    assert rows_in_common(rows, frozenset(strong_cells(row))) == [
        one for one, shared in zip(rows, shares, strict=True) if shared
    ]


def test_an_erased_id_is_recognised_whatever_the_identifiers_are_now():
    blank = Erased(b"salt", frozenset())
    erased = Erased(b"salt", frozenset([blank.digest_of_user("7")]))
    assert erased.among(pa.array(["7", "8"]), pa.array([None, None], pa.binary())).to_pylist() == [True, False]
    assert [erased.has_user("7"), erased.has_user("8"), blank.has_user("7")] == [True, False, False]


def test_the_hashes_are_salted_sha256_and_ids_and_identifiers_cannot_be_mixed_up():
    erased = Erased(b"salt", frozenset())
    assert erased.digest_of_user("7") == hashlib.sha256(b"salt\x007").digest()
    cell = bytes([KEYS["EMAIL"], 32]) + b"x" * 32
    assert list(erased.digests_of_row(cell)) == [hashlib.sha256(b"salt" + cell).digest()]
    assert 0 not in KEYS.values()
