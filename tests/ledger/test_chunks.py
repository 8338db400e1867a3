from __future__ import annotations

import pytest
from tests.ledger.records import acknowledge, changed, request, request_states, sent, session, start

from audiences.ledger import (
    chunks,
    rejected_rows,
    replace_sessions,
    request_counts,
    requests_in_doubt,
)
from audiences.ledger.chunk_states import PlannedRequest
from audiences.ledger.transitions import IllegalTransitionError

pytestmark = pytest.mark.integration


def test_requests_are_recorded_as_about_to_leave_all_or_none(ledger, audience, run):
    chunks.plan(ledger, run=run, audience=audience.id, planned=[PlannedRequest("add", "a", n, 1) for n in range(3)])
    first, second, third = chunks.of_run(ledger, run)
    chunks.sending(ledger, first, second)
    chunks.refuse(ledger, second, error="no")
    with pytest.raises(IllegalTransitionError, match=f"request {second.id} is on record as `refused`"):
        chunks.sending(ledger, third, second)
    assert request_states(ledger, run) == ["sending", "refused", "planned"]
    assert request_counts.totals(ledger, run).requests == 2


def test_another_run_gives_up_what_was_never_sent_and_what_is_left_of_a_broken_session(ledger, campaign, audience, run):
    planned = session(ledger, run, audience.id)
    replace_sessions.opened(ledger, planned, chunks.of_session(ledger, planned.id)[0])
    later = start(ledger, campaign, "r2")
    chunks.drop_planned(ledger, audience.id, but_run=later)
    assert request_states(ledger, run) == ["dropped", "dropped"]
    assert request_counts.totals(ledger, run).unsent == 0


def test_another_run_leaves_its_own_requests_and_those_whose_fate_is_unknown(ledger, campaign, audience, run):
    chunks.sending(ledger, request(ledger, run, audience.id))
    later = start(ledger, campaign, "r2")
    request(ledger, later, audience.id)
    chunks.drop_planned(ledger, audience.id, but_run=later)
    assert (request_states(ledger, run), request_states(ledger, later)) == (["sending"], ["planned"])


def test_deferred_removals_alone_are_given_up_when_what_they_wait_for_did_not_come(ledger, audience, run):
    planned = [PlannedRequest("add", "a", 0, 1), PlannedRequest("remove", "b", 0, 1, (), deferred=True)]
    chunks.plan(ledger, run=run, audience=audience.id, planned=planned)
    chunks.drop_deferred(ledger, run)
    assert {chunk.action: chunk.state for chunk in chunks.of_run(ledger, run)} == {
        "add": "planned",
        "remove": "dropped",
    }
    assert request_counts.totals(ledger, run).dropped == 0, "nobody else's run came in between"


def test_removals_go_before_additions_and_late_ones_after_them(ledger, audience, run):
    planned = [
        PlannedRequest("add", "a", 0, 1),
        PlannedRequest("remove", "late", 0, 1, (), deferred=True),
        PlannedRequest("remove", "r", 0, 1),
    ]
    chunks.plan(ledger, run=run, audience=audience.id, planned=planned)
    assert [chunk.file for chunk in chunks.of_run(ledger, run)] == ["r", "a", "late"]
    assert [chunk.file for chunk in chunks.of_run(ledger, run, action="remove", deferred=False)] == ["r"]


def test_a_run_whose_additions_were_all_refused_has_added_nothing(ledger, campaign, audience, run):
    chunks.refuse(ledger, sent(ledger, run, audience.id), error="no")
    assert request_counts.totals(ledger, run).nothing_added
    assert (request_counts.totals(ledger, run).refused, request_counts.totals(ledger, run).error) == (1, "no")
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"x", True)))
    assert not request_counts.totals(ledger, run).nothing_added


def test_a_request_that_came_to_nothing_is_to_be_sent_again_and_its_tries_count(ledger, audience, run):
    chunk = request(ledger, run, audience.id)
    for _ in range(2):
        chunks.sending(ledger, chunk)
        chunks.unsend(ledger, chunk)
    assert request_states(ledger, run) == ["planned"]
    assert request_counts.totals(ledger, run).requests == 2


def test_a_request_whose_rows_are_gone_is_lost_and_no_longer_in_doubt(ledger, audience, run):
    chunk = request(ledger, run, audience.id)
    chunks.sending(ledger, chunk)
    chunks.lose(ledger, chunk, error="staging is gone")
    assert request_states(ledger, run) == ["lost"]
    assert chunks.of_unknown_fate(ledger, audience.id) == []


def test_requests_are_numbered_from_zero_and_go_on_after_those_that_were_sent(ledger, audience, run):
    planned = [PlannedRequest("add", "a", n, 1) for n in range(2)]
    chunks.plan(ledger, run=run, audience=audience.id, planned=planned)
    first, second = chunks.of_run(ledger, run)
    assert (first.number, second.number) == (0, 1)
    chunks.sending(ledger, first)
    chunks.plan(ledger, run=run, audience=audience.id, planned=planned)
    assert [(chunk.number, chunk.state) for chunk in chunks.of_run(ledger, run)] == [
        (0, "sending"),
        (1, "planned"),
        (2, "planned"),
    ]


def test_what_another_run_made_a_run_give_up_does_not_count_once_it_has_planned_anew(ledger, campaign, audience, run):
    request(ledger, run, audience.id)
    chunks.drop_planned(ledger, audience.id, but_run=start(ledger, campaign, "r2"))
    assert request_counts.totals(ledger, run).dropped == 1
    request(ledger, run, audience.id)
    assert request_states(ledger, run) == ["planned"]
    assert request_counts.totals(ledger, run).dropped == 0


def test_a_request_in_doubt_whose_rows_are_gone_is_lost_and_no_longer_in_doubt(ledger, campaign, audience, run):
    chunk = request(ledger, run, audience.id)
    chunks.sending(ledger, chunk)
    requests_in_doubt.begin(ledger, chunk, state="refused", error="no", changes=changed((campaign, "1", b"x", True)))
    assert [each.in_doubt for each in chunks.of_unknown_fate(ledger, audience.id)] == [True]
    chunks.lose(ledger, chunk, error="staging is gone")
    assert chunks.of_unknown_fate(ledger, audience.id) == []
    assert [each.in_doubt for each in chunks.of_run(ledger, run)] == [False]


def test_only_requests_of_unknown_fate_are_sent_again_first(ledger, campaign, audience, run):
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"x", True)))
    request(ledger, run, audience.id)
    assert chunks.of_unknown_fate(ledger, audience.id) == []
    chunks.sending(ledger, chunks.of_run(ledger, run)[-1])
    assert [chunk.state for chunk in chunks.of_unknown_fate(ledger, audience.id)] == ["sending"]


def test_a_request_that_was_cut_in_parts_which_were_all_refused_has_added_nothing(ledger, audience, run):
    for half in chunks.split(ledger, sent(ledger, run, audience.id, rows=2), error="no"):
        chunks.sending(ledger, half)
        assert not request_counts.totals(ledger, run).nothing_added
        rejected_rows.refuse(ledger, half, reason="bad", error="no")
    assert request_counts.totals(ledger, run).nothing_added
    assert (request_counts.totals(ledger, run).rejected, request_counts.totals(ledger, run).refused) == ({"bad": 2}, 0)
