from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import NOON, acknowledge, changed, request, sent, start

from audiences.ledger import chunks, known_audiences, rejected_rows, request_counts

pytestmark = pytest.mark.integration


def refuse(ledger, run, audience, *rows):
    rejected_rows.refuse(ledger, sent(ledger, run, audience), reason="bad", error="no", identifiers=rows)


def kept(ledger, audience, at):
    return set(rejected_rows.quarantined(ledger, audience, at).column("identifiers").to_pylist())


@pytest.mark.parametrize(("days", "rows"), [(0, {b"a"}), (29.99, {b"a"}), (30, set()), (31, set())])
def test_a_refused_row_is_quarantined_for_thirty_days(ledger, audience, run, days, rows):
    refuse(ledger, run, audience.id, b"a")
    assert kept(ledger, audience.id, NOON + timedelta(days=days)) == rows


def test_a_row_that_is_refused_again_is_quarantined_from_then_on(ledger, campaign, audience, run):
    refuse(ledger, run, audience.id, b"a")
    refuse(ledger, start(ledger, campaign, "r2", at=NOON + timedelta(days=31)), audience.id, b"a")
    assert kept(ledger, audience.id, NOON + timedelta(days=60)) == {b"a"}


def test_what_another_audience_refused_may_be_sent(ledger, campaign, audience, run):
    second = known_audiences.record(ledger, ad_account="act_1", facebook_id="24", name="More", created_for=campaign)
    refuse(ledger, run, second.id, b"a")
    assert kept(ledger, audience.id, NOON) == set()
    assert kept(ledger, second.id, NOON) == {b"a"}
    assert rejected_rows.of_run(ledger, run) == [b"a"]


@pytest.mark.parametrize(("rows", "halves"), [(7, [(0, 3), (3, 4)]), (2, [(0, 1), (1, 1)])])
def test_the_halves_of_a_request_are_all_of_it(ledger, audience, run, rows, halves):
    chunk = sent(ledger, run, audience.id, rows)
    parts = chunks.split(ledger, chunk, error="no")
    assert [(part.first_row, part.rows) for part in parts] == halves
    chunks.sending(ledger, parts[1])
    again = chunks.split(ledger, parts[1], error="no") if parts[1].rows > 1 else []
    assert {part.origin for part in (*parts, *again)} == {chunk.id}
    found = request_counts.parts(ledger, chunk)
    assert (found.in_all, found.taken) == (2 + len(again), 0)


def test_what_came_of_the_requests_of_an_action_is_told_without_their_parts(ledger, audience, run):
    chunk = sent(ledger, run, audience.id, 2)
    first, second = chunks.split(ledger, chunk, error="no")
    chunks.sending(ledger, first)
    rejected_rows.refuse(ledger, first, reason="bad", error="bad row", identifiers=[b"a"])
    chunks.sending(ledger, second)
    found = request_counts.standing(ledger, run, "add")
    assert (found.planned, found.taken, found.refused, found.unsent) == (1, 0, 1, 1)
    assert (found.only_rows, found.error) == (True, "bad row")
    chunks.postpone(ledger, second, error="later")
    assert request_counts.standing(ledger, run, "add").taken == 1
    assert request_counts.standing(ledger, run, "remove").planned == 0


def test_a_request_refused_as_a_whole_is_not_only_rows(ledger, audience, run):
    chunks.refuse(ledger, sent(ledger, run, audience.id), error="no")
    assert not request_counts.standing(ledger, run, "add").only_rows


def test_the_campaigns_users_who_left_with_a_replace_that_had_to_go_without_their_rows(
    ledger, campaign, other, audience, run
):
    rows = [(campaign, "1", b"a"), (campaign, "2", b"a"), (campaign, "3", b"c"), (other, "4", b"a")]
    acknowledge(ledger, run, audience.id, changed(*((*row, True) for row in rows)))
    second = start(ledger, campaign, "r2")
    acknowledge(ledger, second, audience.id, changed(*((*row, False) for row in rows)))
    chunk = sent(ledger, second, audience.id, 3)
    rejected_rows.leave_out(ledger, chunk, {b"a": "bad"})
    assert rejected_rows.lost(ledger, second, campaign) == 2
    assert request_counts.totals(ledger, second).rejected == {"bad": 1}
    assert request_counts.totals(ledger, second).unreceived == 1


def test_who_left_before_with_the_same_row_is_not_lost_by_this_run(ledger, campaign, audience, run):
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", True), (campaign, "2", b"a", True)))
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", False)))
    second = start(ledger, campaign, "r2")
    rejected_rows.leave_out(ledger, sent(ledger, second, audience.id), {b"a": "bad"})
    assert rejected_rows.lost(ledger, second, campaign) == 0
    acknowledge(ledger, second, audience.id, changed((campaign, "2", b"a", False)))
    assert rejected_rows.lost(ledger, second, campaign) == 1


def test_requests_that_were_given_up_are_not_told(ledger, campaign, audience, run):
    request(ledger, run, audience.id)
    chunks.drop_planned(ledger, audience.id, but_run=start(ledger, campaign, "r2"))
    assert request_counts.standing(ledger, run, "add").planned == 0


def test_parts_that_were_cut_again_count_as_refused_in_the_search(ledger, audience, run):
    chunk = sent(ledger, run, audience.id, 4)
    first, second = chunks.split(ledger, chunk, error="no")
    for half in (first, second):
        chunks.sending(ledger, half)
    chunks.split(ledger, first, error="no")
    rejected_rows.refuse(ledger, second, reason="bad", error="no")
    found = request_counts.parts(ledger, chunk)
    assert (found.refused, found.taken, found.in_all) == (2, 0, 4)
