from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facebook.scripted import Answer, ScriptedGraph

from audiences.errors import FacebookTransientError, RefusedError
from audiences.facebook import audience_members
from audiences.facebook.audience_members import BatchStep, Receipt, session_id_for, upload_body
from audiences.facebook.graph_errors import (
    AudienceTooSmallError,
    NotReceivedError,
    ReplaceBrokenError,
    RowsRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.facebook.session import GraphSession

SCHEMA = ["EMAIL", "PHONE"]
ROW = (hashlib.sha256(b"mary").hexdigest(), "")


def test_a_body_is_the_documented_one() -> None:
    step = BatchStep(session_id=123, sequence=1, last=True, total=2)
    assert orjson.loads(upload_body(SCHEMA, [ROW, ROW], step=step)) == {
        "payload": {"schema": ["EMAIL", "PHONE"], "data": [list(ROW), list(ROW)]},
        "session": {"session_id": 123, "batch_seq": 1, "last_batch_flag": True, "estimated_num_total": 2},
    }


def test_a_schema_of_one_key_is_sent_as_a_list_too() -> None:
    assert orjson.loads(upload_body(["EMAIL"], [ROW[:1]]))["payload"]["schema"] == ["EMAIL"]


@pytest.mark.parametrize("rows", [[], [ROW] * 10_001])
def test_an_upload_has_1_to_10000_rows(rows: list[tuple[str, str]]) -> None:
    assert upload_body(SCHEMA, [ROW] * 10_000)
    with pytest.raises(ValueError, match="1 to 10000 rows"):
        upload_body(SCHEMA, rows)


def test_a_raw_e_mail_does_not_leave() -> None:
    with pytest.raises(ValueError, match="must be normalised and hashed") as caught:
        upload_body(SCHEMA, [ROW, ("mary@example.com", "")])
    assert "mary" not in str(caught.value)


def test_the_hash_of_nothing_does_not_leave() -> None:
    with pytest.raises(ValueError, match="hash of an empty value"):
        upload_body(SCHEMA, [(hashlib.sha256(b"").hexdigest(), "")])


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_session_id_is_a_positive_63_bit_number_and_stable(parts: list[str]) -> None:
    assert 1 <= session_id_for(*parts) < 2**63
    assert session_id_for(*parts) == session_id_for(*parts)


def test_another_attempt_has_another_session() -> None:
    assert session_id_for("7", "run", "1") != session_id_for("7", "run", "2")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (
            {"audience_id": "7", "num_received": 2, "num_invalid_entries": 0, "invalid_entry_samples": {}},
            Receipt("7", 2, 2, 0, 0),
        ),
        (
            {"session_id": "9", "num_received": "2", "num_invalid_entries": "1", "invalid_entry_samples": []},
            Receipt("7", 2, 2, 1, 0, 9),
        ),
        (
            {"session_id": 0, "num_received": 12, "num_invalid_entries": 1, "invalid_entry_samples": {"0": "x"}},
            Receipt("7", 2, 12, 1, 1),
        ),
        ({"num_received": 2}, Receipt("7", 2, 2, 0, 0)),
    ],
)
def test_counts_are_read_as_text_or_number(
    scripted: ScriptedGraph, graph: GraphSession, body: dict[str, Any], receipt: Receipt
) -> None:
    scripted.play(Answer(body=body))
    assert audience_members.add(graph, "7", SCHEMA, [ROW, ROW]) == receipt


@pytest.mark.integration
@pytest.mark.parametrize("send", [audience_members.add, audience_members.remove])
def test_an_answer_that_counts_far_fewer_rows_is_no_receipt(
    scripted: ScriptedGraph, graph: GraphSession, send: Callable[..., Receipt]
) -> None:
    scripted.play(Answer(body={"num_received": 0}), Answer(body={"num_received": 10}))
    assert send(graph, "7", SCHEMA, [ROW] * 10).received == 10
    scripted.play(Answer(body={"num_received": 8}))
    with pytest.raises(NotReceivedError) as caught:
        send(graph, "7", SCHEMA, [ROW] * 10)
    assert caught.value.after_unknown
    assert "10 rows" in str(caught.value)
    assert "received 8 of them" in str(caught.value)


@pytest.mark.integration
@pytest.mark.parametrize("counts", [{"num_received": 9}, {"num_received": 6, "num_invalid_entries": 4}])
def test_rows_that_are_invalid_or_few_explain_a_smaller_count(
    scripted: ScriptedGraph, graph: GraphSession, counts: dict[str, int]
) -> None:
    scripted.play(Answer(body=counts))
    assert audience_members.add(graph, "7", SCHEMA, [ROW] * 10).received == counts["num_received"]


@pytest.mark.integration
@pytest.mark.parametrize(("send", "method"), [(audience_members.add, "POST"), (audience_members.remove, "DELETE")])
def test_rows_are_added_by_post_and_removed_by_delete(
    scripted: ScriptedGraph, graph: GraphSession, send: Callable[..., Receipt], method: str
) -> None:
    scripted.play(Answer(body={"num_received": 1}))
    send(graph, "7", SCHEMA, [ROW])
    (seen,) = scripted.seen
    assert (seen.method, seen.path.partition("?")[0].partition("/v")[2].partition("/")[2]) == (method, "7/users")
    assert seen.json["payload"] == {"schema": SCHEMA, "data": [list(ROW)]}


@pytest.mark.integration
def test_an_erasure_need_not_be_counted(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"success": True}))
    assert audience_members.remove_from_all(graph, SCHEMA, [ROW] * 3).received == 3
    (seen,) = scripted.seen
    assert (seen.method, "act_42/usersofanyaudience" in seen.path) == ("DELETE", True)


@pytest.mark.integration
def test_within_a_session_the_count_is_of_all_requests_so_far(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"num_received": 0, "session_id": 5}))
    assert audience_members.add(graph, "7", SCHEMA, [ROW], step=BatchStep(5, 2, last=False)).received == 0


@pytest.mark.integration
def test_an_erasure_that_is_not_counted_is_not_done(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"num_received": 0}))
    with pytest.raises(NotReceivedError):
        audience_members.remove_from_all(graph, SCHEMA, [ROW])


@pytest.mark.integration
def test_an_answer_without_counts_is_no_receipt(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"audience_id": "7"}))
    with pytest.raises(FacebookTransientError):
        audience_members.add(graph, "7", SCHEMA, [ROW])
    scripted.play(Answer(body={"num_received": "many"}))
    with pytest.raises(FacebookTransientError):
        audience_members.add(graph, "7", SCHEMA, [ROW])


@pytest.mark.integration
def test_rows_that_are_refused_can_be_told_from_requests_that_are(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(status=400, body={"error": {"code": 100, "message": "(#100) Data is missing"}}))
    with pytest.raises(RowsRefusedError):
        audience_members.add(graph, "7", SCHEMA, [ROW])
    scripted.play(Answer(status=400, body={"error": {"code": 2650, "message": "(#2650) Failed to update"}}))
    with pytest.raises(RefusedError) as caught:
        audience_members.add(graph, "7", SCHEMA, [ROW])
    assert type(caught.value) is RefusedError


@pytest.mark.integration
def test_a_removal_refused_as_too_low_has_an_error_of_its_own(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(status=403, body={"error": {"code": 200, "error_subcode": 1870047}}))
    with pytest.raises(AudienceTooSmallError):
        audience_members.remove(graph, "7", SCHEMA, [ROW])


@pytest.mark.integration
def test_the_first_batch_of_a_replace_is_never_sent_twice(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(drop=True), Answer(body={"num_received": 1}))
    with pytest.raises(FacebookTransientError):
        audience_members.replace(graph, "7", SCHEMA, [ROW], step=BatchStep(5, 1, last=False))
    scripted.play(Answer(drop=True), Answer(body={"num_received": 1}))
    assert audience_members.replace(graph, "7", SCHEMA, [ROW], step=BatchStep(5, 2, last=True)).received == 1


@pytest.mark.integration
def test_a_replace_that_timed_out_says_that_members_are_missing(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(status=400, body={"error": {"code": 2650, "error_subcode": 1870158}}))
    with pytest.raises(ReplaceBrokenError) as caught:
        audience_members.replace(graph, "7", SCHEMA, [ROW], step=BatchStep(5, 2, last=True))
    assert caught.value.truncated


@pytest.mark.integration
def test_sessions_are_listed_from_their_all_text_form(scripted: ScriptedGraph, graph: GraphSession) -> None:
    stuck = {
        "session_id": "77",
        "stage": "uploading",
        "start_time": "1758000000",
        "end_time": "0",
        "num_received": "12",
        "num_matched": "-1",
        "num_invalid_entries": "0",
        "progress": "0",
    }
    scripted.play(Answer(body={"data": [stuck]}))
    (session,) = audience_members.upload_sessions(graph, "7", session_id=77)
    assert (session.session_id, session.stage, session.received, session.matched) == (77, "uploading", 12, -1)
    assert (session.started, session.ended) == (1758000000, None)
    assert "session_id=77" in scripted.seen[0].path
