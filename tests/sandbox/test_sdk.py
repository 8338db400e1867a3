"""The real facebook-business SDK as the client."""

from __future__ import annotations

from hashlib import sha256

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.customaudience import CustomAudience
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from audiences.sandbox import AD_SETS, APP_ID, APP_SECRET, TOKEN

pytestmark = pytest.mark.integration


@pytest.fixture
def api(sandbox):
    session = FacebookSession(APP_ID, APP_SECRET, TOKEN, timeout=20)
    session.GRAPH = sandbox.url
    yield FacebookAdsApi(session, api_version="v26.0")
    session.requests.close()


@pytest.fixture
def account(api):
    return AdAccount("act_1001", api=api)


@pytest.fixture
def audience(account):
    params = {"name": "By SDK", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
    return account.create_custom_audience(params=params)


def test_the_account_is_read_with_its_terms(account):
    told = account.api_get(fields=["name", "tos_accepted"])
    assert told["name"] == "Sandbox shop"
    assert told["tos_accepted"]["custom_audience_tos"] == 1


def test_audiences_are_created_read_changed_and_deleted(account, audience):
    audience.api_update(params={"description": "Words"})
    told = audience.api_get(fields=["name", "description", "operation_status", "approximate_count_lower_bound"])
    assert (told["name"], told["description"], told["operation_status"]["code"]) == ("By SDK", "Words", 410)
    audience.api_delete()
    assert audience["id"] not in [one["id"] for one in account.get_custom_audiences()]


def test_lists_are_walked_page_by_page(account, api):
    for number in range(5):
        params = {"name": f"No {number}", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        account.create_custom_audience(params=params)
    names = [one["name"] for one in account.get_custom_audiences(fields=["name"], params={"limit": 2})]
    assert names == ["Existing buyers list", *(f"No {number}" for number in range(5))]


def test_users_are_added_as_a_form_and_removed_in_the_url(audience, admin):
    addresses = ["mary@example.com", "john@example.com"]
    answer = audience.add_users(CustomAudience.Schema.email_hash, addresses).json()
    assert answer["num_received"] == 2
    assert [row["EMAIL"] for row in admin.members(audience["id"])] == sorted(
        sha256(address.encode()).hexdigest() for address in addresses
    )
    audience.remove_users(CustomAudience.Schema.email_hash, addresses[:1])
    assert len(admin.members(audience["id"])) == 1
    removal = admin.requests()[-1]
    assert (removal["method"], removal["token_in_url"]) == ("DELETE", True)


def test_a_removal_of_many_breaks_on_the_length_of_its_url_and_the_sdk_does_not_notice(audience, rows, admin):
    many = [row[0] for row in rows(300)]
    audience.add_users(CustomAudience.Schema.email_hash, many, pre_hashed=True)
    answer = audience.remove_users(CustomAudience.Schema.email_hash, many, pre_hashed=True)
    assert answer.status() == 414
    assert answer.is_success()
    assert len(admin.members(audience["id"])) == 300


def test_the_way_round_it_is_closed_to_new_apps(api, audience, rows, admin):
    payload = {"schema": ["EMAIL", "PHONE"], "data": rows(2)}
    audience.create_user(params={"payload": payload})
    with pytest.raises(FacebookRequestError, match="method override"):
        api.call("POST", (audience["id"], "users"), params={"method": "delete", "payload": payload})
    assert len(admin.members(audience["id"])) == 2


def test_the_way_round_it_was_a_post_that_means_delete(api, audience, rows, admin):
    admin.put_token(token=TOKEN, app_created="2025-06-01")
    payload = {"schema": ["EMAIL", "PHONE"], "data": rows(10_000)}
    audience.create_user(params={"payload": payload})
    assert len(admin.members(audience["id"])) == 10_000
    api.call("POST", (audience["id"], "users"), params={"method": "delete", "payload": payload})
    assert admin.members(audience["id"]) == []


def test_a_replace_session_through_the_sdk(audience, rows, admin):
    for seq in (1, 2):
        session = {"session_id": 9, "batch_seq": seq, "last_batch_flag": seq == 2}
        payload = {"schema": ["EMAIL", "PHONE"], "data": rows(3, start=10 * seq)}
        audience.create_users_replace(params={"payload": payload, "session": session})
    assert len(admin.members(audience["id"])) == 6
    sessions = list(audience.get_sessions())
    assert (sessions[0]["stage"], sessions[0]["num_received"]) == ("finished", "6")


def test_a_person_is_taken_out_of_all_audiences(account, audience, rows, admin):
    audience.create_user(params={"payload": {"schema": ["EMAIL", "PHONE"], "data": rows(2)}})
    account.delete_users_of_any_audience(params={"payload": {"schema": ["EMAIL"], "data": [rows(1)[0][:1]]}})
    assert len(admin.members(audience["id"])) == 1


def test_ad_sets_are_linked_by_read_modify_write(api, audience):
    ad_set = AdSet(AD_SETS[0], api=api)
    targeting = ad_set.api_get(fields=["targeting"])["targeting"].export_all_data()
    before = dict(targeting)
    targeting["custom_audiences"] = [{"id": audience["id"]}]
    ad_set.api_update(params={"targeting": targeting})
    after = ad_set.api_get(fields=["targeting"])["targeting"].export_all_data()
    assert after.pop("custom_audiences") == [{"id": audience["id"], "name": "By SDK"}]
    assert after == before


def test_errors_arrive_with_code_subcode_and_trace(account, admin):
    admin.settings(accounts={"act_1001": {"tos_accepted": False}})
    with pytest.raises(FacebookRequestError) as failed:
        account.create_custom_audience(
            params={"name": "x", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        )
    assert (failed.value.api_error_code(), failed.value.api_error_subcode()) == (200, 1870034)
    assert failed.value.body()["error"]["fbtrace_id"]


def test_a_500_without_an_error_passes_for_success_in_the_sdk(account, admin):
    """The trap that our own client must not fall into."""
    admin.add_fault("json_500")
    assert "name" not in account.api_get(fields=["name"])


def test_a_proof_by_the_wrong_secret_is_refused(sandbox):
    session = FacebookSession(APP_ID, "other-secret", TOKEN, timeout=20)
    session.GRAPH = sandbox.url
    with pytest.raises(FacebookRequestError, match="appsecret_proof"):
        User("me", api=FacebookAdsApi(session, api_version="v26.0")).api_get()
    session.requests.close()
