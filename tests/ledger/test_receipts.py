"""What Facebook took: its receipts on record, and the members that they change."""

from __future__ import annotations

import pytest
from tests.ledger.records import changed, request, request_states, sent, session

from audiences.ledger import (
    audience_revisions,
    chunks,
    member_history,
    members,
    receipts,
    replace_sessions,
    request_counts,
    request_records,
)
from audiences.ledger.transitions import IllegalTransitionError

pytestmark = pytest.mark.integration


def test_receipts_that_come_together_are_recorded_each_with_its_own_figures(ledger, campaign, audience, run):
    one, other = (sent(ledger, run, audience.id) for _ in range(2))
    members_of = {
        one: changed((campaign, "1", b"x", True), (campaign, "2", b"y", True)),
        other: changed((campaign, "3", b"z", True)),
    }
    receipts.acknowledge(
        ledger, *(receipts.Acknowledged(each, 9, each.number, members_of[each]) for each in members_of)
    )
    found = [(each.state, each.received, each.invalid, each.begun) for each in request_records.of_run(ledger, run)]
    assert found == [("acknowledged", 9, 0, 2), ("acknowledged", 9, 1, 1)]
    assert members.memberships(ledger, audience.id) == 3
    assert audience_revisions.newest(ledger, audience.id) == 1


def test_a_second_receipt_beside_a_first_one_changes_nothing_and_keeps_nothing_out(ledger, campaign, audience, run):
    known, new = (sent(ledger, run, audience.id) for _ in range(2))
    again = receipts.Acknowledged(known, 1, 0, changed((campaign, "1", b"x", True)))
    receipts.acknowledge(ledger, again)
    receipts.acknowledge(ledger, again, receipts.Acknowledged(new, 1, 0, changed((campaign, "2", b"y", True))))
    assert request_states(ledger, run) == ["acknowledged", "acknowledged"]
    assert members.memberships(ledger, audience.id) == 2


def test_a_receipt_beside_one_that_comes_too_late_is_recorded(ledger, campaign, audience, run):
    given_up, in_time = (sent(ledger, run, audience.id) for _ in range(2))
    chunks.refuse(ledger, given_up, error="no")
    given = [
        receipts.Acknowledged(each, 1, 0, changed((campaign, str(each.number), b"x", True)))
        for each in (given_up, in_time)
    ]
    with pytest.raises(IllegalTransitionError, match=f"request {given_up.id} is on record as `refused`"):
        receipts.acknowledge(ledger, *given)
    assert request_states(ledger, run) == ["refused", "acknowledged"]
    assert [each.user for each in member_history.of_users(ledger, ["0", "1"])] == ["1"]


def test_rows_that_facebook_did_not_receive_or_could_not_use_are_added_up(ledger, campaign, audience, run):
    chunk = request(ledger, run, audience.id, rows=10)
    chunks.sending(ledger, chunk)
    receipt = receipts.Acknowledged(chunk, received=7, invalid=2, changes=changed((campaign, "1", b"x", True)))
    receipts.acknowledge(ledger, receipt)
    totals = request_counts.totals(ledger, run)
    assert (totals.taken, totals.unreceived, totals.invalid, totals.requests) == (10, 3, 2, 1)


def test_within_a_session_the_count_of_rows_received_is_of_all_requests_so_far(ledger, audience, run):
    planned = session(ledger, run, audience.id)
    for received, chunk in zip((10, 20), chunks.of_session(ledger, planned.id), strict=True):
        chunks.sending(ledger, chunk)
        receipts.receive(ledger, chunk, received=received, invalid=1)
    totals = request_counts.totals(ledger, run)
    assert (totals.taken, totals.unreceived, replace_sessions.invalid(ledger, planned)) == (20, 0, 2)
