from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.sandbox import member_sets
from audiences.what.rows import ALONE, KEYS, UNHASHED, keys_of, pack, unpack

DIGESTS = st.binary(min_size=32, max_size=32)
TEXTS = st.text(min_size=1, max_size=60)
USERS = st.fixed_dictionaries(
    {},
    optional={
        key: TEXTS if key in UNHASHED else DIGESTS for key in ("EMAIL", "PHONE", "EXTERN_ID", "COUNTRY", "MADID")
    },
)


def columns(users: list[dict[str, bytes | str]]) -> dict[str, pa.Array]:
    keys = ("EMAIL", "PHONE", "EXTERN_ID", "COUNTRY", "MADID")
    return {
        key: pa.array([user.get(key) for user in users], pa.string() if key in UNHASHED else pa.binary())
        for key in keys
    }


@given(st.lists(USERS, min_size=1, max_size=20))
def test_a_packed_row_unpacks_to_the_cells_that_went_in(users):
    for user, row in zip(users, pack(columns(users)).to_pylist(), strict=True):
        if not {"EMAIL", "PHONE", "EXTERN_ID", "MADID"} & set(user):
            assert row is None
            continue
        assert unpack(row) == {key: value if isinstance(value, str) else value.hex() for key, value in user.items()}


@given(st.lists(USERS, min_size=2, max_size=2))
def test_rows_are_equal_exactly_when_the_identifiers_are(users):
    first, second = pack(columns(users)).to_pylist()
    if first is not None and second is not None:
        assert (first == second) == (users[0] == users[1])


@pytest.mark.parametrize(("length", "packed"), [(255, True), (256, False)])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_an_identifier_too_long_to_pack_is_left_out_and_not_cut(length, packed, letter):
    """One byte holds the length, so that 255 bytes are the most."""
    text = letter * (length // len(letter.encode())) + "x" * (length % len(letter.encode()))
    row = pack({"EMAIL": pa.array([bytes(32)], pa.binary()), "EXTERN_ID": pa.array([text])})[0].as_py()
    assert unpack(row) == {"EMAIL": "00" * 32, **({"EXTERN_ID": text} if packed else {})}


def test_an_identifier_too_long_to_pack_makes_nobody_reachable():
    assert pack({"EXTERN_ID": pa.array(["x" * 256])}).to_pylist() == [None]


def test_a_date_of_birth_takes_three_keys():
    assert keys_of(["date_of_birth", "email"]) == ("EMAIL", "DOBY", "DOBM", "DOBD")


def test_a_number_that_no_key_has_is_no_row():
    with pytest.raises(KeyError):
        unpack(b"\xff\x01x")


@pytest.mark.parametrize("key", KEYS)
def test_facebook_takes_every_key_in_the_form_in_which_it_is_sent(key):
    """By the list of the sandbox, which is a witness of its own (`audiences/sandbox/member_sets.py`)."""
    form, known = ("as it is", member_sets.PLAIN_KEYS) if key in UNHASHED else ("hashed", member_sets.HASHED_KEYS)
    assert key in known, f"audiences/sandbox/member_sets.py does not take {key} {form}"
    assert (key in ALONE) == (key in member_sets.STRONG_KEYS), f"is {key} enough to find a person?"
