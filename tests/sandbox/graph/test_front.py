"""How requests get in and answers get out: versions, bodies, method override, long URLs, headers."""

from __future__ import annotations

import json

import pytest
import requests

from audiences.sandbox import TOKEN

pytestmark = pytest.mark.integration


@pytest.fixture
def audience(graph):
    return graph.create()


def payload(rows):
    return {"schema": ["EMAIL", "PHONE"], "data": rows(2)}


def bodies(rows):
    text = json.dumps(payload(rows))
    return {
        "json": {"json": {"payload": payload(rows)}},
        "json with text inside": {"json": {"payload": text}},
        "form": {"data": {"payload": text}},
        "multipart": {"files": {"payload": (None, text), "picture": ("x.png", b"\x89PNG")}},
        "query": {"params": {"payload": text}},
    }


@pytest.mark.parametrize("form", ["json", "json with text inside", "form", "multipart", "query"])
def test_every_form_of_body_is_understood(graph, admin, audience, rows, form):
    answer = graph.call("POST", f"/{audience}/users", **bodies(rows)[form])
    assert answer.json()["num_received"] == 2
    assert len(admin.members(audience)) == 2


@pytest.mark.parametrize("form", ["json", "query"])
def test_delete_takes_its_rows_from_the_body_or_the_query(graph, admin, audience, rows, form):
    graph.upload(audience, rows(3))
    graph.call("DELETE", f"/{audience}/users", **bodies(rows)[form])
    assert len(admin.members(audience)) == 1


@pytest.mark.parametrize("where", ["json", "data", "params"])
def test_a_post_of_an_old_app_can_stand_for_a_delete(graph, admin, audience, rows, where):
    admin.put_token(token=TOKEN, app_created="2026-11-03")
    graph.upload(audience, rows(2))
    text = {"payload": json.dumps(payload(rows)), "method": "delete"}
    assert graph.call("POST", f"/{audience}/users", **{where: text}).ok
    assert admin.members(audience) == []
    last = admin.requests()[-1]
    assert (last["method"], last["http_method"], last["call"]) == ("DELETE", "POST", "DELETE audience/users")


def test_a_delete_with_ten_thousand_rows_goes_in_the_body(graph, admin, audience, rows):
    graph.upload(audience, rows(10_000))
    answer = graph.upload(audience, rows(10_000), method="DELETE")
    assert answer.json()["num_received"] == 10_000
    assert admin.members(audience) == []
    assert admin.state(members=False)["counters"]["max_url_length"] < 2_000


def test_a_url_of_more_than_16_kb_is_refused_with_a_page(graph, admin, audience):
    answer = graph.call("DELETE", f"/{audience}/users", params={"payload": "x" * 17_000})
    assert answer.status_code == 414
    assert answer.headers["content-type"].startswith("text/html")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert admin.requests()[-1]["url_length"] > 17_000


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        ("/act_1001", (2635, None)),
        ("/v24.0/act_1001", (2635, None)),
        ("/v99.0/act_1001", (100, None)),
        ("/v26.0/act_1001/customaudiences/1", (2500, None)),
        ("/v26.0/act_1001/shoes", (100, 33)),
        ("/v26.0/act_404", (100, 33)),
        ("/v26.0/123", (100, 33)),
        ("/v26.0/somebody", (803, None)),
        ("/v26.0/?ids=1,2", (100, None)),
    ],
)
def test_wrong_paths_answer_as_the_graph_api_does(graph, sandbox, error_of, path, numbers):
    answer = graph.session.get(sandbox.url + path, timeout=20)
    assert error_of(answer) == numbers
    assert answer.status_code in (400, 404)


def test_the_versions_on_offer_can_be_set(graph, admin, error_of):
    admin.settings(api_versions=["v27.0"])
    assert error_of(graph.get("/me")) == (2635, None)


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff\xfe{", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_an_error_100(graph, audience, error_of, body):
    answer = graph.call("POST", f"/{audience}/users", data=body, headers={"Content-Type": "application/json"})
    assert error_of(answer)[0] == 100


@pytest.mark.parametrize("junk", ["null", "[]", "5", '{"schema": {}}', '{"data": {"a": 1}}', "not json"])
def test_a_payload_of_another_type_is_an_error_100(graph, audience, error_of, junk):
    assert error_of(graph.call("POST", f"/{audience}/users", data={"payload": junk}))[0] == 100


def test_every_answer_carries_the_usage_headers(graph, error_of):
    good, bad = graph.get("/act_1001"), graph.get("/act_1001", fields="shoes")
    assert error_of(bad)[0] == 100
    for answer in (good, bad):
        usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])["1001"][0]
        assert usage["type"] == "custom_audience"
        assert usage["estimated_time_to_regain_access"] == 0
        assert set(json.loads(answer.headers["X-App-Usage"])) == {"call_count", "total_time", "total_cputime"}
        assert "acc_id_util_pct" in json.loads(answer.headers["X-Ad-Account-Usage"])
        assert answer.headers["facebook-api-version"] == "v26.0"


@pytest.mark.parametrize("path", ["/me", "/v26.0/act_9999", "/v24.0/me", "/v26.0/a/b/c", "/nonsense"])
def test_answers_about_no_account_carry_the_usage_headers_too(graph, path):
    graph.base = graph.base if path == "/me" else graph.base.rpartition("/v")[0]
    headers = graph.get(path).headers
    assert json.loads(headers["X-Business-Use-Case-Usage"]) == {}
    assert json.loads(headers["X-App-Usage"])["call_count"] == 0
    assert json.loads(headers["X-Ad-Account-Usage"])["acc_id_util_pct"] == 0
    assert headers["x-fb-trace-id"]


def test_a_full_quota_really_throttles_and_time_lifts_it(graph, admin, error_of):
    admin.settings(accounts={"act_1001": {"quota": 5}})
    answers = [graph.get("/act_1001") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [400]
    assert error_of(answers[-1]) == (80003, 2446079)
    shown = json.loads(answers[-1].headers["X-Business-Use-Case-Usage"])["1001"][0]
    assert shown["call_count"] == 100
    assert 58 <= shown["estimated_time_to_regain_access"] <= 60
    assert "Retry-After" not in answers[-1].headers
    admin.advance(3700)
    assert graph.get("/act_1001").ok


def test_the_log_tells_who_asked_for_what(graph, admin, audience, rows, sandbox):
    graph.upload(audience, rows(3), session={"session_id": 7, "batch_seq": 2, "last_batch_flag": True})
    anonymous = requests.post(
        f"{sandbox.url}/v26.0/{audience}?access_token=sandbox-token", json={"name": "B"}, timeout=20
    )
    assert anonymous.ok
    upload, rename = admin.requests()[-2:]
    assert {
        "call": "POST audience/users",
        "path": f"/{audience}/users",
        "account": "act_1001",
        "audience": audience,
        "rows": 3,
        "session": "7",
        "batch_seq": 2,
        "last_batch": True,
        "status": 200,
        "token_in_url": False,
        "applied": True,
    }.items() <= upload.items()
    assert rename["token_in_url"] is True
    assert admin.requests(since=upload["number"]) == [rename]
