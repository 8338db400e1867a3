"""States on record: only allowed transitions happen, one function makes each, and the database knows the same states."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tests.ledger.records import NOON, changed, every, one, request, session, start

from audiences.campaign.when import When
from audiences.ledger import (
    ad_set_links,
    approvals,
    assignments,
    chunk_states,
    chunks,
    live_batches,
    live_campaigns,
    live_events,
    receipts,
    rejected_rows,
    replace_sessions,
    requests_in_doubt,
    runs,
)
from audiences.ledger.approvals import ApprovalState
from audiences.ledger.chunk_states import RequestAction, RequestState
from audiences.ledger.live_batches import BatchState
from audiences.ledger.live_events import EventState
from audiences.ledger.replace_sessions import SessionState
from audiences.ledger.runs import RunState
from audiences.ledger.transitions import IllegalTransitionError
from audiences.notices.notice import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import KnownAudience

pytestmark = pytest.mark.integration
OWNERS = (chunk_states, runs, replace_sessions, live_batches, live_events, approvals)
CHECKED = {
    ("chunk", "state"): set(RequestState),
    ("chunk", "action"): set(get_args(RequestAction)),
    ("run", "state"): set(RunState),
    ("upload_session", "state"): set(SessionState),
    ("live_batch", "state"): set(BatchState),
    ("live_event", "state"): set(EventState),
    ("approval", "state"): set(ApprovalState),
    ("assignment", "arm"): set(assignments.ARMS),
    ("notice", "kind"): set(get_args(Kind)),
    ("ad_set", "place"): set(get_args(ad_set_links.Inclusion)),
    ("campaign_end", "on_end"): set(get_args(When.model_fields["on_end"].annotation)),
}


def test_the_database_checks_exactly_the_values_that_the_code_names(ledger: Ledger) -> None:
    found = every(
        ledger,
        "select c.conrelid::regclass::text as table, pg_get_constraintdef(c.oid) as check from pg_constraint c"
        " where c.contype = 'c' and c.connamespace = 'audiences'::regnamespace",
    )
    lists = {}
    for row in found:
        if match := re.search(r"\((\w+) = ANY \(ARRAY\[(.*)\]\)", row.check):
            lists[row.table.removeprefix("audiences."), match[1]] = set(re.findall(r"'(\w+)'", match[2]))
    assert lists == CHECKED


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__.rpartition(".")[2])
def test_every_state_says_which_may_follow(owner: Any) -> None:
    (kind,) = {type(state) for state in owner.TRANSITIONS.allowed}
    states = set(kind.__members__.values())
    assert set(owner.TRANSITIONS.allowed) == states
    reached = set().union(*owner.TRANSITIONS.allowed.values())
    first = {"planned", "running", "open", "waiting", "late", "asked"}  # as which a row goes on record
    assert states <= reached | first


REQUESTS: dict[RequestState, list[Callable[[Ledger, Chunk], object]]] = {
    RequestState.PLANNED: [chunks.unsend],
    RequestState.SENDING: [chunks.sending],
    RequestState.ACKNOWLEDGED: [
        lambda ledger, chunk: receipts.receive(ledger, chunk, received=1, invalid=0),
        lambda ledger, chunk: receipts.acknowledge(
            ledger, receipts.Acknowledged(chunk, received=1, invalid=0, changes=changed())
        ),
        lambda ledger, chunk: rejected_rows.leave_out(ledger, chunk, {b"a": "bad"}),
    ],
    RequestState.SPLIT: [
        lambda ledger, chunk: chunks.split(ledger, chunk, error="bad row"),
        lambda ledger, chunk: chunks.cut(ledger, chunk, error="bad row"),
    ],
    RequestState.POSTPONED: [
        lambda ledger, chunk: chunks.postpone(ledger, chunk, error="too small"),
        lambda ledger, chunk: requests_in_doubt.begin(
            ledger, chunk, state=RequestState.POSTPONED, error="lost", changes=changed()
        ),
    ],
    RequestState.REFUSED: [
        lambda ledger, chunk: chunks.refuse(ledger, chunk, error="no"),
        lambda ledger, chunk: rejected_rows.refuse(ledger, chunk, reason="bad", error="no", identifiers=[b"a"]),
        lambda ledger, chunk: requests_in_doubt.begin(
            ledger, chunk, state=RequestState.REFUSED, error="lost", changes=changed()
        ),
    ],
    RequestState.DROPPED: [lambda ledger, chunk: chunks.drop_of_run(ledger, chunk.run)],
    RequestState.LOST: [lambda ledger, chunk: chunks.lose(ledger, chunk, error="rows are gone")],
}
# These give up whatever may be given up, and leave the rest as it is.
IN_BULK = (RequestState.DROPPED,)
# A second receipt of one request changes nothing, and is no fault.
TWICE = ((RequestState.ACKNOWLEDGED, RequestState.ACKNOWLEDGED),)


def into(ledger: Ledger, table: str, number: int, state: str) -> None:
    ledger.sql.execute(f"update audiences.{table} set state = %s where id = %s".encode(), (state, number))


def test_every_state_of_a_request_has_a_function_that_leads_there() -> None:
    assert set(REQUESTS) == set(RequestState)


@pytest.mark.parametrize(("found", "to"), [*product(RequestState, RequestState)])
def test_a_request_goes_from_state_to_state_as_allowed_and_not_otherwise(
    ledger: Ledger, audience: KnownAudience, run: int, found: RequestState, to: RequestState
) -> None:
    for move in REQUESTS[to]:
        chunk = request(ledger, run, audience.id, 2)
        into(ledger, "chunk", chunk.id, found)
        allowed = to in chunk_states.TRANSITIONS.allowed[found]
        if allowed or to in IN_BULK or ((found, to) in TWICE and move is REQUESTS[to][1]):
            move(ledger, chunk)
        else:
            with pytest.raises(IllegalTransitionError, match=f"request {chunk.id} .* `{found}` .* `{to}`"):
                move(ledger, chunk)
        expected = to if allowed else found
        assert one(ledger, f"select state from audiences.chunk where id = {chunk.id}").state == expected
        ledger.sql.execute("delete from audiences.chunk where part_of is not null")
        ledger.sql.execute("delete from audiences.chunk")


@pytest.mark.parametrize(("found", "to"), [*product(RunState, RunState)])
def test_a_run_goes_from_state_to_state_as_allowed_and_not_otherwise(
    ledger: Ledger, campaign: int, run: int, found: RunState, to: RunState
) -> None:
    into(ledger, "run", run, found)
    if to is RunState.RUNNING:
        start(ledger, campaign)
    elif to is RunState.ABANDONED:
        runs.abandon_others(ledger, campaign=campaign, run=0)
    else:
        runs.end(ledger, run, state=to)
    expected = to if to in runs.TRANSITIONS.allowed[found] else found
    assert one(ledger, f"select state from audiences.run where id = {run}").state == expected


def test_a_run_that_is_not_on_record_cannot_be_ended(ledger: Ledger) -> None:
    with pytest.raises(IllegalTransitionError, match="run 404 is on record as `nothing`"):
        runs.end(ledger, 404, state=RunState.FAILED)


SESSIONS: dict[SessionState, list[Callable[[Ledger, Any, list[Chunk]], object]]] = {
    SessionState.PLANNED: [lambda ledger, session, requests: replace_sessions.not_opened(ledger, session, requests[0])],
    SessionState.OPEN: [lambda ledger, session, requests: replace_sessions.opened(ledger, session, requests[0])],
    SessionState.ENDED: [
        lambda ledger, session, requests: replace_sessions.end(
            ledger, session, requests[-1], received=2, invalid=0, changes=[]
        )
    ],
    SessionState.BROKEN: [lambda ledger, session, _: replace_sessions.broke(ledger, session, error="timed out")],
    SessionState.DROPPED: [lambda ledger, session, _: replace_sessions.drop(ledger, session, error="never left")],
}


@pytest.mark.parametrize(("found", "to"), [*product(SessionState, SessionState)])
def test_a_replace_session_goes_from_state_to_state_as_allowed_and_not_otherwise(
    ledger: Ledger, audience: KnownAudience, run: int, found: SessionState, to: SessionState
) -> None:
    planned = session(ledger, run, audience.id)
    requests = chunks.of_session(ledger, planned.id)
    into(ledger, "upload_session", planned.id, found)
    if to is not SessionState.OPEN:
        for each in requests:
            into(ledger, "chunk", each.id, RequestState.SENDING)
    (move,) = SESSIONS[to]
    allowed = to in replace_sessions.TRANSITIONS.allowed[found]
    if allowed:
        move(ledger, planned, requests)
    else:
        with pytest.raises(IllegalTransitionError, match=f"replace session {planned.id} .* `{found}` .* `{to}`"):
            move(ledger, planned, requests)
    expected = to if allowed else found
    assert one(ledger, "select state from audiences.upload_session").state == expected


@pytest.mark.parametrize("found", SessionState)
def test_a_new_attempt_gives_up_the_session_before_it(
    ledger: Ledger, audience: KnownAudience, run: int, found: SessionState
) -> None:
    session(ledger, run, audience.id)
    ledger.sql.execute("update audiences.upload_session set state = %s", (found,))
    session(ledger, run, audience.id)
    given_up = {SessionState.OPEN: SessionState.BROKEN, SessionState.PLANNED: SessionState.DROPPED}
    first = every(ledger, "select state from audiences.upload_session order by id")[0]
    assert first.state == given_up.get(found, found)


@pytest.fixture
def live(ledger: Ledger) -> int:
    return live_campaigns.join(ledger, [live_campaigns.Newcomer("live", NOON)], now=NOON, next_xid=1)["live"].campaign


def a_batch(ledger: Ledger, campaign: int) -> int:
    seen = live_events.SeenEvent(campaign, "e", "u", NOON, NOON, NOON, late=False)
    live_campaigns.see(ledger, [seen], [], at=NOON)
    (formed,) = live_batches.form(ledger, [live_batches.BatchTerms(campaign, None, None)], [], at=NOON)
    assert formed.batch_id is not None
    return formed.batch_id


@pytest.mark.parametrize(("found", "to"), [*product(BatchState, [BatchState.EXPORTED, BatchState.DROPPED])])
def test_a_live_batch_goes_from_state_to_state_as_allowed_and_not_otherwise(
    ledger: Ledger, live: int, run: int, found: BatchState, to: BatchState
) -> None:
    batch = a_batch(ledger, live)
    into(ledger, "live_batch", batch, found)
    allowed = to in live_batches.TRANSITIONS.allowed[found]
    if to is BatchState.EXPORTED:
        assert live_batches.finish(ledger, batch, run=run) is allowed
    else:
        assert live_batches.drop_offered(ledger, [live], at=NOON) == ([batch] if allowed else [])
    expected = to if allowed else found
    assert one(ledger, "select state from audiences.live_batch").state == expected


def export(ledger: Ledger, batch: int) -> None:
    live_events.note_qualified(ledger, batch, ["u"])
    live_events.finish(ledger, batch)


EVENTS: dict[EventState, Callable[[Ledger, int, int], object]] = {
    EventState.BATCHED: lambda ledger, campaign, _: live_batches.form(
        ledger, [live_batches.BatchTerms(campaign, None, None)], [], at=NOON
    ),
    EventState.LIMITED: lambda ledger, campaign, _: live_batches.form(
        ledger, [live_batches.BatchTerms(campaign, 0, None)], [], at=NOON
    ),
    EventState.EXCLUDED: lambda ledger, campaign, _: live_events.set_aside(
        ledger, [live_events.Due(campaign, "e", "u", NOON, NOON)], state=EventState.EXCLUDED
    ),
    EventState.DROPPED: lambda ledger, campaign, _: live_events.drop_all(ledger, [campaign]),
    EventState.EXPORTED: lambda ledger, _, batch: export(ledger, batch),
    EventState.NOT_QUALIFIED: lambda ledger, _, batch: live_events.finish(ledger, batch),
}


@pytest.mark.parametrize(("found", "to"), [*product(EventState, EVENTS)])
def test_a_live_event_goes_from_state_to_state_as_allowed_and_stays_as_it_is_otherwise(
    ledger: Ledger, live: int, found: EventState, to: EventState
) -> None:
    batch = a_batch(ledger, live)
    ledger.sql.execute("update audiences.live_batch set state = 'exported'")  # a campaign has one open batch at most
    ledger.sql.execute("update audiences.live_event set state = %s", (found,))
    EVENTS[to](ledger, live, batch)
    expected = to if to in live_events.TRANSITIONS.allowed[found] else found
    assert one(ledger, "select state from audiences.live_event").state == expected


def put(ledger: Ledger, campaign: int, run: int) -> int:
    return approvals.ask(
        ledger, campaign=campaign, run=run, asked_in="r1", digest="d", shown="s", body="b", at=NOON, until=NOON
    )


def answer(ledger: Ledger, question: int, approved: bool) -> None:
    approvals.answer(ledger, question, approved=approved, by="anna", name="Anna", at=NOON)


ANSWERS: dict[ApprovalState, Callable[[Ledger, int], object]] = {
    ApprovalState.APPROVED: lambda ledger, question: answer(ledger, question, approved=True),
    ApprovalState.REJECTED: lambda ledger, question: answer(ledger, question, approved=False),
    ApprovalState.IN_FORCE: lambda ledger, question: approvals.put_in_force(ledger, question, at=NOON),
    ApprovalState.UNANSWERED: lambda ledger, question: approvals.unanswered(ledger, question, why="too late"),
    ApprovalState.LAPSED: lambda ledger, question: approvals.lapse(ledger, question, why="too late"),
}


@pytest.mark.parametrize(("found", "to"), [*product(ApprovalState, ANSWERS)])
def test_a_question_goes_from_state_to_state_as_allowed_and_not_otherwise(
    ledger: Ledger, campaign: int, run: int, found: ApprovalState, to: ApprovalState
) -> None:
    question = put(ledger, campaign, run)
    into(ledger, "approval", question, found)
    allowed = to in approvals.TRANSITIONS.allowed[found]
    if allowed:
        ANSWERS[to](ledger, question)
    else:
        with pytest.raises(IllegalTransitionError, match=f"question {question} .* `{found}` .* `{to}`"):
            ANSWERS[to](ledger, question)
    asked = approvals.of_run(ledger, run)
    assert asked is not None
    assert asked.state == (to if allowed else found)


@pytest.mark.parametrize(
    ("by", "name", "said"),
    [
        ("anna", "anna", "anna"),
        ("4", "Anna Berg", "Anna Berg (4)"),
        ("4", "anna@example.com", "4"),
        ("anna@example.com", "Anna", "Anna"),
        ("anna@example.com", "anna@example.com", "the person who answered question 7"),
        ("+44 20 7946 0958", None, "the person who answered question 7"),
        (None, None, "nobody"),
    ],
)
def test_who_answered_is_named_without_an_address_or_a_number_of_anybody(
    by: str | None, name: str | None, said: str
) -> None:
    assert approvals.called(7, by=by, name=name) == said


@pytest.mark.parametrize("found", ApprovalState)
def test_asking_anew_makes_questions_void_of_which_something_might_still_come(
    ledger: Ledger, campaign: int, run: int, found: ApprovalState
) -> None:
    question = put(ledger, campaign, run)
    into(ledger, "approval", question, found)
    again = put(ledger, campaign, run)
    void = found in (ApprovalState.ASKED, ApprovalState.APPROVED)
    states = [(each.id, each.state) for each in approvals.of_campaign(ledger, campaign)]
    assert states == [(again, ApprovalState.ASKED), (question, ApprovalState.LAPSED if void else found)]
    in_force = approvals.in_force(ledger, campaign=campaign, digest="d")
    assert (in_force is not None) is (found is ApprovalState.IN_FORCE)
    assert approvals.in_force(ledger, campaign=campaign, digest="another") is None
