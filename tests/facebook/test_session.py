from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.facebook.scripted import TOKEN, Answer, FakeTime, ScriptedGraph

from audiences.errors import (
    FacebookAccessError,
    FacebookTransientError,
    RefusedError,
    ThrottledError,
)
from audiences.facebook.answers import AudienceAnswer, Done, Uploaded
from audiences.facebook.credentials import Credentials
from audiences.facebook.graph_errors import ObjectNotFoundError, OddAnswerError, UnreachableError
from audiences.facebook.session import GraphSession
from audiences.facebook.usage import Pace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

UNKNOWN_FAULT = {"error": {"code": 1, "message": "An unknown error occurred", "fbtrace_id": "A1"}}
THROTTLED = {"error": {"code": 80003, "message": "(#80003) There have been too many calls", "is_transient": True}}
NOT_FOUND = {"error": {"code": 803, "message": "(#803) Some of the aliases you requested do not exist"}}


def _usage(percent: int, minutes: int = 0) -> dict[str, str]:
    entry = {"type": "custom_audience", "call_count": percent, "estimated_time_to_regain_access": minutes}
    return {"X-Business-Use-Case-Usage": orjson.dumps({"42": [entry]}).decode()}


def test_the_token_travels_in_the_header_only(scripted: ScriptedGraph, graph: GraphSession) -> None:
    graph.get("7", {"fields": "id"})
    graph.call("POST", "7/users", body={"payload": {}}, action="add")
    for seen in scripted.seen:
        assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in seen.path
        assert TOKEN.encode() not in seen.body
        assert f"appsecret_proof={graph.credentials.appsecret_proof}" in seen.path


def test_the_version_is_in_the_path(scripted: ScriptedGraph, graph: GraphSession) -> None:
    graph.get("act_42/customaudiences", {"limit": 5, "filtering": [{"field": "name"}]})
    assert scripted.seen[0].path.startswith("/v26.0/act_42/customaudiences?limit=5&filtering=%5B%7B%22field")


def test_a_netrc_entry_does_not_replace_the_token(
    scripted: ScriptedGraph, graph: GraphSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    graph.get("7")
    assert scripted.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("path", ["", "/7", "7/../me", "https://host/7", "7?x=1", "7#x", "7//users", "7/users\n", "é"])
def test_a_path_that_leads_elsewhere_is_not_called(scripted: ScriptedGraph, graph: GraphSession, path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        graph.get(path)
    assert not scripted.seen


def test_a_delete_carries_its_rows_in_the_body(scripted: ScriptedGraph, graph: GraphSession) -> None:
    body = orjson.dumps({"payload": {"schema": ["EMAIL"], "data": [["a" * 64]] * 10_000}})
    graph.call("DELETE", "7/users", body=body, action="remove")
    assert scripted.seen[0].method == "DELETE"
    assert scripted.seen[0].body == body
    assert scripted.seen[0].headers["Content-Type"] == "application/json"
    assert len(scripted.seen[0].path) < 2000


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"cut": True},
        {"status": 500, "body": b"<html>oops</html>"},
        {"status": 500, "body": {"some": "json"}},
        {"status": 200, "body": b'{"num_received": 3, "num_inv'},
        {"status": 200, "body": {}},
        {"status": 500, "body": UNKNOWN_FAULT},
        {"status": 400, "body": {"error": {"code": 9999, "is_transient": True}}},
    ],
)
def test_a_passing_fault_is_tried_again(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime, fault: dict[str, Any]
) -> None:
    scripted.play(Answer(**fault), Answer(**fault), Answer(body={"num_received": 3}))
    assert graph.call("POST", "7/users", body=b"{}", action="add", reads=Uploaded).num_received == 3
    assert len(time.slept) == 2
    assert len(scripted.seen) == 3


def test_tries_end_after_six_with_growing_jittered_waits(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    scripted.play(Answer(status=503, body=UNKNOWN_FAULT))
    with pytest.raises(FacebookTransientError) as caught:
        graph.get("7")
    assert caught.value.trace == "A1"
    assert len(scripted.seen) == 6
    assert all(0 <= wait <= 2**tries for tries, wait in enumerate(time.slept))


def test_what_must_not_happen_twice_is_sent_once(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(drop=True), Answer(body={"id": "1"}))
    with pytest.raises(FacebookTransientError):
        graph.call("POST", "act_42/customaudiences", body=b"{}", action="create", repeatable=False)
    assert len(scripted.seen) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": 190, "error_subcode": 463}}, FacebookAccessError),
        ({"error": {"code": 100, "message": "(#100) Data is missing or does not match schema"}}, RefusedError),
    ],
)
def test_what_a_retry_cannot_help_is_not_retried(
    scripted: ScriptedGraph, graph: GraphSession, body: dict[str, Any], kind: type[Exception]
) -> None:
    scripted.play(Answer(status=400, body=body))
    with pytest.raises(kind):
        graph.get("7")
    assert len(scripted.seen) == 1


def test_a_throttle_raises_with_the_stated_wait_and_nothing_is_sent_meanwhile(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    scripted.play(Answer(status=400, body=THROTTLED, headers=_usage(100, minutes=2)), Answer())
    with pytest.raises(ThrottledError) as caught:
        graph.call("POST", "7/users", body=b"{}", action="add 3 rows")
    assert (caught.value.seconds, caught.value.code) == (120, 80003)
    time.now += 60
    with pytest.raises(ThrottledError) as caught:
        graph.get("7")
    assert caught.value.seconds == 60
    assert len(scripted.seen) == 1
    assert time.slept == []
    time.now += 61
    assert graph.get("7") == Done()


def test_a_throttle_without_a_stated_wait_falls_back_to_five_minutes(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    scripted.play(Answer(status=400, body=THROTTLED))
    with pytest.raises(ThrottledError) as caught:
        graph.get("7")
    assert caught.value.seconds == 300


def test_a_throttle_of_seconds_is_waited_for_in_place(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    scripted.play(Answer(status=400, body={"error": {"code": 613, "error_subcode": 5044001}}), Answer(body={"id": "7"}))
    assert graph.get("7", reads=AudienceAnswer).id == "7"
    assert sum(time.slept) == 2


def test_a_full_quota_stops_the_next_call_before_facebook_refuses_it(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    scripted.play(Answer(headers=_usage(100, minutes=3)))
    graph.get("7")
    with pytest.raises(ThrottledError) as caught:
        graph.get("7")
    assert caught.value.seconds == 180
    assert len(scripted.seen) == 1


def test_rising_usage_slows_the_sender(scripted: ScriptedGraph, graph: GraphSession, time: FakeTime) -> None:
    scripted.play(Answer(headers=_usage(90)))
    for _ in range(3):
        graph.get("7")
    # The first call knows nothing, the second goes at once, from the third on they are four seconds apart.
    assert time.slept == [4]


def test_sessions_of_one_account_share_a_block_and_other_accounts_go_on(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    scripted.play(Answer(status=400, body=THROTTLED), Answer())
    other_account = Credentials(TOKEN, "1", None, "act_43", scripted.url)
    with (
        GraphSession(graph.credentials, pace=graph.pace, clock=time.clock) as same,
        GraphSession(other_account, pace=Pace(clock=time.clock), clock=time.clock) as other,
    ):
        with pytest.raises(ThrottledError):
            graph.get("7")
        with pytest.raises(ThrottledError):
            same.get("7")
        assert other.get("8") == Done()


def test_an_object_created_seconds_ago_is_asked_for_again(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime
) -> None:
    missing = Answer(status=404, body=NOT_FOUND)
    scripted.play(missing, missing, Answer(body={"id": "7"}))
    assert graph.get("7", lags=True, reads=AudienceAnswer).id == "7"
    assert time.slept == [1, 2]


def test_an_object_that_stays_missing_is_reported(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(status=404, body=NOT_FOUND))
    with pytest.raises(ObjectNotFoundError):
        graph.get("7", lags=True)
    assert len(scripted.seen) == 4


def test_pages_are_followed_by_cursor_and_not_by_address(scripted: ScriptedGraph, graph: GraphSession) -> None:
    def page(ids: list[str], after: str, *, more: bool) -> Any:
        paging: dict[str, Any] = {"cursors": {"after": after}}
        if more:
            paging["next"] = f"https://elsewhere.example/?access_token={TOKEN}"
        return Answer(body={"data": [{"id": each} for each in ids], "paging": paging})

    scripted.play(page(["1", "2"], "a", more=True), page([], "b", more=True), page(["3"], "c", more=False))
    assert [item.id for item in graph.pages("act_42/customaudiences", {"limit": 2}, of=AudienceAnswer)] == [
        "1",
        "2",
        "3",
    ]
    assert "after=b" in scripted.seen[2].path


@pytest.mark.parametrize("cursors", [{"after": "a"}, {}])
def test_a_list_that_goes_round_in_a_circle_or_names_no_next_page_is_given_up_at_once(
    scripted: ScriptedGraph, graph: GraphSession, cursors: dict[str, str]
) -> None:
    page = {"data": [{"id": "1"}], "paging": {"cursors": cursors, "next": "https://elsewhere.example/"}}
    scripted.play(Answer(body=page))
    with pytest.raises(OddAnswerError, match="names no next page"):
        list(graph.pages("act_42/customaudiences", {}, of=AudienceAnswer))
    assert len(scripted.seen) == 1 + len(cursors)


@pytest.mark.parametrize("unanswered", [0, 1, 2])
def test_a_refusal_says_whether_an_earlier_try_had_no_answer(
    scripted: ScriptedGraph, graph: GraphSession, unanswered: int
) -> None:
    refusal = Answer(status=400, body={"error": {"code": 2650, "message": "no"}})
    scripted.play(*[Answer(status=503, body=b"")] * unanswered, refusal)
    with pytest.raises(RefusedError) as caught:
        graph.get("7")
    assert caught.value.after_unknown is (unanswered > 0)


def test_a_redirect_is_not_followed(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(status=302, headers={"Location": "https://elsewhere.example/"}, body=b""))
    with pytest.raises(RefusedError, match=r"HTTP 302 leads to another address.*`graph_url`"):
        graph.get("7")
    assert len(scripted.seen) == 1


def test_neither_logs_nor_errors_show_a_secret(
    scripted: ScriptedGraph, graph: GraphSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="audiences")
    message = f"Malformed access token {TOKEN} for app-secret and mary@example.com"
    scripted.play(
        Answer(drop=True),
        Answer(status=500, body={"error": {"code": 2, "message": message}}),
        Answer(status=400, body={"error": {"code": 190, "message": message}}),
    )
    with pytest.raises(FacebookAccessError) as caught:
        graph.call("POST", "7/users", body=b'{"payload":1}', action="add 3 rows to audience 7")
    for text in (caplog.text, str(caught.value), repr(caught.value), repr(graph.credentials)):
        assert TOKEN not in text
        assert "app-secret" not in text
        assert "mary@" not in text
    assert "add 3 rows to audience 7: HTTP 400" in caplog.text


def test_a_warning_about_the_version_is_kept(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(headers={"X-Ad-Api-Version-Warning": "v26.0 will end"}))
    graph.get("7")
    assert graph.version_warning == "v26.0 will end"


def test_threads_share_one_session(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"num_received": 1}, headers=_usage(10)))
    start = threading.Barrier(8)

    def upload(_: int) -> Any:
        start.wait()
        return [graph.call("POST", "7/users", body=b"{}", action="add", reads=Uploaded).num_received for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(upload, range(8)))
    assert results == [[1] * 5] * 8
    assert len(scripted.seen) == 40


def test_a_host_that_is_not_there_is_named_after_one_more_try(time: FakeTime) -> None:
    nowhere = Credentials(TOKEN, "1", None, "act_42", "http://127.0.0.1:9")
    named = "nothing answers at http://127.0.0.1:9, the `graph_url` of the connection"
    with (
        GraphSession(nowhere, sleep=time.sleep, clock=time.clock) as session,
        pytest.raises(UnreachableError, match=named),
    ):
        session.get("7")
    assert len(time.slept) == 1


@pytest.mark.parametrize(("seconds", "waited"), [(10, True), (11, False)])
def test_a_block_of_up_to_ten_seconds_is_waited_for_in_place(
    scripted: ScriptedGraph, graph: GraphSession, time: FakeTime, seconds: int, waited: bool
) -> None:
    graph.pace.block(seconds)
    scripted.play(Answer(body={"id": "7"}))
    if waited:
        assert graph.get("7", reads=AudienceAnswer).id == "7"
        assert sum(time.slept) == seconds
    else:
        with pytest.raises(ThrottledError):
            graph.get("7")
        assert time.slept == []


@pytest.mark.parametrize(("longest", "tried_again"), [(2.0, True), (1.9, False)])
def test_a_throttle_of_exactly_the_longest_wait_in_place_is_waited_for(
    scripted: ScriptedGraph, graph: GraphSession, monkeypatch: pytest.MonkeyPatch, longest: float, tried_again: bool
) -> None:
    monkeypatch.setattr("audiences.facebook.session.WAIT_IN_PLACE_SECONDS", longest)
    two_seconds = Answer(status=400, body={"error": {"code": 613, "error_subcode": 5044001}})
    scripted.play(two_seconds, Answer(body={"id": "7"}))
    if tried_again:
        assert graph.get("7", reads=AudienceAnswer).id == "7"
    else:
        with pytest.raises(ThrottledError) as caught:
            graph.get("7")
        assert caught.value.seconds == 2
