"""The packed member sets, against sets of plain tuples."""

from __future__ import annotations

import resource
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.sandbox.member_sets import MemberSet, as_json, count, each, pack, pack_dicts, unpack

RESIDENT = Path("/proc/self/statm")
HASHES = st.sampled_from([f"{n:064x}" for n in range(12)])
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "EMAIL": HASHES | st.just(""),
            "PHONE": HASHES,
            "EXTERN_ID": st.sampled_from(["a", "ü-1", '"', "x,y"]),
        },
    ),
    max_size=12,
)


def plain(rows):
    return {frozenset((key, value) for key, value in row.items() if value) for row in rows} - {frozenset()}


def of(groups):
    return plain(each(groups))


@given(ROWS, ROWS, ROWS)
def test_adding_and_removing_packed_rows_does_what_sets_of_tuples_do(first, second, gone):
    members = MemberSet()
    members.add(pack_dicts(first))
    new = members.add(pack_dicts(second))
    was_in = members.remove(pack_dicts(gone))

    before = plain(first) | plain(second)
    assert of(new) == plain(second) - plain(first)
    assert of(was_in) == before & plain(gone)
    assert of(members.groups) == before - plain(gone)
    assert len(members) == len(before - plain(gone))


@given(ROWS, ROWS)
def test_the_difference_of_two_sets_is_that_of_their_rows(first, second):
    assert of(MemberSet(pack_dicts(first)).minus(pack_dicts(second))) == plain(first) - plain(second)


def test_a_blank_cell_is_the_same_as_no_cell():
    email = "a" * 64
    members = MemberSet(pack_dicts([{"EMAIL": email, "PHONE": ""}]))
    assert members.add(pack_dicts([{"EMAIL": email}])) == {}


def test_packing_a_chunk_skips_the_blanks_between():
    shape = ("EMAIL", "ZIP")
    packed = pack(shape, [("a" * 64, "", "b" * 64), ("c" * 64, "", "d" * 64)])
    assert sorted(unpack(shape, row)["EMAIL"][0] for row in packed) == ["a", "c"]


@pytest.mark.skipif(not RESIDENT.exists(), reason="the system does not tell how much memory a process has")
def test_rows_of_plain_keys_take_the_memory_of_their_text():
    def pages():
        return int(RESIDENT.read_text().split()[1])

    before = pages()
    packed = pack(("EXTERN_ID",), [(f"customer-{n}",) for n in range(20_000)])
    assert len(packed) == 20_000
    assert (pages() - before) * resource.getpagesize() < 20_000_000


def test_the_json_of_many_rows_is_sorted_and_whole():
    groups = pack_dicts([{"EMAIL": f"{n:064x}"} for n in range(25_000)] + [{"EXTERN_ID": "z"}, {"EXTERN_ID": "a"}])
    listed = orjson.loads(orjson.dumps(as_json(groups)))
    assert len(listed) == count(groups) == 25_002
    assert listed == list(each(groups))
    assert [row["EXTERN_ID"] for row in listed[-2:]] == ["a", "z"]


@pytest.mark.parametrize("row", [{"EMAIL": "mary@example.com"}, {"EMAIL": "A" * 64}, {"SHOE_SIZE": "44"}])
def test_rows_that_no_audience_can_hold_are_refused(row):
    with pytest.raises(ValueError, match=r"EMAIL must be 64|no key of a member"):
        pack_dicts([row])


E1, E2, P1, P2 = (letter * 64 for letter in "abcd")


@pytest.mark.parametrize(
    ("asked", "leaves"),
    [
        ({"EMAIL": E1, "PHONE": P1}, {"email", "both", "named"}),
        ({"EMAIL": E1}, {"email", "both", "named"}),
        ({"PHONE": P1}, {"both", "shared phone"}),
        ({"EMAIL": E2, "PHONE": P1}, {"shared phone"}),
        ({"EMAIL": E1, "PHONE": P2}, {"email", "named"}),
        ({"FN": E2}, set()),
    ],
)
def test_a_person_is_found_under_other_keys_unless_a_shared_key_disagrees(asked, leaves):
    kinds = {
        "email": {"EMAIL": E1},
        "both": {"EMAIL": E1, "PHONE": P1},
        "shared phone": {"EMAIL": E2, "PHONE": P1},
        "named": {"EMAIL": E1, "FN": E2},
    }
    members = MemberSet(pack_dicts(kinds.values()))
    found = of(members.same_people(pack_dicts([asked])))
    assert found == plain(kinds[name] for name in leaves)
