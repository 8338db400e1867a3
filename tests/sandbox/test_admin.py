"""The admin API: see everything, change anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from audiences.sandbox import AUDIENCE, SandboxServer

pytestmark = pytest.mark.integration


def test_the_default_world(admin):
    state = admin.state()
    assert [(one["id"], one["name"], one["tier"]) for one in state["accounts"]] == [
        ("act_1001", "Sandbox shop", "full")
    ]
    assert [(one["id"], one["name"], one["size"]) for one in state["audiences"]] == [
        ("23851234567890123", "Existing buyers list", 0)
    ]
    assert [one["id"] for one in state["ad_sets"]] == ["23861234567890123", "23861234567890124"]
    assert state["requests"] == []
    assert state["pii"]["clean"] is True


def test_state_tells_members_sorted_and_leaves_them_out_on_request(graph, admin, rows):
    audience = graph.create()
    graph.upload(audience, [*rows(3), [rows(1, start=9)[0][0], ""]])
    told = next(one for one in admin.state()["audiences"] if one["id"] == audience)
    assert told["size"] == len(told["members"]) == 4
    assert told["members"] == sorted(told["members"], key=lambda row: (sorted(row), [row[key] for key in sorted(row)]))
    assert told["schema"] == ["EMAIL", "PHONE"]
    assert all("members" not in one for one in admin.state(members=False)["audiences"])
    assert "requests" not in admin.state(requests=False)


def test_no_token_is_ever_told(admin):
    assert "sandbox-token" not in str(admin.state())


def test_counters_add_up(graph, admin, rows):
    audience = graph.create()
    graph.upload(audience, rows(7))
    graph.upload(audience, rows(2), method="DELETE")
    graph.get(f"/{audience}", fields="shoes")
    counters = admin.state(members=False)["counters"]
    assert counters["requests"] == 4
    assert (counters["rows_received"], counters["rows_added"], counters["rows_removed"]) == (9, 7, 2)
    assert counters["by_call"] == {
        "POST account/customaudiences": 1,
        "POST audience/users": 1,
        "DELETE audience/users": 1,
        "GET audience": 1,
    }
    assert counters["by_code"] == {"100": 1}
    assert counters["peak_rows"] == 7


def test_a_diff_names_the_missing_and_the_unexpected(graph, admin, rows):
    audience = graph.create()
    graph.upload(audience, rows(3))
    expected = [{"EMAIL": email, "PHONE": phone} for email, phone in rows(3, start=1)]
    told = admin.diff(audience, expected)
    assert told["equal"] is False
    assert told["missing"] == [expected[2]]
    assert told["unexpected"] == [{"EMAIL": rows(1)[0][0], "PHONE": rows(1)[0][1]}]


def test_the_difference_between_two_changes_is_told_row_by_row(graph, admin, rows):
    audience, (one, two) = graph.create(), rows(2)
    graph.upload(audience, [one])
    graph.upload(audience, [two])
    graph.upload(audience, [one], method="DELETE")
    told = admin.between(audience, after=1)
    assert [(change["number"], change["action"]) for change in told["changes"]] == [
        (1, "add"),
        (2, "add"),
        (3, "remove"),
    ]
    assert [row["EMAIL"] for row in told["added"]] == [two[0]]
    assert [row["EMAIL"] for row in told["removed"]] == [one[0]]
    assert told["complete"]
    assert admin.between(audience)["removed"] == []
    assert admin.between(audience, until=1)["added"] == [{"EMAIL": one[0], "PHONE": one[1]}]
    with pytest.raises(requests.HTTPError, match="from 0 to 3"):
        admin.between(audience, after=7)


def test_accounts_audiences_ad_sets_and_tokens_can_be_made_and_changed(graph, graph_as, admin, rows):
    admin.put_account(id="act_7", name="Seventh")
    admin.put_campaign(account="act_7", name="Its campaign")
    members = [{"EMAIL": rows(1)[0][0]}]
    made = admin.put_audience(account="act_7", name="Filled", members=members)
    ad_set = admin.put_ad_set(account="act_7", targeting={"custom_audiences": [{"id": made["id"]}]})
    admin.put_token(token="seven", accounts=["act_7"])
    assert made["size"] == 1
    assert graph_as("seven").get(f"/{made['id']}", fields="name").json()["name"] == "Filled"
    assert (
        graph.get(f"/{ad_set['id']}", fields="targeting").json()["targeting"]["custom_audiences"][0]["name"] == "Filled"
    )
    changed = admin.put_audience(id=made["id"], members=[], description="Emptied")
    assert (changed["name"], changed["size"]) == ("Filled", 0)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/audiences", {"account": "act_0", "name": "x"}, 404),
        ("/audiences", {"account": "act_1001"}, 400),
        ("/audiences", {"account": "act_1001", "name": "x", "shoes": 1}, 400),
        ("/audiences", {"account": "act_1001", "name": "x", "members": [{"EMAIL": "a@b.c"}]}, 400),
        ("/audiences", [], 400),
        ("/audiences/1/diff", [], 404),
        ("/audiences/23851234567890123/diff", {"expected": "all"}, 400),
        ("/settings", {"speed": 1}, 400),
        ("/settings", {"latency_ms": "fast"}, 400),
        ("/settings", {"accounts": {"act_0": {}}}, 404),
        ("/clock", {"advance_seconds": "x"}, 400),
        ("/clock", {"advance": 1}, 400),
        ("/adsets", {"account": "act_0"}, 404),
        ("/tokens", {"scopes": []}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(sandbox, path, body, status):
    answer = requests.post(f"{sandbox.url}/__admin{path}", json=body, timeout=20)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


def test_broken_json_is_refused(sandbox):
    assert requests.post(f"{sandbox.url}/__admin/settings", data=b"{", timeout=20).status_code == 400


def test_pages_of_other_sites_cannot_use_it(sandbox):
    def reset(origin):
        return requests.post(f"{sandbox.url}/__admin/reset", headers={"Origin": origin}, timeout=20).status_code

    assert reset("https://evil.example") == 403
    assert reset(sandbox.url) == 200


def status_for(server, host, path="/__admin/state"):
    return requests.get(f"{server.url}{path}", headers={"Host": host}, timeout=20).status_code


def test_only_requests_to_its_own_host_are_taken(sandbox):
    port = sandbox.url.rpartition(":")[2]
    for host in (
        "localhost",
        f"localhost:{port}",
        f"LOCALHOST:{port}",
        f"127.0.0.1:{port}",
        f"[::1]:{port}",
        "127.0.0.1",
    ):
        assert status_for(sandbox, host) == 200, host
    strange = (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "10.0.0.7",
        "",
        "[::1",
        "localhost@evil.example",
    )
    for host in strange:
        assert status_for(sandbox, host) == 403, host
        assert status_for(sandbox, host, "/") == 403, host
        assert status_for(sandbox, host, "/__page/page.js") == 403, host
    # The Graph API is anybody's who has a token, under whatever name a proxy or a container gives this machine.
    assert status_for(sandbox, "facebook", "/v26.0/me") == 400


def test_what_the_server_listens_on_is_its_own_host_too():
    server = SandboxServer(host="127.0.0.2").start()
    try:
        assert status_for(server, "127.0.0.2:1") == 200
        assert status_for(server, "127.0.0.3") == 403
    finally:
        server.stop()
    server = SandboxServer(host="0.0.0.0").start()  # for a moment
    try:
        assert [status_for(server, host) for host in ("10.0.0.7:80", "[fd00::7]", "0.0.0.0")] == [200, 200, 200]
        assert status_for(server, "evil.example") == 403
    finally:
        server.stop()


def test_a_reset_forgets_everything_but_never_gives_an_id_twice(graph, admin, rows):
    first = graph.create()
    graph.upload(first, rows(3))
    admin.settings(latency_ms=1)
    admin.advance(100)
    admin.add_fault("transient_1", after=1000)
    admin.reset()
    state = admin.state()
    assert (len(state["audiences"]), state["requests"], state["faults"]["faults"]) == (1, [], [])
    assert (state["settings"]["latency_ms"], state["clock"]["offset_seconds"]) == (0, 0)
    assert graph.create() != first


def test_a_request_from_before_a_reset_does_not_touch_the_world_after_it(graph, admin, rows):
    admin.add_fault("slow", seconds=1)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(graph.upload, AUDIENCE, rows(3))
        while not admin.faults()["fired_by_kind"]:
            pass
        admin.reset()
        assert late.result().status_code == 503
    assert admin.members(AUDIENCE) == []


def test_latency_makes_calls_overlap_and_the_peak_is_counted(graph, sandbox, admin):
    admin.settings(latency_ms=200)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: requests.get(f"{graph.base}/act_1001?access_token=sandbox-token", timeout=20), range(4))
        )
    assert all(answer.ok for answer in answers)
    state = admin.state(members=False)
    assert state["counters"]["concurrency_peak"] >= 2
    assert state["accounts"][0]["usage"]["concurrency_peak"] >= 2
    assert state["counters"]["token_in_url"] == 4
