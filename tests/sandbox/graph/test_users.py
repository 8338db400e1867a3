"""Members: adding, removing, strictness, sessions, opting out of every audience."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def audience(graph):
    return graph.create()


def test_added_rows_are_members_and_removed_rows_are_not(graph, admin, audience, rows):
    answer = graph.upload(audience, rows(5)).json()
    assert answer == {"audience_id": audience, "num_received": 5, "num_invalid_entries": 0, "invalid_entry_samples": {}}
    graph.upload(audience, rows(2), method="DELETE")
    expected = [{"EMAIL": email, "PHONE": phone} for email, phone in rows(3, start=2)]
    assert admin.diff(audience, expected) == {
        "expected": 3,
        "actual": 3,
        "equal": True,
        "missing": [],
        "unexpected": [],
    }


def test_adding_twice_changes_nothing(graph, admin, audience, rows):
    graph.upload(audience, rows(5))
    before = admin.members(audience)
    assert graph.upload(audience, rows(5)).json()["num_received"] == 5
    assert admin.members(audience) == before


def test_removing_somebody_who_is_not_in_counts_as_received(graph, audience, rows):
    assert graph.upload(audience, rows(3), method="DELETE").json()["num_received"] == 3


def test_a_blank_cell_makes_a_member_of_the_rest(graph, admin, audience, rows):
    email = rows(1)[0][0]
    graph.upload(audience, [[email, ""]])
    assert admin.members(audience) == [{"EMAIL": email}]


def test_one_bad_phone_among_ten_thousand_rows_is_one_invalid_entry(graph, admin, audience, rows):
    chunk = rows(10_000)
    chunk[77][1] = "+0000000000"
    answer = graph.upload(audience, chunk).json()
    assert (answer["num_received"], answer["num_invalid_entries"]) == (10_000, 1)
    assert list(answer["invalid_entry_samples"]) == ["77"]
    assert len(admin.members(audience)) == 9_999
    pii = admin.state(members=False)["pii"]
    assert (pii["clean"], pii["not_a_hash"]) == (False, 1)
    assert "+0000000000" not in str(pii)


def test_10_001_rows_are_refused_whole(graph, admin, audience, rows, error_of):
    assert error_of(graph.upload(audience, rows(10_001))) == (100, None)
    admin.settings(over_limit="1/99")
    assert error_of(graph.upload(audience, rows(10_001))) == (1, 99)
    assert admin.members(audience) == []
    assert admin.state(members=False)["counters"]["peak_rows"] == 10_001


def test_a_row_of_the_wrong_length_refuses_the_request(graph, admin, audience, rows, error_of):
    answer = graph.upload(audience, [*rows(5), ["only one"]])
    assert error_of(answer) == (100, None)
    assert "Data is missing or does not match schema" in answer.json()["error"]["message"]
    assert admin.members(audience) == []


def test_an_empty_list_is_refused(graph, audience, error_of):
    assert error_of(graph.upload(audience, [])) == (100, None)


def test_single_key_and_multi_key_schemas_do_not_mix(graph, audience, rows, error_of):
    graph.upload(audience, rows(1))
    answer = graph.upload(audience, [rows(1)[0][0]], schema="EMAIL_SHA256")
    assert error_of(answer) == (2650, None)
    message = answer.json()["error"]["message"]
    assert "FILE_IMPORTED.MULTI_HASHES" in message
    assert "HASHES_OR_USER_IDS" in message


def test_other_keys_of_the_same_family_are_fine(graph, admin, audience, rows):
    graph.upload(audience, rows(1))
    graph.upload(audience, [[rows(1)[0][0]]], schema=["EMAIL"])
    assert len(admin.members(audience)) == 2


@pytest.mark.parametrize(
    ("state", "numbers"),
    [
        ({"operation_status": 471}, (100, 1713230)),
        ({"disabled": True}, (100, 1870065)),
        ({"can_edit": False}, (100, 1487301)),
        ({"subtype": "LOOKALIKE"}, (2650, None)),
    ],
)
def test_audiences_that_take_no_uploads_say_why(graph, admin, audience, rows, error_of, state, numbers):
    admin.put_audience(id=audience, **state)
    assert error_of(graph.upload(audience, rows(1))) == numbers


def test_values_are_for_value_based_audiences_only(graph, audience, rows, error_of):
    valued = [[rows(1)[0][0], 12.5]]
    assert error_of(graph.upload(audience, valued, schema=["EMAIL", "LOOKALIKE_VALUE"])) == (2650, None)
    other = graph.create("Valued", is_value_based=True)
    assert graph.upload(other, valued, schema=["EMAIL", "LOOKALIKE_VALUE"]).ok


@pytest.mark.parametrize(
    ("error", "numbers"),
    [("tos_value_based", (200, 1870092)), ("tos_not_accepted", (200, 1870034)), ("tos_2663", (2663, None))],
)
def test_value_based_audiences_have_terms_of_their_own(graph, admin, rows, error_of, error, numbers):
    audience = graph.create("Valued", is_value_based=True)
    admin.put_account(id="act_1001", value_tos_accepted=False, value_tos_error=error)
    told = graph.get("/act_1001", fields="tos_accepted").json()["tos_accepted"]
    assert (told["custom_audience_tos"], "value_based_custom_audience_tos" in told) == (1, False)
    assert error_of(graph.upload(audience, [[rows(1)[0][0], 2]], schema=["EMAIL", "LOOKALIKE_VALUE"])) == numbers
    answer = graph.post(
        "/act_1001/customaudiences",
        name="More",
        subtype="CUSTOM",
        customer_file_source="USER_PROVIDED_ONLY",
        is_value_based=1,
    )
    assert error_of(answer) == numbers
    assert graph.create("Plain")


def test_num_received_is_cumulative_within_a_session(graph, audience, rows):
    def batch(n, **session):
        return graph.upload(audience, rows(n), session={"session_id": 5, **session}).json()

    assert batch(3, batch_seq=1)["num_received"] == 3
    assert batch(4, batch_seq=9)["num_received"] == 7
    last = batch(2, last_batch_flag=True)
    assert (last["num_received"], last["session_id"]) == (9, "5")


def test_a_batch_after_the_last_one_is_accepted_and_discarded(graph, admin, audience, rows):
    graph.upload(audience, rows(2), session={"session_id": 5, "batch_seq": 1, "last_batch_flag": True})
    late = graph.upload(audience, rows(2, start=50), session={"session_id": 5, "batch_seq": 2})
    assert late.json()["num_received"] == 2
    assert len(admin.members(audience)) == 2


def test_a_batch_ninety_minutes_after_the_first_is_discarded(graph, admin, audience, rows):
    graph.upload(audience, rows(2), session={"session_id": 5, "batch_seq": 1})
    admin.advance(90 * 60)
    assert graph.upload(audience, rows(2, start=50), session={"session_id": 5, "batch_seq": 2}).ok
    assert len(admin.members(audience)) == 2


@pytest.mark.parametrize("number", [0, -1, 2**63, "abc", None, True, 1.5])
def test_a_session_id_is_a_positive_64_bit_integer(graph, audience, rows, error_of, number):
    assert error_of(graph.upload(audience, rows(1), session={"session_id": number})) == (100, None)


def test_the_largest_session_id_is_fine(graph, audience, rows):
    answer = graph.upload(audience, rows(1), session={"session_id": 2**63 - 1, "last_batch_flag": True})
    assert answer.json()["session_id"] == str(2**63 - 1)


def test_sessions_are_listed_as_strings_from_uploading_to_finished(graph, audience, rows):
    graph.upload(audience, [*rows(2), ["", ""]], session={"session_id": 5, "batch_seq": 1})
    graph.upload(audience, rows(1), session={"session_id": 6, "batch_seq": 1})
    running = graph.get(f"/{audience}/sessions", session_id=5).json()["data"]
    assert len(running) == 1
    assert running[0] | {"start_time": ""} == {
        "session_id": "5",
        "start_time": "",
        "end_time": "0",
        "num_received": "3",
        "num_matched": "-1",
        "num_invalid_entries": "1",
        "progress": "0",
        "stage": "uploading",
    }
    graph.upload(audience, rows(1), session={"session_id": 5, "batch_seq": 2, "last_batch_flag": True})
    done = graph.get(f"/{audience}/sessions").json()["data"][0]
    assert (done["stage"], done["progress"], done["num_matched"]) == ("finished", "100", "3")
    assert all(isinstance(value, str) for value in done.values())


def test_sessions_can_be_stuck_as_at_facebook(graph, admin, audience, rows):
    admin.settings(stuck_sessions=True)
    graph.upload(audience, rows(1), session={"session_id": 5, "batch_seq": 1, "last_batch_flag": True})
    assert graph.get(f"/{audience}/sessions").json()["data"][0]["stage"] == "uploading"


def test_opting_out_removes_a_person_from_every_list_of_the_account(graph, admin, rows):
    admin.put_account(id="act_2002")
    (email, phone), other = rows(1)[0], rows(1, start=9)[0]
    both, by_phone, by_email = graph.create("Both"), graph.create("By phone"), graph.create("By e-mail")
    foreign = admin.put_audience(account="act_2002", name="Foreign", members=[{"EMAIL": email}])["id"]
    graph.upload(both, [[email, phone], other])
    graph.upload(by_phone, [[phone]], schema=["PHONE"])
    graph.upload(by_email, [[email], [other[0]]], schema=["EMAIL"])

    body = {"payload": {"schema": ["EMAIL", "PHONE"], "data": [[email, phone]]}}
    answer = graph.call("DELETE", "/act_1001/usersofanyaudience", json=body).json()

    assert answer["num_received"] == 1
    assert [len(admin.members(one)) for one in (both, by_phone, by_email, foreign)] == [1, 0, 1, 1]


def test_the_hash_of_nothing_is_accepted_and_reported(graph, admin, audience):
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert graph.upload(audience, [[nothing, ""]]).json()["num_invalid_entries"] == 0
    pii = admin.state(members=False)["pii"]
    assert pii["empty_hash"] == 1
    assert pii["findings"] == [
        {"request": pii["findings"][0]["request"], "account": "act_1001", "audience": audience}
        | {"kind": "empty_hash", "key": "EMAIL", "cells": 1}
    ]
