from __future__ import annotations

import pyarrow as pa
import pytest
from tests.ledger.records import acknowledge, changed, one, request, sent, start

from audiences.ledger import chunks, members, requests_in_doubt

pytestmark = pytest.mark.integration


def test_a_request_in_doubt_that_is_recorded_twice_changes_the_members_once(ledger, campaign, audience, run):
    chunk = sent(ledger, run, audience.id)
    for _ in range(2):  # two processes, one of which was given up for dead, got the same refusal
        requests_in_doubt.begin(
            ledger, chunk, state="refused", error="no", changes=changed((campaign, "1", b"a", True))
        )
    assert members.memberships(ledger, audience.id) == 1
    (found,) = chunks.of_unknown_fate(ledger, audience.id)
    assert (found.in_doubt, found.state) == (True, "refused")


def test_a_doubt_ends_with_an_answer_which_is_then_the_receipt(ledger, campaign, audience, run):
    chunk = sent(ledger, run, audience.id)
    requests_in_doubt.begin(ledger, chunk, state="refused", error="no", changes=changed((campaign, "1", b"a", True)))
    requests_in_doubt.end(ledger, chunk, answered=False)
    assert one(ledger, "select acknowledged_at from audiences.chunk").acknowledged_at is None
    requests_in_doubt.end(ledger, chunk, answered=True)
    assert one(ledger, "select acknowledged_at from audiences.chunk").acknowledged_at is not None
    assert chunks.of_unknown_fate(ledger, audience.id) == []


@pytest.mark.parametrize(("action", "meant"), [("add", b"in"), ("remove", b"out")])
def test_rows_that_went_the_other_way_since_are_not_meant_any_more(ledger, campaign, audience, run, action, meant):
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"in", True)))
    chunk = request(ledger, start(ledger, campaign, "r2"), audience.id, action=action)
    rows = pa.table({"identifiers": pa.array([b"in", b"out"], pa.binary())})
    assert requests_in_doubt.still_meant(ledger, chunk, rows).to_pylist() == [{"identifiers": meant}]
