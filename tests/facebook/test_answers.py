"""Answers that are JSON, and not what Facebook documents: an error of ours that says what is odd, or a sane reading."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.facebook.scripted import Answer, ScriptedGraph

from audiences.campaign.mark import Mark
from audiences.checklist import State
from audiences.errors import AudiencesError, FacebookTransientError
from audiences.facebook import ad_set_hours, ad_set_targeting, audience_members, custom_audiences, preflight_checks
from audiences.facebook.ad_set_hours import AdSetSchedule
from audiences.facebook.graph_errors import OddAnswerError
from audiences.facebook.values import as_integer, as_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.facebook.session import GraphSession

pytestmark = pytest.mark.integration

SCHEMA, ROWS = ["EMAIL"], [["0" * 64]] * 10
NOW = datetime(2026, 11, 29, tzinfo=UTC)
OF_NO_ID = [None, True, [], {}, "", "x", "7/users", "7\n", 0, "0", 1.5, -1, 2.4e23, "7" * 50, ["7"], {"id": "7"}]
OF_NO_COUNT = [None, True, [], {}, "", "many", 1.5, -1, "-1", 2**31, 2**63, 2**64, 1e300, "9" * 5000, "٣", "1_0"]
CALLS: dict[str, Callable[[GraphSession], Any]] = {
    "read audience 7": lambda graph: custom_audiences.read(graph, "7"),
    "list the account's audiences": custom_audiences.list_audiences,
    "create in act_42/customaudiences": lambda graph: custom_audiences.create(
        graph, name="A", description="", mark=Mark("cart", "0123456789ab")
    ),
    "add 10 rows to audience 7": lambda graph: audience_members.add(graph, "7", SCHEMA, ROWS),
    "remove 10 rows from audience 7": lambda graph: audience_members.remove(graph, "7", SCHEMA, ROWS),
    "list the upload sessions of audience 7": lambda graph: audience_members.upload_sessions(graph, "7"),
    "read ad set 8": lambda graph: ad_set_targeting.put(graph, "8", "7", ad_set_targeting.TargetingList.INCLUDED),
}


def odd(scripted: ScriptedGraph, graph: GraphSession, action: str, body: Any) -> OddAnswerError:
    scripted.play(Answer(body=body))
    with pytest.raises(OddAnswerError) as caught:
        CALLS[action](graph)
    text = str(caught.value)
    assert text.startswith(f"{action}: ")
    assert "Run it again" in text
    assert str(pickle.loads(pickle.dumps(caught.value))) == text
    return caught.value


@pytest.mark.parametrize("identifier", OF_NO_ID, ids=repr)
def test_an_id_of_another_kind_is_named_and_not_guessed(
    scripted: ScriptedGraph, graph: GraphSession, identifier: Any
) -> None:
    assert "`id`" in odd(scripted, graph, "read audience 7", {"id": identifier}).odd
    found = odd(scripted, graph, "list the account's audiences", {"data": [{"id": "1"}, {"id": identifier}]})
    assert "`data.1.id`" in found.odd
    ad_set = {"id": identifier, "targeting": {}}
    assert "`id`" in odd(scripted, graph, "read ad set 8", ad_set).odd


def test_an_id_may_be_a_number(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"id": 23851234567890123, "unknown": [{}]}))
    assert custom_audiences.read(graph, "23851234567890123").id == "23851234567890123"
    scripted.play(Answer(body={"data": [{"id": 2**63}, {"id": "0017"}]}))
    assert [each.id for each in custom_audiences.list_audiences(graph)] == ["9223372036854775808", "0017"]


@pytest.mark.parametrize("action", ["read audience 7", "read ad set 8"])
def test_an_answer_about_another_object_is_not_recorded_in_its_place(
    scripted: ScriptedGraph, graph: GraphSession, action: str
) -> None:
    assert "asked for" in odd(scripted, graph, action, {"id": "9", "name": "Cart", "targeting": {}}).odd
    scripted.play(Answer(body=b'{"id": "7", "name": "Cart", "id": "9"}'))
    with pytest.raises(OddAnswerError):
        CALLS["read audience 7"](graph)


@pytest.mark.parametrize("identifier", OF_NO_ID, ids=repr)
def test_a_creation_that_answers_no_id_may_have_been_made_so_it_is_looked_for(
    scripted: ScriptedGraph, graph: GraphSession, identifier: Any
) -> None:
    made = {"id": "9", "description": "[audiences:cart@0123456789ab]"}
    mark = Mark("cart", "0123456789ab")
    made["description"] = custom_audiences.marked("", mark)
    scripted.play(Answer(body={"id": identifier}), Answer(body={"data": [made]}))
    assert CALLS["create in act_42/customaudiences"](graph) == "9"
    assert [seen.method for seen in scripted.seen] == ["POST", "GET"]


@pytest.mark.parametrize("count", OF_NO_COUNT, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("action", ["add 10 rows to audience 7", "remove 10 rows from audience 7"])
def test_a_receipt_without_a_count_leaves_it_unknown_whether_the_rows_arrived(
    scripted: ScriptedGraph, graph: GraphSession, action: str, count: Any
) -> None:
    error = odd(scripted, graph, action, {"num_received": count})
    assert "`num_received`" in error.odd
    assert isinstance(error, FacebookTransientError), "which is recorded as not known, and sent again"


def test_a_refusal_after_an_odd_receipt_does_not_say_that_nothing_was_done(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    refusal = Answer(status=400, body={"error": {"code": 2650, "message": "no"}})
    scripted.play(Answer(body={"num_received": []}), refusal)
    with pytest.raises(AudiencesError) as caught:
        audience_members.add(graph, "7", SCHEMA, ROWS)
    assert caught.value.after_unknown  # type: ignore[attr-defined]  # of the subclass


@pytest.mark.parametrize("invalid", [None, -1, [], {}, "x", 2**63, True, 0], ids=repr)
def test_a_number_of_invalid_rows_that_is_none_counts_as_none(
    scripted: ScriptedGraph, graph: GraphSession, invalid: Any
) -> None:
    body = {"num_received": "10", "num_invalid_entries": invalid, "invalid_entry_samples": 7, "session_id": invalid}
    scripted.play(Answer(body=body))
    receipt = audience_members.add(graph, "7", SCHEMA, ROWS)
    assert (receipt.received, receipt.invalid, receipt.samples, receipt.session_id) == (10, 0, 0, None)


@pytest.mark.parametrize("data", [None, {}, "", "x", 7, True, [None], [[]], ["x"], [7]], ids=repr)
@pytest.mark.parametrize("action", ["list the account's audiences", "list the upload sessions of audience 7"])
def test_a_list_that_is_none_is_not_taken_for_an_empty_one(
    scripted: ScriptedGraph, graph: GraphSession, action: str, data: Any
) -> None:
    assert "`data`" in odd(scripted, graph, action, {"data": data}).odd
    assert "`data` is missing" in odd(scripted, graph, action, {}).odd


@pytest.mark.parametrize(
    "targeting",
    [None, [], "x", 7, {"custom_audiences": {}}, {"custom_audiences": "1"}, {"excluded_custom_audiences": ["1"]}],
    ids=repr,
)
def test_a_targeting_that_cannot_be_read_is_never_written_over(
    scripted: ScriptedGraph, graph: GraphSession, targeting: Any
) -> None:
    assert "`targeting`" in odd(scripted, graph, "read ad set 8", {"id": "8", "targeting": targeting}).odd
    odd(scripted, graph, "read ad set 8", {"id": "8"})
    assert {seen.method for seen in scripted.seen} == {"GET"}


def test_a_targeting_nested_without_end_is_refused_too(scripted: ScriptedGraph, graph: GraphSession) -> None:
    nested = b'{"a":' * 300 + b"1" + b"}" * 300
    body = b'{"id": "8", "targeting": {"targeting_automation": ' + nested + b"}}"
    assert "levels" in odd(scripted, graph, "read ad set 8", body).odd


@pytest.mark.parametrize("text", [[], {}, True, 7, "x" * 10_001], ids=lambda value: repr(value)[:10])
def test_a_description_that_cannot_be_read_is_not_taken_for_one_without_our_mark(
    scripted: ScriptedGraph, graph: GraphSession, text: Any
) -> None:
    assert "`description`" in odd(scripted, graph, "read audience 7", {"id": "7", "description": text}).odd


def test_texts_hold_no_character_that_the_ledger_cannot_store(scripted: ScriptedGraph, graph: GraphSession) -> None:
    status = {"code": "200", "description": "a\0b"}
    scripted.play(Answer(body={"id": "7", "name": "Cart\0", "description": "\0", "delivery_status": status}))
    found = custom_audiences.read(graph, "7")
    assert (found.name, found.description, found.delivery_text) == ("Cart�", "�", "a�b")


@pytest.mark.parametrize("moment", [10**18, -1, 0, "soon", [], {}, True, None, 2**70, "9" * 40, 1e300, 253402300800])
def test_a_time_that_is_none_counts_as_not_told(scripted: ScriptedGraph, graph: GraphSession, moment: Any) -> None:
    scripted.play(Answer(body={"id": "7", "time_content_updated": moment, "delete_time": moment}))
    found = custom_audiences.read(graph, "7")
    assert (found.content_updated, found.deleted_at) == (None, None)
    scripted.play(Answer(body={"id": "8", "start_time": moment, "end_time": moment}), Answer(body={"success": True}))
    assert ad_set_hours.push(graph, "8", AdSetSchedule(end=NOW), now=NOW).changed


@pytest.mark.parametrize("moment", [1790000000, "1790000000", "2026-09-21T14:13:20+0000", "2026-09-21T19:43:20+0530"])
def test_a_time_comes_as_number_or_text(moment: Any) -> None:
    assert as_time(moment) == 1790000000


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *[("2", 2), (2, 2), (2.0, 2), ("-1", -1), (2.5, None), ("x", None), (None, None), (True, None), ([], None)],
        *[("1_0", None), ("٣", None), (" 2", None), (2**63, None), (2**63 - 1, 2**63 - 1), ("9" * 5000, None)],
    ],
)
def test_counts_come_as_text_or_number(value: object, number: int | None) -> None:
    assert as_integer(value) == number


@pytest.mark.parametrize("value", [None, [], {}, "x", 7, True, 10**18, -5, 2**63, [[]], {"a": {}}], ids=repr)
def test_a_preflight_has_a_line_for_whatever_is_answered(
    scripted: ScriptedGraph, graph: GraphSession, value: Any
) -> None:
    for body in (
        {"data": value},
        {"data": {"is_valid": value, "app_id": value, "expires_at": value}},
        {"data": [{"permission": value, "status": "granted"}]},
        {"name": value, "account_status": value, "business": value, "tos_accepted": value},
    ):
        scripted.play(Answer(body=body))
        lines = preflight_checks.run(graph, now=NOW, audience_ids=["7"])
        assert lines
        assert all(isinstance(line.state, State) for line in lines)


BODIES: dict[str, bytes] = {
    "an empty body": b"",
    "a page": b"<!DOCTYPE html><html><body>Sign in to the network</body></html>",
    "NaN": b'{"id": "7", "num_received": NaN}',
    "a number beyond all": b'{"id": "7", "num_received": 1e400}',
    "nested without end": b'{"data":' * 100_000,
    "half a character": b'{"id": "\\ud800"}',
    "a list": b"[]",
    "null": b"null",
    "text": b'"7"',
    "no unicode": b'{"id": "\xff"}',
}


@pytest.mark.parametrize("action", CALLS)
def test_a_body_that_is_no_object_of_json_is_a_passing_fault_of_every_call(
    scripted: ScriptedGraph, graph: GraphSession, action: str
) -> None:
    for name, body in BODIES.items():
        scripted.play(Answer(body=body))
        with pytest.raises(FacebookTransientError) as caught:
            CALLS[action](graph)
        assert "HTTP 200" in str(caught.value), name


def test_of_a_key_that_comes_twice_the_last_counts(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=b'{"num_received": 0, "num_received": 10}'))
    assert audience_members.add(graph, "7", SCHEMA, ROWS).received == 10


def test_no_answer_is_quoted(scripted: ScriptedGraph, graph: GraphSession) -> None:
    from tests.facebook.scripted import TOKEN

    error = odd(scripted, graph, "read audience 7", {"id": TOKEN, "name": "jane@example.com"})
    assert TOKEN not in f"{error} {error!r}"
    error = odd(scripted, graph, "read ad set 8", {"id": "8", "targeting": TOKEN})
    assert TOKEN not in f"{error} {error!r}"
