"""The search for the rows at fault, where nothing of it is put on record part by part."""

from __future__ import annotations

import pyarrow as pa
import pytest

from audiences.facebook.graph_errors import RowsRefusedError
from audiences.pipeline.upload.bisect import HOPELESS_AFTER, MOST_PARTS_A_RUN, rows_at_fault


class Facebook:
    """Refuses what holds one of the `bad` rows; keeps what it took."""

    def __init__(self, *bad):
        self.bad, self.requests, self.taken = set(bad), 0, []

    def __call__(self, rows):
        self.requests += 1
        given = rows.column("identifiers").to_pylist()
        if self.bad.intersection(given):
            what, reason = "add rows: a hash is too short", "a hash is too short"
            raise RowsRefusedError(what, 100, 1, None, reason)
        self.taken += given


def rows(*identifiers):
    return pa.table({"identifiers": pa.array(identifiers, pa.binary())})


NUMBERED = [b"%04d" % number for number in range(2000)]


def test_all_rows_but_those_at_fault_are_sent_once_and_those_have_their_reason():
    facebook = Facebook(NUMBERED[3], NUMBERED[99])
    found = rows_at_fault(rows(*NUMBERED[:100]), facebook)
    assert found == dict.fromkeys((NUMBERED[3], NUMBERED[99]), "a hash is too short")
    assert sorted(facebook.taken) == sorted(set(NUMBERED[:100]) - set(found))


def test_a_row_that_two_users_share_is_one_row_at_fault():
    facebook = Facebook(b"bad")
    assert set(rows_at_fault(rows(b"a", b"bad", b"bad", b"c"), facebook)) == {b"bad"}
    assert facebook.taken == [b"c", b"a"]


@pytest.mark.parametrize("identifiers", [[b"bad"], [b"bad", b"bad"]])
def test_a_single_row_is_tried_by_itself(identifiers):
    assert rows_at_fault(rows(*identifiers), Facebook(b"bad")) == {b"bad": "a hash is too short"}


def test_a_search_in_which_nothing_is_taken_is_given_up():
    facebook = Facebook(*NUMBERED)
    with pytest.raises(RowsRefusedError):
        rows_at_fault(rows(*NUMBERED[:1700]), facebook)
    assert facebook.requests == HOPELESS_AFTER
    assert rows_at_fault(rows(*NUMBERED[:30]), Facebook(*NUMBERED)).keys() == set(NUMBERED[:30])


def test_a_search_takes_no_more_requests_than_a_run_may_spend_on_it():
    facebook = Facebook(*NUMBERED[::3])
    with pytest.raises(RowsRefusedError):
        rows_at_fault(rows(*NUMBERED), facebook)
    assert facebook.requests == MOST_PARTS_A_RUN
