from __future__ import annotations

import pytest
from tests.ledger.records import acknowledge, changed, every, one, request, session, start

from audiences.ledger import chunks, members, receipts, replace_sessions, request_counts

pytestmark = pytest.mark.integration


@pytest.fixture
def plan(ledger, run, audience):
    """Plans a replace of two requests and gives its session."""
    return lambda: session(ledger, run, audience.id)


def requests(ledger, session):
    return chunks.of_session(ledger, session.id)


def states(ledger):
    return [row.state for row in every(ledger, "select state from audiences.upload_session order by id")]


def left(ledger, audience):
    return replace_sessions.seconds_left(ledger, audience.id, window=5400)


def test_a_session_that_was_never_opened_is_dropped_by_the_next_attempt_and_an_open_one_has_broken(
    ledger, plan, audience
):
    plan()
    second = plan()
    assert (second.attempt, second.facebook_id, states(ledger)) == (2, 1002, ["dropped", "planned"])
    replace_sessions.opened(ledger, second, requests(ledger, second)[0])
    assert [one.id for one in replace_sessions.unfinished(ledger, audience.id)] == [second.id]
    third = plan()
    assert states(ledger) == ["dropped", "broken", "planned"]
    assert replace_sessions.broken(ledger, third.run) == 1
    assert [chunk.state for chunk in requests(ledger, second)] == ["dropped", "dropped"]


@pytest.mark.parametrize("broke", [False, True])
def test_facebook_may_keep_a_session_open_that_broke_on_our_side(ledger, plan, audience, broke):
    assert left(ledger, audience) == 0
    session = plan()
    assert left(ledger, audience) == 0
    replace_sessions.opened(ledger, session, requests(ledger, session)[0])
    if broke:
        replace_sessions.broke(ledger, session, error="timed out")
    assert 5390 < left(ledger, audience) <= 5400
    ledger.sql.execute("update audiences.upload_session set opened_at = opened_at - interval '91 minutes'")
    assert left(ledger, audience) == 0


def test_a_first_request_that_came_to_nothing_leaves_the_session_as_planned(ledger, plan, audience):
    session = plan()
    first = requests(ledger, session)[0]
    replace_sessions.opened(ledger, session, first)
    replace_sessions.not_opened(ledger, session, first)
    assert (states(ledger), left(ledger, audience)) == (["planned"], 0)
    assert [chunk.state for chunk in requests(ledger, session)] == ["planned", "planned"]


def test_a_first_request_that_was_refused_ends_the_session(ledger, plan):
    session = plan()
    first = requests(ledger, session)[0]
    replace_sessions.opened(ledger, session, first)
    replace_sessions.refused(ledger, session, first, error="no")
    assert states(ledger) == ["dropped"]
    assert [chunk.state for chunk in requests(ledger, session)] == ["refused", "dropped"]


def test_a_session_that_ended_changes_the_members_and_whatever_was_in_doubt(ledger, campaign, plan, audience, run):
    acknowledge(ledger, start(ledger, campaign, "before"), audience.id, changed((campaign, "1", b"a", True)))
    in_doubt = request(ledger, start(ledger, campaign, "doubt"), audience.id)
    ledger.sql.execute("update audiences.chunk set doubtful = true, state = 'refused' where id = %s", (in_doubt.id,))
    session = plan()
    first, last = requests(ledger, session)
    replace_sessions.opened(ledger, session, first)
    chunks.sending(ledger, last)
    replace_sessions.end(
        ledger, session, last, received=20, invalid=1,
        changes=[changed((campaign, "1", b"a", False)), changed((campaign, "2", b"b", True))],
    )  # fmt: skip
    with members.held(ledger, audience.id) as rows:
        assert rows.read_all().column("user_id").to_pylist() == ["2"]
    assert (states(ledger), left(ledger, audience)) == (["ended"], 0)
    totals = request_counts.totals(ledger, run)
    assert (totals.begun, totals.gone, totals.invalid) == (1, 1, 1)
    assert not [chunk for chunk in chunks.of_unknown_fate(ledger, audience.id) if chunk.in_doubt]


def test_a_last_request_that_was_refused_stays_so_when_the_session_has_ended_without_it(ledger, plan):
    session = plan()
    first, last = requests(ledger, session)
    replace_sessions.opened(ledger, session, first)
    receipts.receive(ledger, first, received=10, invalid=0)
    chunks.sending(ledger, last)
    chunks.refuse(ledger, last, error="no")
    replace_sessions.end(ledger, session, last, received=10, invalid=0, changes=[])
    assert [chunk.state for chunk in requests(ledger, session)] == ["acknowledged", "refused"]
    assert states(ledger) == ["ended"]


@pytest.mark.parametrize(("younger", "ends"), [(False, True), (True, False)])
def test_a_doubt_of_the_audience_ends_with_a_session_that_began_after_it(ledger, plan, audience, younger, ends):
    session = plan()
    first, last = requests(ledger, session)
    replace_sessions.opened(ledger, session, first)
    when = "now() + interval '1 hour'" if younger else "now() - interval '1 hour'"
    ledger.sql.execute(f"update audiences.audience set in_doubt = 'others', in_doubt_since = {when}")
    replace_sessions.end(ledger, session, last, received=20, invalid=0, changes=[])
    assert (one(ledger, "select in_doubt from audiences.audience").in_doubt is None) is ends


def test_how_long_requests_take_is_known_from_ten_of_the_account_on(ledger, audience, run):
    def measured(count, *, tries=1):
        ledger.sql.execute(
            "insert into audiences.chunk (run_id, audience_id, action, number, file, first_row, rows, state, tries, sent_at,"
            " acknowledged_at) select %s, %s, 'add', coalesce((select max(number) from audiences.chunk), 0) + n, 'f', 0, 100,"
            " 'acknowledged', %s, now(), now() + n * interval '1 second' from generate_series(1, %s) n",
            (run, audience.id, tries, count),
        )

    measured(9)
    measured(5, tries=2)
    assert replace_sessions.seconds_per_request(ledger, "act_1", rows=100) is None
    measured(1)
    assert replace_sessions.seconds_per_request(ledger, "act_1", rows=100) == pytest.approx(8.1)
    assert replace_sessions.seconds_per_request(ledger, "act_1", rows=101) is None
    assert replace_sessions.seconds_per_request(ledger, "act_2", rows=100) is None
