"""Every fault that can be ordered, as a client meets it, and what of the request was done."""

from __future__ import annotations

import json
import time

import pytest
import requests

from audiences.sandbox.faults import KINDS, TRANSPORT, Fault, Faults, Target

pytestmark = pytest.mark.integration


@pytest.fixture
def audience(graph):
    return graph.create()


@pytest.fixture
def size(admin, audience):
    return lambda: len(admin.members(audience))


ERRORS = {
    "throttle": (400, 80003, 2446079),
    "throttle_account": (400, 17, 2446079),
    "throttle_app": (400, 4, None),
    "throttle_rate": (400, 613, 1487742),
    "transient_1": (500, 1, None),
    "transient_2": (503, 2, None),
    "expired_token": (401, 190, 463),
    "policy_block": (400, 368, None),
    "too_low": (403, 200, 1870047),
    "alias": (404, 803, None),
    "flagged": (400, 100, 1713230),
    "replace_in_progress": (400, 2650, 1870145),
    "replace_timed_out": (400, 2650, 1870158),
    "replace_failed": (400, 2650, 1870148),
    "tos_not_accepted": (403, 200, 1870034),
    "no_such_object": (400, 100, 33),
    "too_much_data": (500, 1, None),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_comes_instead_of_the_work_once(graph, admin, audience, rows, size, error_of, kind):
    admin.add_fault(kind, path="/*/users")
    answer = graph.upload(audience, rows(3))
    assert (answer.status_code, *error_of(answer)) == ERRORS[kind]
    assert size() == 0
    assert graph.upload(audience, rows(3)).ok
    assert size() == 3


@pytest.mark.parametrize("kind", ["throttle_account", "throttle_app", "transient_1", "transient_2"])
def test_transient_errors_say_that_they_are(graph, admin, kind):
    admin.add_fault(kind)
    assert graph.get("/me").json()["error"]["is_transient"] is True


def test_every_named_kind_can_be_ordered(admin):
    for kind in KINDS:
        admin.add_fault(kind, path="/nowhere", values=["x"])
    assert len(admin.faults()["faults"]) == len(KINDS)


def test_a_throttle_tells_its_minutes_in_the_header(graph, admin, audience, rows):
    admin.add_fault("throttle", minutes=7)
    answer = graph.upload(audience, rows(1))
    shown = json.loads(answer.headers["X-Business-Use-Case-Usage"])["1001"][0]
    assert (shown["call_count"], shown["estimated_time_to_regain_access"]) == (100, 7)


def test_a_blocking_throttle_holds_until_its_time_is_over(graph, admin, audience, rows, error_of):
    admin.add_fault("throttle", minutes=2, block=True, path="/*/users")
    graph.upload(audience, rows(1))
    assert error_of(graph.get("/act_1001"))[0] == 80003
    usage = admin.state(members=False)["accounts"][0]["usage"]
    assert usage["calls_while_blocked"] == 1
    assert usage["regain_minutes"] == 2
    admin.advance(121)
    assert graph.upload(audience, rows(1)).ok


def test_a_blocked_account_does_not_stop_another(graph, admin, audience, rows):
    admin.put_account(id="act_2002")
    other = admin.put_audience(account="act_2002", name="Other")["id"]
    admin.add_fault("throttle", minutes=2, block=True, account="act_1001", times=None)
    assert not graph.upload(audience, rows(1)).ok
    assert graph.upload(other, rows(1)).ok


def test_an_html_page_instead_of_json(graph, admin, audience, rows, size):
    admin.add_fault("html_500")
    answer = graph.upload(audience, rows(1))
    assert answer.status_code == 500
    assert answer.text.startswith("<!DOCTYPE html>")
    assert size() == 0


def test_an_error_answer_may_hide_work_that_was_done(graph, admin, audience, rows, size):
    admin.add_fault("html_500", apply=True)
    assert graph.upload(audience, rows(1)).status_code == 500
    assert size() == 1


def test_status_500_with_json_that_has_no_error(graph, admin):
    admin.add_fault("json_500")
    answer = graph.get("/me")
    assert answer.status_code == 500
    assert "error" not in answer.json()


def test_truncated_json_after_the_work(graph, admin, audience, rows, size):
    admin.add_fault("truncated_json")
    answer = graph.upload(audience, rows(1))
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert size() == 1


@pytest.mark.parametrize(("kind", "members"), [("reset_before", 0), ("reset_after", 1)])
def test_a_connection_reset_before_or_after_the_work(graph, admin, audience, rows, size, kind, members):
    admin.add_fault(kind, path="/*/users")
    with pytest.raises(requests.ConnectionError):
        graph.upload(audience, rows(1))
    assert size() == members
    last = admin.requests()[-1]
    assert (last["status"], last["fault"], last["applied"]) == (None, kind, bool(members))


@pytest.mark.parametrize(("apply", "members"), [(False, 0), (True, 1)])
def test_no_answer_in_time(graph, admin, audience, rows, size, apply, members):
    admin.add_fault("hang", seconds=30, apply=apply)
    with pytest.raises(requests.ReadTimeout):
        graph.session.post(
            f"{graph.base}/{audience}/users",
            json={"payload": {"schema": ["EMAIL", "PHONE"], "data": rows(1)}},
            timeout=0.3,
        )
    assert size() == members


def test_a_slow_answer_is_a_good_one(graph, admin, audience, rows, size):
    admin.add_fault("slow", seconds=0.3)
    started = time.monotonic()
    assert graph.upload(audience, rows(1)).ok
    assert time.monotonic() - started >= 0.3
    assert size() == 1


def test_error_data_as_a_string(graph, admin):
    admin.add_fault("error_data_string")
    data = graph.get("/me").json()["error"]["error_data"]
    assert json.loads(data) == {"blame_field_specs": [["payload"]]}


def test_an_answer_without_usage_headers(graph, admin):
    admin.add_fault("no_usage_headers")
    answer = graph.get("/act_1001")
    assert answer.ok
    assert not [name for name in answer.headers if "usage" in name]


def test_chosen_rows_can_be_refused_so_that_a_client_can_find_them(graph, admin, audience, rows, size, error_of):
    chunk = rows(8)
    admin.add_fault("refuse_rows", values=[chunk[5][0]])

    def upload(part):
        """Halve until the refused rows are alone."""
        answer = graph.upload(audience, part)
        if answer.ok:
            return []
        assert error_of(answer) == (100, None)
        return part if len(part) == 1 else upload(part[: len(part) // 2]) + upload(part[len(part) // 2 :])

    assert upload(chunk) == [chunk[5]]
    assert size() == 7


def test_any_error_can_be_made_up(graph, admin, error_of):
    admin.add_fault("error", code=21009, subcode=5, message="Odd", status=503, transient=True, error_data={"a": 1})
    answer = graph.get("/me")
    assert (answer.status_code, *error_of(answer)) == (503, 21009, 5)
    assert answer.json()["error"]["error_data"] == {"a": 1}


def test_rules_strike_where_and_when_they_say(graph, admin, audience, rows):
    admin.add_fault("transient_2", method="DELETE", path="/*/users", after=1, times=2)
    assert graph.upload(audience, rows(1)).ok
    assert [graph.upload(audience, rows(1), method="DELETE").status_code for _ in range(4)] == [200, 503, 503, 200]
    rule = admin.faults()["faults"][0]
    assert (rule["matched"], rule["fired"]) == (3, 2)
    assert admin.faults()["fired_by_kind"] == {"transient_2": 2}


def test_rules_can_be_taken_back_one_by_one_or_all(graph, admin):
    first = admin.add_fault("transient_1", times=None)
    admin.add_fault("transient_2", times=None)
    admin.clear_faults(first)
    assert graph.get("/me").status_code == 503
    admin.clear_faults()
    assert graph.get("/me").ok


def test_chosen_rows_can_count_as_invalid(graph, admin, audience, rows, size):
    chunk = rows(8)
    admin.add_fault("invalid_rows", values=[chunk[5][0], chunk[6][0]])
    answer = graph.upload(audience, chunk).json()
    assert (answer["num_received"], answer["num_invalid_entries"]) == (8, 2)
    assert size() == 6


@pytest.mark.parametrize(("apply", "stored"), [(None, 0), (True, 8)])
def test_a_good_answer_may_count_fewer_rows_than_were_sent(graph, admin, audience, rows, size, apply, stored):
    admin.add_fault("received", received=3, **({} if apply is None else {"apply": apply}))
    assert graph.upload(audience, rows(8)).json()["num_received"] == 3
    assert size() == stored
    assert graph.upload(audience, rows(8)).json()["num_received"] == 8


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "shoes"},
        {"kind": "refuse_rows"},
        {"kind": "invalid_rows"},
        {"kind": "slow", "speed": 1},
        {},
        {"kind": "slow", "after": "x"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox, rule):
    answer = requests.post(f"{sandbox.url}/__admin/faults", json=rule, timeout=20)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_storm_with_a_seed_is_the_same_each_time():
    def storm():
        faults = Faults()
        faults.add(Fault("transient_1", probability=0.3, times=None, seed=11))
        return [faults.fire(Target("GET", "/me", None, None, frozenset())) is not None for _ in range(200)]

    first = storm()
    assert first == storm()
    assert 30 < sum(first) < 90


def test_transport_faults_are_told_apart():
    assert {kind for kind in KINDS if Fault(kind, values=["x"]).is_transport} == set(TRANSPORT)
