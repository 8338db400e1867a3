from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from tests.ledger.records import acknowledge, changed, every, start

from audiences.ledger import (
    assignments,
    campaigns,
    chunks,
    formerly,
    known_audiences,
    member_history,
    members,
    receipts,
    request_counts,
    runs,
)
from audiences.ledger.campaigns import CampaignBusyError
from audiences.ledger.chunk_states import PlannedRequest
from audiences.ledger.database import Ledger
from audiences.ledger.known_audiences import AudienceTakenError
from audiences.ledger.migrate import migrate

VERSIONS = Path(known_audiences.__file__).parent / "migrations" / "versions"
pytestmark = pytest.mark.integration


def test_migrating_at_once_from_several_processes_is_safe(new_database):
    connection = new_database("ledger")
    with ThreadPoolExecutor(4) as pool:
        revisions = set(pool.map(lambda _: migrate(connection), range(8)))
    assert revisions == {max(path.stem[:4] for path in VERSIONS.glob("[0-9]*.py"))}


def test_a_session_may_wait_for_the_warehouse_and_facebook_for_as_long_as_they_take(new_database):
    connection = new_database("ledger")
    limits = ("idle_session_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
    with Ledger(connection) as ledger:
        for limit in limits:
            ledger.sql.execute(f"alter database {connection.schema} set {limit} = '1h'".encode())
    query = f"select {', '.join(f'current_setting({name!r}) as {name}' for name in limits)}"
    with Ledger(connection) as ledger, ledger.bulk.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchone() == ("0",) * 3
        assert ledger.sql.execute(query.encode()).fetchone() == ("0",) * 3


def test_a_campaign_is_worked_on_by_one_process_at_a_time(ledger, new_database, monkeypatch):
    monkeypatch.setattr("audiences.ledger.campaigns.LOCK_WAIT", "100ms")
    with Ledger(ledger.connection) as second, formerly.working_on(ledger, "abandoned_cart"):
        with formerly.working_on(second, "another"):
            pass
        with pytest.raises(CampaignBusyError, match="abandoned_cart"), formerly.working_on(second, "abandoned_cart"):
            pass


def test_the_same_external_id_is_the_same_run(ledger, campaign):
    first = start(ledger, campaign)
    runs.note_error(ledger, first, ValueError("mary@example.com"))
    assert "@" not in runs.noted(ledger, first).error
    assert start(ledger, campaign) == first
    assert runs.noted(ledger, first).error is None
    assert start(ledger, campaign, "r2") != first


def test_another_campaign_waits_while_an_audience_is_being_changed(ledger, campaign, audience):
    known_audiences.claim(ledger, audience.id, campaign)
    known_audiences.claim(ledger, audience.id, campaign)
    other = campaigns.number(ledger, "other")
    with pytest.raises(AudienceTakenError, match="abandoned_cart"):
        known_audiences.claim(ledger, audience.id, other)
    known_audiences.release(ledger, audience.id, campaign)
    known_audiences.claim(ledger, audience.id, other)


def test_an_audience_is_recorded_once(ledger, campaign, audience):
    again = known_audiences.record(ledger, ad_account="act_1", facebook_id="23", name="Carts", created_for=campaign)
    assert again == audience
    assert known_audiences.find(ledger, "23") == audience
    assert known_audiences.created_for(ledger, campaign=campaign, ad_account="act_1", name="Renamed") == audience
    assert known_audiences.created_for(ledger, campaign=campaign, ad_account="act_2", name="Carts") is None


def held(ledger, audience):
    with members.held(ledger, audience.id) as rows:
        return rows.read_all()


def test_the_first_assignment_stands(ledger, campaign):
    first, second = start(ledger, campaign, "r1", "10 %"), start(ledger, campaign, "r2", "50 %")
    assignments.record(
        ledger, campaign=campaign, run=first, assigned=pa.table({"user_id": ["1"], "arm": ["target"]}).to_reader()
    )
    later = pa.table({"user_id": ["1", "2"], "arm": ["campaign", "system"]})
    assignments.record(ledger, campaign=campaign, run=second, assigned=later.to_reader())
    assert assignments.not_by_formula(ledger, campaign, "50 %").to_pylist() == [{"user_id": "1", "arm": 0}]
    assert assignments.not_by_formula(ledger, campaign, "10 %").to_pylist() == [{"user_id": "2", "arm": 1}]
    assert assignments.ever_targeted(ledger, campaign).to_pylist() == [{"user_id": "1"}]


def test_members_appear_with_their_acknowledgement_and_keep_their_history(ledger, campaign, audience):
    first, second = start(ledger, campaign, "r1"), start(ledger, campaign, "r2")
    acknowledge(ledger, first, audience.id, changed((campaign, "1", b"old", True), (campaign, "2", b"two", True)))
    acknowledge(
        ledger,
        second,
        audience.id,
        changed((campaign, "1", b"old", False), (campaign, "1", b"new", True), (campaign, "2", b"two", False)),
    )
    rows = held(ledger, audience).to_pylist()
    assert rows == [{"campaign_id": campaign, "user_id": "1", "identifiers": b"new", "present": True}]
    assert members.count(ledger, audience.id) == 1
    history = every(
        ledger, "select user_id, identifiers, added_run, removed_run from audiences.member order by 3, 1, 2"
    )
    assert [tuple(row) for row in history] == [
        ("1", b"old", first, second),
        ("2", b"two", first, second),
        ("1", b"new", second, None),
    ]


def test_an_acknowledgement_that_fails_records_neither_the_receipt_nor_the_members(ledger, campaign, audience):
    run = start(ledger, campaign)
    nameless = changed((campaign, "1", b"a", True), (campaign, None, b"b", True))
    with pytest.raises(ValueError, match="null in user_id"):
        acknowledge(ledger, run, audience.id, nameless)
    assert held(ledger, audience).num_rows == 0
    assert [chunk.state for chunk in chunks.of_unknown_fate(ledger, audience.id)] == ["sending"]


def test_a_second_receipt_of_one_request_changes_nothing(ledger, campaign, audience):
    acknowledge(ledger, run := start(ledger, campaign), audience.id, changes := changed((campaign, "1", b"a", True)))
    receipts.acknowledge(ledger, receipts.Acknowledged(chunks.of_run(ledger, run)[0], 1, 0, changes))
    assert held(ledger, audience).num_rows == 1


def test_planning_again_replaces_what_was_never_sent_and_keeps_what_was(ledger, campaign, audience):
    run = start(ledger, campaign)
    planned = [PlannedRequest(action, f"{action}-0.parquet", 0, 5) for action in ("add", "remove")]
    chunks.plan(ledger, run=run, audience=audience.id, planned=planned)
    chunks.sending(ledger, chunks.of_run(ledger, run, action="remove")[0])
    chunks.plan(ledger, run=run, audience=audience.id, planned=planned[:1])
    on_record = [(chunk.action, chunk.state, chunk.number) for chunk in chunks.of_run(ledger, run)]
    assert on_record == [("remove", "sending", 1), ("add", "planned", 2)]


def test_totals_add_up_what_the_requests_changed(ledger, campaign, audience):
    run = start(ledger, campaign)
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", True), (campaign, "2", b"b", True)))
    chunks.plan(ledger, run=run, audience=audience.id, planned=[PlannedRequest("remove", "f", 0, 1)])
    totals = request_counts.totals(ledger, run)
    assert (totals.requests, totals.begun, totals.gone, totals.refused, totals.unsent) == (1, 2, 0, 0, 1)


def test_memberships_of_one_person_are_found_by_index_current_and_ended(ledger, campaign, audience):
    ledger.sql.execute(
        "insert into audiences.member select %s, %s, n::text, 'x', true, 1, case when n %% 2 = 0 then 1 end"
        " from generate_series(1, 20000) n",
        (audience.id, campaign),
    )
    ledger.sql.execute("analyze audiences.member")
    found = every(ledger, f"explain {member_history.HISTORY}", {"audience": audience.id, "user": "777"})
    plan = "\n".join(row[0] for row in found)
    assert "Seq Scan on member" not in plan
    assert {name for name in ("member_now", "member_ended") if name in plan} == {"member_now", "member_ended"}
