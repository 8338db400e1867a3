from __future__ import annotations

import pytest
from tests.ledger.records import NOON, acknowledge, changed, every, one, sent, session

from audiences.ledger import assignments, chunks, erasures, rejected_rows, replace_sessions, trails
from audiences.ledger.trails import Trail

pytestmark = pytest.mark.integration
HERS, THEIRS = b"\x01\x20" + b"m" * 32, b"\x02\x20" + b"p" * 32
ROW = HERS + THEIRS
"""A packed row with an e-mail hash that the erased person has, and a phone number of somebody else's."""


def unfinished(ledger, closed=()):
    return [one.what for one in erasures.unfinished(ledger, window=5400, closed=closed)]


def replaced(ledger, run, audience):
    """A replace of which the first request has left."""
    planned = session(ledger, run, audience.id, rows=2)
    replace_sessions.opened(ledger, planned, chunks.of_session(ledger, planned.id)[0])
    return replace_sessions.unfinished(ledger, audience.id)[0]


def ended(ledger):
    ledger.sql.execute("update audiences.run set state = 'failed', ended_at = now()")


def test_refused_rows_with_the_persons_hash_are_found(ledger, audience, run):
    refused = HERS + b"\x03\x01x"
    rejected_rows.refuse(
        ledger, sent(ledger, run, audience.id), reason="r", error="e", identifiers=[refused, b"\x03\x01y"]
    )
    assert list(map(bytes, rejected_rows.with_bytes(ledger, [b"m" * 32]))) == [refused]
    assert rejected_rows.with_bytes(ledger, []) == []


def test_the_persons_rows_leave_the_ledger_whoever_holds_them(ledger, campaign, audience, run):
    acknowledge(
        ledger,
        run,
        audience.id,
        changed((campaign, "3", HERS, True), (campaign, "30", ROW, True), (campaign, "4", THEIRS, True)),
    )
    rejected_rows.refuse(ledger, sent(ledger, run, audience.id), reason="r", error="e", identifiers=[ROW, THEIRS])
    removed = trails.remove(ledger, Trail("3", (HERS, ROW), ("30",)))
    assert (removed["member"], removed["refused_row"]) == (2, 1)
    assert {row.user_id for row in every(ledger, "select user_id from audiences.member")} == {"4"}
    assert [bytes(row.identifiers) for row in every(ledger, "select identifiers from audiences.refused_row")] == [
        THEIRS
    ]


def test_the_proof_counts_the_persons_rows_of_others_too(ledger, campaign, audience, run):
    acknowledge(ledger, run, audience.id, changed((campaign, "3", HERS, True), (campaign, "30", ROW, True)))
    trail = Trail("3", (HERS, ROW), ("30",))
    assert trails.left(ledger, trail)["member"] == 2
    assert [(each.id, each.rows) for each in trails.audiences_with(ledger, trail)] == [("23", 2)]


def test_of_others_only_the_rows_that_they_share_are_the_persons(ledger, campaign, audience, run):
    acknowledge(ledger, run, audience.id, changed((campaign, "30", ROW, True), (campaign, "30", THEIRS, True)))
    assert trails.remove(ledger, Trail("3", (ROW,), ("30",)))["member"] == 1
    assert [bytes(row.identifiers) for row in every(ledger, "select identifiers from audiences.member")] == [THEIRS]


def test_a_user_is_removed_from_every_table_that_knows_users(ledger, campaign, audience, run):
    import pyarrow as pa

    both = pa.table({"user_id": ["3", "4"], "arm": ["target", "target"]})
    assignments.record(ledger, campaign=campaign, run=run, assigned=both.to_reader())
    for table, columns, values in [
        ("expired", "audience_id, campaign_id", f"{audience.id}, {campaign}"),
        (
            "live_event",
            "campaign_id, event_id, occurred_at, arrived_at, seen_at, due_at, state",
            f"{campaign}, '{{user}}', now(), now(), now(), now(), 'waiting'",
        ),
    ]:
        for user in ("3", "4"):
            ledger.sql.execute(
                f"insert into audiences.{table} (user_id, {columns}) values ('{user}', {values.format(user=user)})"
            )
    removed = trails.remove(ledger, Trail("3"))
    assert {table: removed[table] for table in ("assignment", "expired", "live_event")} == {
        "assignment": 1, "expired": 1, "live_event": 1,
    }  # fmt: skip
    assert trails.left(ledger, Trail("4"))["assignment"] == 1


def test_a_replace_that_broke_is_waited_for_as_long_as_facebook_may_adopt_it(ledger, audience, run):
    session = replaced(ledger, run, audience)
    ended(ledger)
    assert "session" in unfinished(ledger)
    replace_sessions.broke(ledger, session, error="timed out")
    ledger.sql.execute("update audiences.chunk set state = 'dropped'")
    assert unfinished(ledger) == ["session"]
    ledger.sql.execute("update audiences.upload_session set opened_at = opened_at - interval '91 minutes'")
    assert unfinished(ledger) == []


def test_a_request_whose_fate_is_unknown_and_a_run_under_way_are_unfinished(ledger, campaign, audience, run):
    assert unfinished(ledger) == ["running"]
    sent(ledger, run, audience.id)
    ended(ledger)
    assert unfinished(ledger) == ["rows"]


def test_a_run_that_began_a_day_ago_has_died_and_is_not_waited_for(ledger, run):
    ledger.sql.execute("update audiences.run set started_at = now() - interval '25 hours'")
    assert unfinished(ledger) == []


def test_in_an_account_that_is_closed_nothing_is_waited_for(ledger, audience, run):
    sent(ledger, run, audience.id)
    ledger.sql.execute("update audiences.run set audience_id = %s", (audience.id,))
    assert unfinished(ledger, closed=["act_2"]) == ["rows", "running"]
    assert unfinished(ledger, closed=["act_1"]) == []


def test_an_erasure_that_is_not_done_is_gone_on_with_and_one_that_is_done_is_not(ledger):
    first = erasures.begin(ledger, at=NOON, digests=[b"a", b"b"])
    assert erasures.begin(ledger, at=NOON, digests=[b"b", b"c"]) == first
    erasures.end(ledger, first, at=NOON, requests=[], removed={}, still_to_do=[])
    assert erasures.begin(ledger, at=NOON, digests=[b"b"]) != first
    assert erasures.of_the_same(ledger, [b"c"]) == {b"a", b"b", b"c"}


def test_a_lifted_erasure_forgets_every_hash_of_the_person_and_of_nobody_else(ledger):
    erasures.begin(ledger, at=NOON, digests=[b"a", b"b"])
    erasures.begin(ledger, at=NOON, digests=[b"z"])
    assert erasures.forget(ledger, [b"a"]) == 2
    assert erasures.known(ledger)[1] == {b"z"}


def test_what_earlier_tries_have_done_stays_in_the_proof(ledger):
    erasure = erasures.begin(ledger, at=NOON, digests=[b"a"])
    told = {"id": "act_1", "requests": 1, "rows": 3}
    erasures.end(ledger, erasure, at=None, requests=[told], removed={"member": 2}, still_to_do=["x"])
    none = {"id": "act_1", "requests": 0, "rows": 0}
    erasures.end(ledger, erasure, at=NOON, requests=[none], removed={"member": 1}, still_to_do=[])
    row = one(ledger, "select requests, removed, done_at from audiences.erasure")
    assert (row.requests, row.removed, row.done_at) == ([told], {"member": 3}, NOON)
    assert erasures.found_before(ledger, b"a")


def test_hashes_that_belong_to_several_erasures_lead_to_all_that_were_remembered_with_them(ledger):
    first = erasures.begin(ledger, at=NOON, digests=[b"a", b"b"])
    erasures.end(ledger, first, at=NOON, requests=[], removed={}, still_to_do=[])
    second = erasures.begin(ledger, at=NOON, digests=[b"c", b"d"])
    assert second != first
    assert erasures.of_the_same(ledger, [b"a", b"d", b"x"]) == {b"a", b"b", b"c", b"d", b"x"}
    assert erasures.of_the_same(ledger, [b"x"]) == {b"x"}


def test_the_proof_tells_of_each_account_what_the_last_request_that_had_rows_came_to(ledger):
    def told(account, rows):
        return {"id": account, "requests": 1, "rows": rows}

    erasure = erasures.begin(ledger, at=NOON, digests=[b"a"])
    erasures.end(ledger, erasure, at=None, requests=[told("act_1", 3)], removed={}, still_to_do=["x"])
    erasures.end(ledger, erasure, at=NOON, requests=[told("act_1", 5), told("act_2", 0)], removed={}, still_to_do=[])
    row = one(ledger, "select requests from audiences.erasure")
    assert row.requests == [told("act_1", 5), told("act_2", 0)]
