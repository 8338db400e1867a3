"""How far the search for the rows at fault goes that is put on record part by part."""

from __future__ import annotations

import pytest
from tests.ledger import conftest as of_ledger
from tests.ledger.records import one, sent, start

from audiences.facebook.graph_errors import RowsRefusedError
from audiences.ledger import chunks, request_counts
from audiences.pipeline.upload.bisect import HOPELESS_AFTER, MOST_PARTS_A_RUN, halve
from audiences.what.erased import Erased

ledger, campaign, audience = of_ledger.ledger, of_ledger.campaign, of_ledger.audience  # fixtures
pytestmark = pytest.mark.integration
NOBODY = Erased(b"salt", frozenset())
REFUSED = RowsRefusedError("add rows: too short", 100, 1, None, "too short")


@pytest.fixture
def refused(ledger, campaign, audience):
    """A request of so many rows that was refused, and parts of it in a state."""

    def make(rows=8, **parts):
        chunk = sent(ledger, start(ledger, campaign), audience.id, rows)
        for state, count in parts.items():
            ledger.sql.execute(
                "insert into audiences.chunk (run_id, audience_id, number, action, file, first_row, rows, state, part_of)"
                " select %s, %s, 1 + (select max(number) from audiences.chunk where run_id = %s) + n, 'add', 'a', 0, 1, %s, %s"
                " from generate_series(0, %s - 1) n",
                (chunk.run, audience.id, chunk.run, state, chunk.id, count),
            )
        return chunk

    return make


def goes_on(ledger, chunk):
    halves = halve(ledger, chunk, REFUSED, NOBODY)
    (now,) = [each for each in chunks.of_run(ledger, chunk.run) if each.id == chunk.id]
    assert now.state == ("split" if halves else "refused")
    return bool(halves)


@pytest.mark.parametrize(("rows", "ranges"), [(8, [(0, 4), (4, 4)]), (5, [(0, 2), (2, 3)]), (2, [(0, 1), (1, 1)])])
def test_two_halves_are_sent_in_place_of_a_refused_request(ledger, refused, rows, ranges):
    chunk = refused(rows)
    halves = halve(ledger, chunk, REFUSED, NOBODY)
    assert [(half.first_row, half.rows) for half in halves] == ranges
    assert {(half.origin, half.state) for half in halves} == {(chunk.id, "planned")}
    for half in halves:
        chunks.sending(ledger, half)
    quarters = [part for half in halves if half.rows > 1 for part in halve(ledger, half, REFUSED, NOBODY)]
    assert {part.origin for part in quarters} <= {chunk.id}


@pytest.mark.parametrize(
    ("parts", "on"),
    [
        ({"refused": HOPELESS_AFTER - 1}, True),
        ({"refused": HOPELESS_AFTER}, False),
        ({"split": HOPELESS_AFTER}, False),
        ({"refused": HOPELESS_AFTER, "acknowledged": 1}, True),
    ],
)
def test_a_search_in_which_nothing_is_taken_is_given_up(ledger, refused, parts, on):
    assert goes_on(ledger, refused(**parts)) == on


@pytest.mark.parametrize(("parts", "on"), [(MOST_PARTS_A_RUN - 2, True), (MOST_PARTS_A_RUN - 1, False)])
def test_a_run_spends_so_many_requests_on_it_and_no_more(ledger, refused, parts, on):
    assert goes_on(ledger, refused(acknowledged=parts)) == on


def test_all_rows_of_a_search_given_up_count_as_refused(ledger, refused):
    chunk = refused(8, refused=HOPELESS_AFTER)
    assert halve(ledger, chunk, REFUSED, NOBODY) == []
    found = one(ledger, "select rejected from audiences.chunk where id = %(id)s", {"id": chunk.id})
    assert found.rejected == {"too short": 8}
    assert request_counts.standing(ledger, chunk.run, "add").planned == 1
