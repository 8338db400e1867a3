"""The preflight against the sandbox, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.facebook.rows import SCHEMA, rows_of
from tests.facebook.scripted import TOKEN as SCRIPTED_TOKEN
from tests.facebook.scripted import ScriptedGraph

from audiences.checklist import Check, State
from audiences.errors import FacebookAccessError
from audiences.facebook import audience_members, custom_audiences, preflight_checks
from audiences.facebook.credentials import Credentials
from audiences.facebook.session import GraphSession
from audiences.sandbox import ACCOUNT, APP_ID, APP_SECRET, AUDIENCE, TOKEN, SandboxServer

pytestmark = pytest.mark.integration


def _preflight(sandboxed: GraphSession, *audience_ids: str) -> dict[str, Check]:
    return {
        check.name: check for check in preflight_checks.run(sandboxed, now=datetime.now(UTC), audience_ids=audience_ids)
    }


def test_a_healthy_account_passes_every_check(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(500))
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
    assert checks["access token"].found == "accepted; Facebook does not tell here until when"
    counters = sandbox.admin.state(members=False)["counters"]
    assert (counters["token_in_url"], counters["retired"]) == (0, 0)


def test_the_token_is_asked_about_by_a_plain_get_with_the_header_only(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    preflight_checks.run(graph, now=datetime.now(UTC))
    asked = scripted.seen[0]
    assert (asked.method, asked.path.partition("?")[0], asked.body) == ("GET", "/v26.0/debug_token", b"")
    assert asked.headers["Authorization"] == f"Bearer {SCRIPTED_TOKEN}"
    assert SCRIPTED_TOKEN not in asked.path
    assert "input_token" not in asked.path


@pytest.mark.parametrize(
    ("days", "state", "found"),
    [
        (50, State.OK, "accepted; expires on"),
        (13, State.WARN, "accepted; expires on"),
        (-1, State.WARN, "accepted; expires on"),
    ],
)
def test_where_facebook_does_not_tell_the_end_of_a_token_the_noted_day_counts(
    sandbox: SandboxServer, days: int, state: State, found: str
) -> None:
    day = datetime.now(UTC).date() + timedelta(days=days)
    noted = Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, token_expires=day)
    with GraphSession(noted) as session:
        check = _preflight(session)["access token"]
    assert (check.state, check.found) == (state, f"{found} {day:%d %B %Y}, says the connection")
    assert bool(check.remedy) == (state is State.WARN)


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
    sandbox.admin.settings(debug_token_of_own=True)
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
    assert checks["API version"].found == "v24.0, which ended for the Marketing API on 10 November 2026"
    assert list(checks) == ["API version"]
    assert sandbox.admin.requests() == []


@pytest.mark.parametrize(
    ("version", "state"),
    [("v19.0", State.FAIL), ("v25.0", State.WARN), ("v26.0", State.OK), ("v27.0", State.OK), ("v28.0", State.WARN)],
)
def test_each_version_has_its_verdict(sandbox: SandboxServer, version: str, state: State) -> None:
    with GraphSession(Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, version)) as session:
        checks = preflight_checks.run(session, now=datetime(2026, 11, 29, tzinfo=UTC))
    assert (checks[0].name, checks[0].state) == ("API version", state)
    assert bool(checks[0].remedy) == (state is not State.OK)


def test_the_newest_version_passes_every_check(sandbox: SandboxServer) -> None:
    members_of = Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, "v27.0")
    with GraphSession(members_of) as session:
        checks = preflight_checks.run(session, now=datetime.now(UTC))
    assert {check.state for check in checks} == {State.OK}


def test_an_audiences_name_begins_no_line_of_its_own(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.put_audience(id=AUDIENCE, name="Carts\n✓ token: fine\x1b[2J")
    found = _preflight(sandboxed, AUDIENCE)[f"audience {AUDIENCE}"].found
    assert found.startswith("Carts ✓ token: fine")
    assert "\n" not in found
    assert "\x1b" not in found


@pytest.mark.parametrize(("added_to", "state"), [([AUDIENCE], State.FAIL), ([], State.OK)])
def test_a_value_based_audience_is_told_where_people_are_to_be_added(
    sandbox: SandboxServer, sandboxed: GraphSession, added_to: list[str], state: State
) -> None:
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(500))
    sandbox.admin.put_audience(id=AUDIENCE, is_value_based=True)
    checks = preflight_checks.run(sandboxed, now=datetime.now(UTC), audience_ids=[AUDIENCE], added_to=added_to)
    (check,) = [check for check in checks if check.name == f"audience {AUDIENCE}"]
    assert (check.state, "value-based" in check.found) == (state, bool(added_to))
    assert bool(check.remedy) == bool(added_to)


def test_a_wrong_app_secret_is_named(sandbox: SandboxServer) -> None:
    wrong = Credentials(TOKEN, APP_ID, "another-secret", ACCOUNT, sandbox.url)
    with GraphSession(wrong) as session, pytest.raises(FacebookAccessError) as caught:
        custom_audiences.read(session, AUDIENCE)
    assert "app_secret" in caught.value.remedy
