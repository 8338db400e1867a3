"""The preflight against the sandbox, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.facebook.rows import SCHEMA, rows_of

from audiences.checklist import Check, State
from audiences.errors import FacebookAccessError
from audiences.facebook import audiences, members, preflight
from audiences.facebook.credentials import Credentials
from audiences.facebook.session import GraphSession
from audiences.sandbox import ACCOUNT, APP_ID, APP_SECRET, AUDIENCE, TOKEN, SandboxServer

pytestmark = pytest.mark.integration


def _preflight(sandboxed: GraphSession, *audience_ids: str) -> dict[str, Check]:
    return {check.name: check for check in preflight.run(sandboxed, now=datetime.now(UTC), audience_ids=audience_ids)}


def test_a_healthy_account_passes_every_check(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(500))
    checks = _preflight(sandboxed, AUDIENCE)
    assert {name: check.state for name, check in checks.items()} == dict.fromkeys(
        [
            "API version",
            "access token",
            "permissions",
            f"ad account {ACCOUNT}",
            "Custom Audience terms",
            "number of audiences",
            f"audience {AUDIENCE}",
        ],
        State.OK,
    )
    assert checks["access token"].found == "valid, never expires"
    assert sandbox.admin.state(members=False)["counters"]["token_in_url"] == 0


@pytest.mark.parametrize(
    ("name", "state", "trouble"),
    [
        ("access token", State.FAIL, ("put_token", {"token": TOKEN, "expires_in_seconds": -60})),
        ("access token", State.WARN, ("put_token", {"token": TOKEN, "expires_in_seconds": 3 * 86400})),
        ("access token", State.OK, ("put_token", {"token": TOKEN, "expires_in_seconds": 50 * 86400})),
        ("access token", State.FAIL, ("put_token", {"token": TOKEN, "valid": False})),
        ("access token", State.WARN, ("put_token", {"token": TOKEN, "app_id": "999"})),
        ("permissions", State.FAIL, ("put_token", {"token": TOKEN, "scopes": ["ads_read"]})),
        (f"ad account {ACCOUNT}", State.FAIL, ("put_token", {"token": TOKEN, "accounts": ["act_9"]})),
        (f"ad account {ACCOUNT}", State.WARN, ("put_account", {"id": ACCOUNT, "account_status": 2})),
        (f"ad account {ACCOUNT}", State.WARN, ("put_account", {"id": ACCOUNT, "in_business": False})),
        ("Custom Audience terms", State.FAIL, ("put_account", {"id": ACCOUNT, "tos_accepted": False})),
        (f"audience {AUDIENCE}", State.FAIL, ("put_audience", {"id": AUDIENCE, "operation_status": 471})),
        (f"audience {AUDIENCE}", State.FAIL, ("put_audience", {"id": AUDIENCE, "can_edit": False})),
        (f"audience {AUDIENCE}", State.FAIL, ("put_audience", {"id": AUDIENCE, "deleted": True})),
        (f"audience {AUDIENCE}", State.WARN, ("put_audience", {"id": AUDIENCE, "operation_status": 450})),
        (f"audience {AUDIENCE}", State.WARN, ("put_audience", {"id": AUDIENCE, "operation_status": 414})),
        ("number of audiences", State.WARN, ("add_fault", {"kind": "transient_2", "path": "/act_*", "times": None})),
    ],
)
def test_each_trouble_has_a_line_with_a_remedy(
    sandbox: SandboxServer, sandboxed: GraphSession, name: str, state: State, trouble: tuple[str, dict[str, Any]]
) -> None:
    endpoint, change = trouble
    getattr(sandbox.admin, endpoint)(**change)
    check = _preflight(sandboxed, AUDIENCE)[name]
    assert check.state is state, check
    assert bool(check.remedy) == (state is not State.OK)


def test_an_ended_version_fails(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    old = Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, "v24.0")
    with GraphSession(old) as session:
        checks = _preflight(session)
    assert checks["API version"].state is State.FAIL
    assert checks["access token"].state is State.FAIL


def test_a_wrong_app_secret_is_named(sandbox: SandboxServer) -> None:
    wrong = Credentials(TOKEN, APP_ID, "another-secret", ACCOUNT, sandbox.url)
    with GraphSession(wrong) as session, pytest.raises(FacebookAccessError) as caught:
        audiences.read(session, AUDIENCE)
    assert "app_secret" in caught.value.remedy
