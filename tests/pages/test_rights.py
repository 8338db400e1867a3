"""Who may see and do what, through Airflow's real API server, its sessions and its auth managers."""

from __future__ import annotations

import pytest
import requests

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("path", ["api/me", "assets/x/ui.js"])
def test_without_a_session_nothing_is_answered(server, path):
    assert server.call(None, "GET", path).status_code == 401
    assert server.call(None, "GET", path, headers={"Authorization": "Bearer x"}).status_code == 403


@pytest.mark.parametrize("path", ["docs", "redoc", "openapi.json"])
def test_the_routes_are_described_to_nobody(server, path):
    assert server.call("admin", "GET", path).status_code == 404


@pytest.mark.parametrize(
    ("user", "operates", "administers"),
    [("viewer", False, False), ("user", False, False), ("op", True, False), ("admin", True, True)],
)
def test_what_a_role_may_do_is_what_airflow_says(server, user, operates, administers):
    assert server.call(user, "GET", "api/me").json() == {"operates": operates, "administers": administers}


def test_a_script_is_kept_by_the_browser_under_an_address_that_changes_with_it(server):
    bundles = {app["name"]: app["bundle_url"] for app in _plugin(server)["react_apps"]}
    assert set(bundles) == {"Audiences", "Campaign"}
    for address in bundles.values():
        answer = server.call("viewer", "GET", address.removeprefix("audiences/"))
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in answer.headers["Cache-Control"]
    old = server.call("viewer", "GET", "assets/0000000000000000/audiences.js")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "no-store")
    assert server.call("viewer", "GET", "assets/x/..%2fapp.py").status_code == 404
    assert server.call("viewer", "GET", "api/me").headers["Cache-Control"] == "no-store"


def _plugin(server) -> dict:
    headers = {"Authorization": f"Bearer {server.token('admin')}"}
    plugins = requests.get(f"{server.url}/api/v2/plugins", headers=headers, timeout=60).json()["plugins"]
    return next(plugin for plugin in plugins if plugin["name"] == "audiences")
