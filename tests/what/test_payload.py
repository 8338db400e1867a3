from __future__ import annotations

import hashlib

import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audiences.what.payload import Payload, payload
from audiences.what.rows import KEYS, UNHASHED, pack, unpack

DIGESTS = st.binary(min_size=32, max_size=32)
# Of the length of a hash too, and looking like the head of a cell.
TEXTS = st.text(min_size=1, max_size=40) | st.text("ab", min_size=32, max_size=32) | st.just("\x01 " * 16)
NAMED = ("EMAIL", "PHONE", "EXTERN_ID", "FN", "COUNTRY", "MADID")
USERS = st.fixed_dictionaries({}, optional={key: TEXTS if key in UNHASHED else DIGESTS for key in NAMED})
MARY, JOHN = (hashlib.sha256(name).digest() for name in (b"mary@example.com", b"john@example.com"))


def packed(users: list[dict[str, bytes | str]]) -> pa.Array:
    columns = {
        key: pa.array([user.get(key) for user in users], pa.string() if key in UNHASHED else pa.binary())
        for key in NAMED
    }
    return pack(columns).drop_null()


def as_sent(found: Payload) -> list[list[str]]:
    return orjson.loads(b"[" + b"".join(found.rows) + b"]")


@given(st.lists(USERS, min_size=1, max_size=30), st.integers(0, 5))
def test_the_json_holds_the_cells_of_every_row(users, skipped):
    rows = packed(users).slice(skipped)
    found = payload(rows, ("EMAIL", "PHONE"))
    expected = [[unpack(row).get(key, "") for key in found.schema] for row in rows.to_pylist()]
    assert sorted(as_sent(found)) == sorted(expected)
    assert found.count == len(rows)


@given(st.lists(USERS, min_size=1, max_size=30))
def test_the_schema_is_todays_mapping_and_whatever_else_the_rows_hold(users):
    rows = packed(users)
    held = {key for row in rows.to_pylist() for key in unpack(row)}
    assert payload(rows, ("PHONE",)).schema == tuple(key for key in KEYS if key in held | {"PHONE"})


def test_a_key_that_a_row_lacks_is_a_blank_cell():
    rows = packed([{"EMAIL": MARY}, {"EMAIL": JOHN, "PHONE": MARY}])
    assert sorted(as_sent(payload(rows, ("EMAIL", "PHONE")))) == sorted([[MARY.hex(), ""], [JOHN.hex(), MARY.hex()]])


def test_rows_of_one_shape_stay_in_their_order():
    rows = packed([{"EMAIL": JOHN}, {"EMAIL": MARY}])
    assert as_sent(payload(rows, ("EMAIL",))) == [[JOHN.hex()], [MARY.hex()]]
