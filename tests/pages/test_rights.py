"""Who may see and do what, through Airflow's real API server, its sessions and its auth managers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests
from tests.pages.conftest import HIDDEN, World
from tests.pages.serving import CHANGER, READABLE, READER, ROLES

from audiences.campaign.notify import Notify
from audiences.checklist import Check, State
from audiences.ledger import notices
from audiences.ledger.database import Ledger
from audiences.notices.what_holds import failure, of_account, task_failed

if TYPE_CHECKING:
    from tests.pages.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# Every route, by what it takes to be answered.
EVERYBODY = {
    ("GET", "/api/me"),
    ("GET", "/assets/{digest}/{name}"),
    ("GET", "/api/campaigns"),
    ("GET", "/api/health"),
}
READERS = {
    ("GET", "/api/campaigns/{campaign}"),
    ("GET", "/api/campaigns/{campaign}/sizes"),
    ("GET", "/api/campaigns/{campaign}/runs"),
    ("GET", "/api/campaigns/{campaign}/runs/{run}"),
}
CHANGERS = {("POST", "/api/person"), ("POST", "/api/person/why")}
OPERATORS = {("POST", "/api/health/accounts/{account}"), ("POST", "/api/health/warehouse")}
ADMINS = {("POST", "/api/person/erase")}
BODIES = {
    "/api/person": {"by": "user", "value": "1"},
    "/api/person/why": {"campaign": "{campaign}", "user": "1"},
    "/api/person/erase": {"user": "nobody", "again": "somebody"},
}
"""What is sent: nothing that would change anything."""


def address(path: str, world: World, campaign: str) -> str:
    return (
        path.removeprefix("/")
        .replace("{campaign}", campaign)
        .replace("{run}", str(world.runs.get(campaign, 404)))
        .replace("{account}", "main")
        .replace("{digest}", "x")
        .replace("{name}", "ui.js")
    )


def call(
    server: Server, world: World, user: str | None, route: tuple[str, str], campaign: str = READABLE
) -> requests.Response:
    method, path = route
    body = {key: value.replace("{campaign}", campaign) for key, value in BODIES.get(path, {}).items()}
    more = {"json": body} if method == "POST" else {}
    return server.call(user, method, address(path, world, campaign), **more)


def test_every_route_is_tried_here(server: Server) -> None:
    assert server.routes() == EVERYBODY | READERS | CHANGERS | OPERATORS | ADMINS


def test_without_a_session_nothing_is_answered(server: Server, world: World) -> None:
    for route in sorted(server.routes()):
        assert call(server, world, None, route).status_code == 401, route


def test_a_false_token_opens_nothing(server: Server) -> None:
    assert server.call(None, "GET", "api/me", headers={"Authorization": "Bearer x"}).status_code == 403


@pytest.mark.parametrize("path", ["docs", "redoc", "openapi.json"])
def test_the_routes_are_described_to_nobody(server: Server, path: str) -> None:
    assert server.call("admin", "GET", path).status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_airflow_gives_it_and_no_more(server: Server, world: World, role: str) -> None:
    open_to = {
        "viewer": EVERYBODY | READERS,
        "user": EVERYBODY | READERS | CHANGERS,
        "op": EVERYBODY | READERS | CHANGERS | OPERATORS,
        "admin": EVERYBODY | READERS | CHANGERS | OPERATORS | ADMINS,
    }[role]
    told = server.call(role, "GET", "api/me").json()
    assert told == {"looks_up": role != "viewer", "operates": role in ("op", "admin"), "administers": role == "admin"}
    for route in sorted(server.routes()):
        status = call(server, world, role, route).status_code
        expected = (200, 422) if route in open_to else (403,)
        assert status in expected, (route, status)


def test_without_the_right_to_its_dag_a_campaign_is_neither_listed_nor_readable(by_dag: Server, world: World) -> None:
    assert listed(by_dag, "viewer") == {READABLE, HIDDEN}
    assert listed(by_dag, READER) == {READABLE}
    found = by_dag.call(READER, "GET", "api/campaigns", params={"search": HIDDEN}).json()
    assert (found["total"], found["campaigns"], found["with_troubles"]) == (0, [], {})
    for route in sorted(READERS):
        assert call(by_dag, world, READER, route, READABLE).status_code == 200
        refused = call(by_dag, world, READER, route, HIDDEN)
        assert refused.status_code == 403
        # A campaign that is not there is refused in the same words.
        unknown = call(by_dag, world, READER, route, "unheard_of")
        assert unknown.status_code == 403
        assert unknown.text == refused.text.replace(HIDDEN, "unheard_of")


def test_notices_are_shown_to_whoever_may_read_their_campaign_and_those_of_the_installation_to_operators(
    by_dag: Server, world: World
) -> None:
    checks = [Check("access token", State.WARN, "expires soon")]
    with Ledger(world.shop.connections["ledger"]) as ledger:
        for campaign in (READABLE, HIDDEN):
            notices.put(ledger, failure(subject=campaign, name=campaign, reason="no"), at=world.shop.now)
        for each in of_account("act_1001", checks, Notify()):
            notices.put(ledger, each, at=world.shop.now)
        failed = task_failed(dag="audiences_upkeep", task="expire", campaign=READABLE, reason="no", day=world.shop.now)
        notices.put(ledger, failed, at=world.shop.now)

    def shown(user: str) -> set[str]:
        return {each["subject"] for each in by_dag.call(user, "GET", "api/health").json()["notices"]}

    assert shown(READER) == {READABLE}
    assert shown("viewer") == {READABLE, HIDDEN}
    assert shown("op") == {READABLE, HIDDEN, "act_1001", "audiences_upkeep"}


def test_a_run_is_not_reached_through_another_campaign(by_dag: Server, world: World) -> None:
    assert by_dag.call(READER, "GET", f"api/campaigns/{READABLE}/runs/{world.runs[HIDDEN]}").status_code == 404


def test_of_a_person_nothing_is_told_about_hidden_campaigns(by_dag: Server) -> None:
    def memberships(user: str) -> set[str]:
        found = by_dag.call(user, "POST", "api/person", json={"by": "email", "value": "ada@example.com"}).json()
        return {each["campaign"] for person in found["people"] for each in (*person["memberships"], *person["arms"])}

    assert memberships("user") == {READABLE, HIDDEN}
    assert memberships(CHANGER) == {READABLE}


def test_who_may_only_read_campaigns_looks_nobody_up(by_dag: Server, world: World) -> None:
    assert by_dag.call(READER, "GET", "api/me").json()["looks_up"] is False
    for route in sorted(CHANGERS):
        assert call(by_dag, world, READER, route).status_code == 403, route
        assert call(by_dag, world, CHANGER, route).status_code == 200, route
    hidden = call(by_dag, world, CHANGER, ("POST", "/api/person/why"), HIDDEN)
    assert (hidden.status_code, "to change the DAG" in hidden.json()["detail"]) == (403, True)


def test_where_databases_are_is_told_to_who_may_read_connections_only(by_role: Server, world: World) -> None:
    error = f"the warehouse does not let us in ({world.shop.connections['warehouse'].place}). Correct it"
    world.shop.sql("update audiences.run set warnings = array[%s]", error, on="ledger")
    try:
        for path in (f"campaigns/{READABLE}/runs", f"campaigns/{READABLE}/runs/{world.runs[READABLE]}", "campaigns"):
            told = {role: by_role.call(role, "GET", f"api/{path}").text for role in ("user", "op")}
            assert "does not let us in (the Airflow connection `warehouse`). Correct it" in told["user"], path
            assert "does not let us in (database `" in told["op"], path
    finally:
        world.shop.sql("update audiences.run set warnings = '{}'", on="ledger")


def test_names_of_others_turn_nothing_around_on_a_page(by_role: Server, world: World) -> None:
    world.shop.sql("update audiences.run set warnings = array[%s]", "audience \u202egnp.exe", on="ledger")
    try:
        for path in (f"campaigns/{READABLE}/runs", f"campaigns/{READABLE}/runs/{world.runs[READABLE]}", "campaigns"):
            for role in ("user", "op"):
                said = json.dumps(by_role.call(role, "GET", f"api/{path}").json(), ensure_ascii=False)
                assert ("�gnp.exe" in said, "\u202e" in said) == (True, False), (role, path)
    finally:
        world.shop.sql("update audiences.run set warnings = '{}'", on="ledger")


def test_whom_somebody_asks_about_is_in_no_log_and_no_answer(server: Server) -> None:
    for value in ("ada@example.com", "Ada.Nobody@Example.com"):
        answer = server.call("admin", "POST", "api/person", json={"by": "email", "value": value})
        assert answer.status_code == 200
        assert "example.com" not in answer.text.lower()
    assert server.call("admin", "POST", "api/person", json={"by": "email", "value": "no address"}).status_code == 422
    log = (server.home / "said.log").read_text().lower()
    assert "/audiences/api/person" in log
    assert "example.com" not in log.replace("airflow.example.com", "")


def listed(server: Server, user: str) -> set[str]:
    return {each["id"] for each in server.call(user, "GET", "api/campaigns").json()["campaigns"]}


def test_what_another_site_sends_with_the_session_is_refused(server: Server) -> None:
    body = {"user": "nobody", "again": "somebody"}
    erase = "api/person/erase"
    assert server.call("admin", "POST", erase, json=body).status_code == 422
    for origin in (
        "https://evil.example",
        "null",
        server.url.replace("127.0.0.1", "127.0.0.1.evil.example"),
        f"{server.url}0",
    ):
        assert server.call("admin", "POST", erase, json=body, headers={"Origin": origin}).status_code == 403, origin
    # What a form of another site can send without asking first.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = server.call("admin", "POST", erase, data="{}", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    assert server.call("admin", "GET", erase).status_code == 405


def test_a_program_needs_a_token_and_no_origin(server: Server) -> None:
    address, body = f"{server.url}/audiences/api/person/erase", {"user": "nobody", "again": "somebody"}
    cookies = {"_token": server.token("admin")}
    assert requests.post(address, json=body, cookies=cookies, timeout=60).status_code == 403
    headers = {"Authorization": f"Bearer {server.token('admin')}"}
    assert requests.post(address, json=body, headers=headers, timeout=60).status_code == 422


def test_behind_a_proxy_the_address_that_browsers_know_is_ours(by_dag: Server) -> None:
    body = {"user": "nobody", "again": "somebody"}
    for origin, status in (
        ("https://airflow.example.com", 422),
        ("https://airflow.example.com:8443", 403),
        ("http://airflow.example.com", 403),
    ):
        answer = by_dag.call("admin", "POST", "api/person/erase", json=body, headers={"Origin": origin})
        assert answer.status_code == status, origin


def test_what_was_sent_is_not_repeated_in_an_answer(server: Server) -> None:
    answer = server.call("admin", "POST", "api/person/erase", json={"user": "ada@example.com"})
    assert answer.status_code == 422
    assert "ada@example.com" not in answer.text
    assert "again" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["a%00b", "a%00b/runs", "a%00b/sizes", "%1f", "readable/runs/99999999999999999999", "readable/runs/0"]
)
def test_what_can_be_in_no_address_is_refused_and_no_fault_of_the_server(by_role: Server, path: str) -> None:
    assert by_role.call("admin", "GET", f"api/campaigns/{path}").status_code == 422
    assert by_role.call("admin", "GET", "api/campaigns?search=a%00b").status_code == 422
    assert by_role.call("admin", "POST", "api/health/accounts/a%00b").status_code == 422
    assert by_role.call("admin", "POST", "api/health/accounts/nobody").status_code == 404


def test_a_script_is_kept_by_the_browser_under_an_address_that_changes_with_it(server: Server) -> None:
    headers = {"Authorization": f"Bearer {server.token('admin')}"}
    plugins = requests.get(f"{server.url}/api/v2/plugins", headers=headers, timeout=60).json()["plugins"]
    (ours,) = [plugin for plugin in plugins if plugin["name"] == "audiences"]
    bundles = {app["name"]: app["bundle_url"] for app in ours["react_apps"]}
    assert set(bundles) == {"Audiences", "Campaign"}
    for address in bundles.values():
        answer = server.call("viewer", "GET", address.removeprefix("audiences/"))
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in answer.headers["Cache-Control"]
    old = server.call("viewer", "GET", "assets/0000000000000000/audiences.js")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "no-store")
    assert server.call("viewer", "GET", "assets/x/..%2fapp.py").status_code == 404
    assert server.call("viewer", "GET", "api/me").headers["Cache-Control"] == "no-store"
