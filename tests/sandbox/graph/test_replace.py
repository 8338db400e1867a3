"""The replace session, state by state."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration

IN_PROGRESS, TIMED_OUT, NOT_OPENED, FINISHED = ((2650, sub) for sub in (1870145, 1870158, 1870147, 1870159))


@pytest.fixture
def audience(graph, rows):
    made = graph.create()
    graph.upload(made, rows(10))
    return made


@pytest.fixture
def batch(graph, audience, rows):
    """Sends one batch of rows that were not there before."""

    def send(seq, *, last=False, session=77, n=5, start=None, schema=("EMAIL", "PHONE"), data=None):
        where = 1000 * seq if start is None else start
        flags = {"session_id": session, "batch_seq": seq, "last_batch_flag": last}
        body = data if data is not None else rows(n, start=where)
        return graph.upload(audience, body, schema=schema, edge="usersreplace", session=flags)

    return send


def emails(admin, audience):
    return {row["EMAIL"] for row in admin.members(audience)}


def test_the_audience_becomes_what_the_session_sent_at_the_last_batch(admin, audience, batch, rows):
    before = emails(admin, audience)
    assert batch(1).json()["num_received"] == 5
    assert batch(3).json()["num_received"] == 10
    assert emails(admin, audience) == before, "nothing is seen before the session ends"
    answer = batch(2, last=True).json()
    assert (answer["num_received"], answer["session_id"], answer["audience_id"]) == (15, "77", audience)
    wanted = {email for seq in (1, 2, 3) for email, _ in rows(5, start=1000 * seq)}
    assert emails(admin, audience) == wanted


def test_one_batch_can_be_all(admin, audience, batch):
    assert batch(1, last=True).ok
    assert len(admin.members(audience)) == 5


def test_the_status_says_that_a_replace_is_running(graph, audience, batch):
    def code():
        return graph.get(f"/{audience}", fields="operation_status").json()["operation_status"]["code"]

    batch(1)
    assert code() == 414
    batch(2, last=True)
    assert code() == 200


def test_a_session_must_begin_with_batch_one(batch, error_of):
    assert error_of(batch(2)) == NOT_OPENED


def test_batch_one_cannot_be_sent_twice(batch, error_of):
    batch(1)
    assert error_of(batch(1)) == IN_PROGRESS


def test_a_second_replace_has_to_wait(batch, error_of):
    batch(1)
    assert error_of(batch(1, session=78)) == IN_PROGRESS
    assert error_of(batch(2, session=78)) == IN_PROGRESS
    batch(2, last=True)
    assert batch(1, session=78).ok


def test_adding_and_removing_have_to_wait_for_a_replace(graph, audience, batch, rows, error_of):
    batch(1)
    assert error_of(graph.upload(audience, rows(1))) == IN_PROGRESS
    assert error_of(graph.upload(audience, rows(1), method="DELETE")) == IN_PROGRESS
    batch(2, last=True)
    assert graph.upload(audience, rows(1)).ok


def test_nothing_may_follow_the_last_batch(batch, error_of):
    batch(1, last=True)
    assert error_of(batch(2)) == FINISHED
    assert error_of(batch(1)) == FINISHED


def test_after_ninety_minutes_the_audience_is_what_had_arrived(graph, admin, audience, batch, error_of):
    batch(1, n=4)
    admin.advance(90 * 60)
    assert error_of(batch(2, last=True)) == TIMED_OUT
    assert len(admin.members(audience)) == 4
    assert graph.get(f"/{audience}", fields="operation_status").json()["operation_status"]["code"] == 415
    assert batch(1, last=True, session=78).ok
    assert graph.get(f"/{audience}", fields="operation_status").json()["operation_status"]["code"] == 200


def test_a_replace_waits_while_an_upload_is_being_processed(graph, admin, audience, batch, rows, error_of):
    admin.settings(processing_seconds=600)
    graph.upload(audience, rows(1))
    assert error_of(batch(1)) == IN_PROGRESS
    admin.advance(601)
    assert batch(1).ok


def test_the_schema_stays_the_same_through_a_session(batch, rows, error_of):
    batch(1)
    assert error_of(batch(2, schema=["EMAIL"], data=[[rows(1)[0][0]]])) == (100, None)


def test_an_empty_replace_is_refused(admin, audience, batch, error_of):
    assert error_of(batch(1, last=True, data=[])) == (100, None)
    assert len(admin.members(audience)) == 10


def test_a_replace_needs_a_session(graph, audience, rows, error_of):
    assert error_of(graph.upload(audience, rows(1), edge="usersreplace")) == (100, None)


def test_a_flagged_audience_cannot_be_replaced(admin, audience, batch, error_of):
    admin.put_audience(id=audience, operation_status=471)
    assert error_of(batch(1)) == (100, 1713230)


def test_the_first_upload_of_an_audience_can_be_a_replace(graph, admin, rows):
    fresh = graph.create("Fresh")
    session = {"session_id": 1, "batch_seq": 1, "last_batch_flag": True}
    assert graph.upload(fresh, rows(3), edge="usersreplace", session=session).ok
    assert len(admin.members(fresh)) == 3
