"""What an app created since 4 November 2026 may no longer use, and an older one still may."""

from __future__ import annotations

import json

import pytest

from audiences.sandbox import AUDIENCE, TOKEN

pytestmark = pytest.mark.integration

WAYS = {
    "method": ("POST", f"/{AUDIENCE}", {"method": "delete"}),
    "method of a get": ("GET", f"/{AUDIENCE}", {"method": "delete"}),
    "ids": ("GET", "/", {"ids": f"{AUDIENCE},act_1001"}),
    "date_format": ("GET", f"/{AUDIENCE}", {"date_format": "U"}),
    "alias": ("GET", f"/{AUDIENCE}", {"fields": "name.as(title)"}),
    "callback": ("GET", f"/{AUDIENCE}", {"callback": "shop.show"}),
    "batch": ("POST", "/act_1001/async_batch_requests", {"name": "x", "adbatch": "[]"}),
}


@pytest.fixture
def old(admin):
    """The token's app is made an old one."""
    admin.put_token(token=TOKEN, app_created="2026-11-03")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["v25.0", "v27.0"])
def test_a_new_app_is_refused_on_every_version(graph, admin, error_of, way, version):
    method, path, params = WAYS[way]
    graph.base = graph.base.replace("v26.0", version)
    assert error_of(graph.call(method, path, params=params)) == (100, None)
    assert admin.requests()[-1]["retired"]
    assert admin.state(members=False)["counters"]["retired"] == 1
    assert graph.get(f"/{AUDIENCE}").ok


def test_the_day_itself_is_new(graph, admin, error_of):
    admin.put_token(token=TOKEN, app_created="2026-11-04")
    assert error_of(graph.get(f"/{AUDIENCE}", date_format="U")) == (100, None)


@pytest.mark.usefixtures("old")
def test_an_old_app_may_read_several_ids_at_once(graph, error_of):
    answer = graph.get("/", ids=f"{AUDIENCE},act_1001", fields="name").json()
    assert {key: one["name"] for key, one in answer.items()} == {
        AUDIENCE: "Existing buyers list",
        "act_1001": "Sandbox shop",
    }
    assert error_of(graph.get("/", ids="123")) == (100, 33)
    assert error_of(graph.get("/", ids="")) == (100, None)


@pytest.mark.usefixtures("old")
def test_an_old_app_may_name_the_form_of_times(graph):
    plain = graph.get("/act_1001", fields="created_time").json()["created_time"]
    day = graph.get("/act_1001", fields="created_time", date_format="d.m.Y").json()["created_time"]
    assert day == ".".join(reversed(plain[:10].split("-")))
    assert isinstance(graph.get("/act_1001", fields="created_time", date_format="U").json()["created_time"], int)


@pytest.mark.usefixtures("old")
def test_an_old_app_may_rename_fields(graph):
    assert graph.get(f"/{AUDIENCE}", fields="name.as(title)").json() == {
        "title": "Existing buyers list",
        "id": AUDIENCE,
    }


@pytest.mark.usefixtures("old")
def test_an_old_app_may_have_its_answer_wrapped(graph, error_of):
    answer = graph.get(f"/{AUDIENCE}", callback="shop.show")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert json.loads(answer.text.removeprefix("/**/shop.show(").removesuffix(");")) == {"id": AUDIENCE}
    assert error_of(graph.get(f"/{AUDIENCE}", callback="alert(1)//")) == (100, None)


@pytest.mark.usefixtures("old")
def test_asynchronous_batches_are_not_modelled_for_old_apps_either(graph, error_of):
    assert error_of(graph.post("/act_1001/async_batch_requests", name="x", adbatch=[])) == (100, 33)


def test_a_token_is_asked_for_before_the_age_of_its_app_matters(graph_as, error_of):
    assert error_of(graph_as(None).get(f"/{AUDIENCE}", date_format="U")) == (104, None)


def test_the_log_keeps_the_names_of_parameters_and_no_values(graph, admin):
    graph.get(f"/{AUDIENCE}", fields="name", date_format="secret")
    last = admin.requests()[-1]
    assert last["params"] == ["date_format", "fields"]
    assert "secret" not in json.dumps(last)
