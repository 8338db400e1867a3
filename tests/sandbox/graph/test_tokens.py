"""Access: tokens, proofs, scopes, roles, and what a token may ask about itself."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

import pytest
import requests

from audiences.sandbox import APP_SECRET, AUDIENCE, TOKEN

pytestmark = pytest.mark.integration


def proof(text=TOKEN):
    return hmac.new(APP_SECRET.encode(), text.encode(), sha256).hexdigest()


def test_a_call_without_a_token_is_refused(graph_as, error_of):
    assert error_of(graph_as(None).get("/me")) == (104, None)


def test_a_wrong_token_is_refused(graph_as, error_of):
    answer = graph_as("nonsense").get("/me")
    assert error_of(answer) == (190, None)
    assert answer.status_code == 401


@pytest.mark.parametrize("where", ["params", "data", "json"])
def test_the_token_may_come_by_query_form_or_json(sandbox, where):
    method, path = ("GET", "me") if where == "params" else ("POST", AUDIENCE)
    options = {where: {"access_token": TOKEN}}
    assert requests.request(method, f"{sandbox.url}/v26.0/{path}", timeout=20, **options).ok


def test_an_expired_token_says_so(graph_as, admin, error_of):
    admin.put_token(token="short", expires_in_seconds=3600)
    client = graph_as("short")
    assert client.get("/me").ok
    admin.advance(3601)
    assert error_of(client.get("/me")) == (190, 463)


def test_the_right_proof_is_accepted_and_a_wrong_one_refused(graph, error_of):
    assert graph.get("/me", appsecret_proof=proof()).ok
    assert error_of(graph.get("/me", appsecret_proof=proof("other"))) == (100, None)
    assert error_of(graph.get("/me", appsecret_proof="é")) == (100, None)


def test_a_timed_proof_is_good_for_five_minutes(graph, error_of):
    now = int(time.time())
    assert graph.get("/me", appsecret_proof=proof(f"{TOKEN}|{now}"), appsecret_time=now).ok
    old = now - 400
    assert error_of(graph.get("/me", appsecret_proof=proof(f"{TOKEN}|{old}"), appsecret_time=old)) == (100, None)


def test_the_proof_can_be_made_a_must(graph, admin, error_of):
    admin.settings(require_app_secret=True)
    assert error_of(graph.get("/me")) == (100, None)
    assert graph.get("/me", appsecret_proof=proof()).ok


def test_writing_needs_ads_management(graph_as, admin, error_of):
    admin.put_token(token="reader", scopes=["ads_read"])
    reader = graph_as("reader")
    assert reader.get("/act_1001").ok
    answer = reader.post(
        "/act_1001/customaudiences", name="x", subtype="CUSTOM", customer_file_source="USER_PROVIDED_ONLY"
    )
    assert error_of(answer) == (200, None)
    assert answer.status_code == 403


def test_a_token_without_a_role_in_the_account_gets_nowhere(graph_as, admin, error_of):
    admin.put_account(id="act_2002")
    admin.put_token(token="other", accounts=["act_2002"])
    client = graph_as("other")
    assert client.get("/act_2002").ok
    assert error_of(client.get("/act_1001")) == (200, None)
    answer = client.post(
        "/act_1001/customaudiences", name="x", subtype="CUSTOM", customer_file_source="USER_PROVIDED_ONLY"
    )
    assert error_of(answer) == (2654, 1713092)
    assert [one["id"] for one in client.get("/me/adaccounts").json()["data"]] == ["act_2002"]


def test_debug_token_tells_validity_expiry_and_scopes(graph, admin):
    expires = admin.put_token(token="dated", expires_in_seconds=86_400, accounts=["act_1001"])["expires_at"]
    data = graph.get("/debug_token", input_token="dated").json()["data"]
    assert (data["is_valid"], data["expires_at"]) == (True, int(expires))
    assert data["granular_scopes"][0] == {"scope": "ads_management", "target_ids": ["1001"]}
    admin.advance(86_401)
    late = graph.get("/debug_token", input_token="dated").json()["data"]
    assert (late["is_valid"], late["error"]["subcode"]) == (False, 463)


def test_the_default_token_never_expires(graph):
    data = graph.get("/debug_token", input_token=TOKEN).json()["data"]
    assert data["expires_at"] == 0
    assert data["app_id"] == "1234567890"
    assert data["scopes"] == ["ads_management", "ads_read", "business_management"]


def test_a_token_without_any_scope_can_still_ask_what_it_may_do(graph_as, admin, error_of):
    admin.put_token(token="bare", scopes=["public_profile"])
    bare = graph_as("bare")
    assert bare.get("/me/permissions").json()["data"] == [{"permission": "public_profile", "status": "granted"}]
    assert error_of(bare.get("/act_1001")) == (200, None)


def test_debug_token_wants_the_token_in_the_address_unless_set_to_tell_of_the_one_that_asks(graph, admin, error_of):
    assert error_of(graph.get("/debug_token")) == (100, None)
    admin.settings(debug_token_of_own=True)
    assert graph.get("/debug_token").json()["data"]["is_valid"] is True
    assert graph.get("/debug_token", input_token="?").json()["data"]["is_valid"] is False


def test_debug_token_of_an_unknown_token_is_invalid(graph):
    assert graph.get("/debug_token", input_token="?").json()["data"]["is_valid"] is False


def test_me_permissions_lists_the_scopes(graph):
    granted = graph.get("/me/permissions").json()["data"]
    assert {"permission": "ads_management", "status": "granted"} in granted
