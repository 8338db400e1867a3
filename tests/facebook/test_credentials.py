from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import Any

import pytest

from audiences.connections import Connection
from audiences.facebook.credentials import Credentials
from audiences.facebook.graph_errors import ConnectionIncompleteError

EXTRA = {"app_id": "12", "app_secret": "s3cret", "access_token": "EAAtoken", "account_id": "act_42"}


def _credentials(*, password: str | None = None, from_settings: str | None = None, **extra: Any) -> Credentials:
    connection = Connection("facebook_main", password=password, extra={**EXTRA, **extra})
    return Credentials.from_connection(connection, account_id=from_settings)


def test_a_connection_of_the_facebook_provider_s_shape_is_enough() -> None:
    credentials = _credentials()
    assert credentials == Credentials("EAAtoken", "12", "s3cret", "act_42")
    assert credentials.graph_url == "https://graph.facebook.com"
    assert credentials.account_number == "42"


def test_the_password_serves_as_the_token() -> None:
    assert _credentials(access_token=None, password="EAAother").access_token == "EAAother"


def test_the_account_of_the_settings_wins() -> None:
    assert _credentials(from_settings="act_77").account_id == "act_77"


def test_an_account_number_may_come_without_its_prefix_or_as_a_number() -> None:
    assert _credentials(account_id="42").account_id == "act_42"
    assert _credentials(account_id=42).account_id == "act_42"


def test_neither_token_nor_secret_shows() -> None:
    shown = repr(_credentials())
    assert "EAAtoken" not in shown
    assert "s3cret" not in shown


def test_the_proof_is_the_documented_hmac() -> None:
    expected = hmac.new(b"s3cret", b"EAAtoken", hashlib.sha256).hexdigest()
    assert _credentials().appsecret_proof == expected
    assert _credentials(app_secret="").appsecret_proof is None


@pytest.mark.parametrize(
    "extra",
    [
        {"access_token": ""},
        {"access_token": "EAA\nX-Other: 1"},
        {"access_token": "EAA token"},
        {"access_token": "tökén"},
        {"account_id": ""},
        {"account_id": "act_42/../me"},
        {"account_id": "my account"},
        {"graph_url": "ftp://host"},
        {"graph_url": "graph.facebook.com"},
        {"graph_url": "http://graph.facebook.com"},
        {"graph_url": "https://user:pw@host"},
        {"graph_url": "https://host/?x=1"},
        {"graph_url": "http://["},
        {"token_expires": "31.01.2027"},
        {"api_version": "26"},
        {"api_version": "v26.0/../v1.0"},
    ],
)
def test_what_cannot_be_used_is_named_with_its_remedy(extra: dict[str, Any]) -> None:
    with pytest.raises(ConnectionIncompleteError) as caught:
        _credentials(**extra)
    assert "`facebook_main`" in str(caught.value)
    assert caught.value.remedy
    assert "EAA" not in str(caught.value)


def test_the_end_of_a_token_may_be_noted_down() -> None:
    assert _credentials(token_expires="2027-01-31").token_expires == date(2027, 1, 31)
    assert _credentials(token_expires="").token_expires is None


def test_a_sandbox_may_be_reached_over_plain_http() -> None:
    assert _credentials(graph_url="http://127.0.0.1:8765/").graph_url == "http://127.0.0.1:8765"


def test_a_connection_for_another_ad_account_than_the_settings_say_is_refused() -> None:
    connection = Connection("facebook_main", extra=EXTRA)
    assert Credentials.of_account(connection, "act_42").account_id == "act_42"
    with pytest.raises(ConnectionIncompleteError, match=r"is for the ad account `act_42`.*settings.yml says `act_43`"):
        Credentials.of_account(connection, "act_43")
    shared = Connection("facebook_main", extra={**EXTRA, "account_id": None})
    assert Credentials.of_account(shared, "act_43").account_id == "act_43"
