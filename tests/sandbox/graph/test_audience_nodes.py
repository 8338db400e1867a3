"""Audiences and their account: create, list, read, update, delete, statuses."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration

FULL = {"name": "Buyers", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}


def test_the_account_tells_its_name_business_and_terms(graph):
    answer = graph.get("/act_1001", fields="name,business,tos_accepted,account_status").json()
    assert answer["name"] == "Sandbox shop"
    assert answer["business"]["name"] == "Sandbox business"
    assert answer["tos_accepted"]["custom_audience_tos"] == 1
    assert answer["id"] == "act_1001"


def test_an_unaccepted_account_lacks_the_terms(graph, admin):
    admin.settings(accounts={"act_1001": {"tos_accepted": False}})
    assert "custom_audience_tos" not in graph.get("/act_1001", fields="tos_accepted").json()["tos_accepted"]


def test_create_answers_with_a_numeric_id(graph):
    answer = graph.post("/act_1001/customaudiences", **FULL, description="Paid once").json()
    assert answer["id"].isdecimal()
    assert graph.get(f"/{answer['id']}", fields="name,description").json() == {
        "name": "Buyers",
        "description": "Paid once",
        "id": answer["id"],
    }


@pytest.mark.parametrize("missing", ["name", "subtype", "customer_file_source"])
def test_create_needs_name_subtype_and_source(graph, error_of, missing):
    body = {key: value for key, value in FULL.items() if key != missing}
    assert error_of(graph.post("/act_1001/customaudiences", **body)) == (100, None)


@pytest.mark.parametrize("wrong", [{"subtype": "SHOES"}, {"customer_file_source": "STOLEN"}])
def test_create_takes_known_values_only(graph, error_of, wrong):
    assert error_of(graph.post("/act_1001/customaudiences", **FULL | wrong)) == (100, None)


def test_two_audiences_may_have_one_name(graph):
    assert graph.create("Twin") != graph.create("Twin")


def test_the_audience_above_the_accounts_limit_is_refused(graph, admin, error_of):
    admin.settings(accounts={"act_1001": {"audience_limit": 2}})
    graph.create()
    assert error_of(graph.post("/act_1001/customaudiences", **FULL)) == (2654, None)


@pytest.mark.parametrize(
    ("account", "numbers"),
    [
        ({"tos_accepted": False}, (200, 1870034)),
        ({"tos_accepted": False, "tos_error": "tos_business"}, (200, 1870090)),
        ({"tos_accepted": False, "tos_error": "tos_2663"}, (2663, None)),
        ({"in_business": False}, (200, 1870050)),
    ],
)
def test_without_terms_or_business_nothing_is_created_or_uploaded(graph, admin, rows, error_of, account, numbers):
    audience = graph.create()
    admin.settings(accounts={"act_1001": account})
    assert error_of(graph.post("/act_1001/customaudiences", **FULL)) == numbers
    assert error_of(graph.upload(audience, rows(1))) == numbers
    assert error_of(graph.upload(audience, rows(1), method="DELETE")) == numbers


def test_a_new_audience_can_be_unknown_for_a_while(graph, admin, rows, error_of):
    admin.settings(create_lag_seconds=5)
    audience = graph.create()
    assert error_of(graph.upload(audience, rows(1))) == (803, None)
    admin.advance(6)
    assert graph.upload(audience, rows(1)).ok


def test_reading_without_fields_gives_the_id_only(graph):
    audience = graph.create()
    assert graph.get(f"/{audience}").json() == {"id": audience}


def test_an_unknown_field_is_an_error(graph, error_of):
    answer = graph.get(f"/{graph.create()}", fields="name,shoe_size")
    assert error_of(answer) == (100, None)
    assert answer.json()["error"]["message"] == (
        "(#100) Tried accessing nonexisting field (shoe_size) on node type (CustomAudience)"
    )


def test_the_status_goes_from_empty_over_populating_to_normal(graph, admin, rows):
    admin.settings(processing_seconds=3600)
    audience = graph.create()
    fields = "operation_status,delivery_status,approximate_count_lower_bound,approximate_count_upper_bound"

    def look():
        answer = graph.get(f"/{audience}", fields=fields).json()
        return (
            answer["operation_status"]["code"],
            answer["delivery_status"]["code"],
            answer["approximate_count_lower_bound"],
        )

    assert look() == (410, 300, -1)
    graph.upload(audience, rows(200))
    assert look() == (441, 200, -1)
    admin.advance(3601)
    assert look() == (200, 200, 196)


def test_an_audience_below_a_hundred_matched_people_does_not_deliver(graph, admin, rows):
    audience = graph.create()
    graph.upload(audience, rows(120))
    assert graph.get(f"/{audience}", fields="delivery_status").json()["delivery_status"]["code"] == 200
    admin.settings(match_rate=0.5)
    assert graph.get(f"/{audience}", fields="delivery_status").json()["delivery_status"]["code"] == 300


def test_lists_come_in_pages_with_cursors(graph):
    made = [graph.create(f"Number {n}") for n in range(6)]
    first = graph.get("/act_1001/customaudiences", fields="name", limit=4, summary="true").json()
    assert len(first["data"]) == 4
    assert first["summary"]["total_count"] == 7
    second = graph.get(
        "/act_1001/customaudiences", fields="name", limit=4, after=first["paging"]["cursors"]["after"]
    ).json()
    assert "next" not in second["paging"]
    assert [one["id"] for one in first["data"] + second["data"]][1:] == made
    assert graph.session.get(first["paging"]["next"], timeout=20).json()["data"] == second["data"]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 5001}, {"limit": "many"}, {"after": "é!"}, {"filtering": "{}"}]
)
def test_a_wrong_page_is_an_error_100(graph, error_of, query):
    assert error_of(graph.get("/act_1001/customaudiences", **query)) == (100, None)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"field": "name", "operator": "EQUAL", "value": "Carts"}, ["Carts"]),
        ({"field": "name", "operator": "CONTAIN", "value": "art"}, ["Carts", "Parts"]),
        ({"field": "name", "operator": "STARTS_WITH", "value": "P"}, ["Parts"]),
        ({"field": "name", "operator": "IN", "value": ["Carts", "x"]}, ["Carts"]),
        ({"field": "operation_status.code", "operator": "IN", "value": [471]}, ["Parts"]),
        ({"field": "delete_time", "operator": "GREATER_THAN", "value": 0}, []),
    ],
)
def test_lists_can_be_filtered(graph, admin, condition, names):
    graph.create("Carts")
    admin.put_audience(id=graph.create("Parts"), operation_status=471)
    answer = graph.call(
        "GET", "/act_1001/customaudiences", params={"fields": "name", "filtering": f"[{condition}]".replace("'", '"')}
    )
    assert [one["name"] for one in answer.json()["data"]] == names


def test_name_and_description_can_be_changed(graph):
    audience = graph.create()
    assert graph.post(f"/{audience}", name="Better", description="Now with words").json() == {"success": True}
    assert graph.get(f"/{audience}", fields="name").json()["name"] == "Better"


def test_a_deleted_audience_is_gone(graph, admin, rows, error_of):
    audience = graph.create()
    graph.upload(audience, rows(5))
    assert graph.call("DELETE", f"/{audience}").json() == {"success": True}
    assert error_of(graph.get(f"/{audience}")) == (100, 33)
    assert error_of(graph.upload(audience, rows(1))) == (100, 1487366)
    state = admin.state()
    assert state["deleted_audiences"] == [audience]
    assert audience not in [one["id"] for one in state["audiences"]]


def test_an_audience_with_lookalikes_cannot_be_deleted(graph, error_of):
    seed = graph.create()
    spec = '{"ratio": 0.01, "country": "DE"}'
    lookalike = graph.post(
        "/act_1001/customaudiences", name="Like them", subtype="LOOKALIKE", origin_audience_id=seed, lookalike_spec=spec
    ).json()["id"]
    assert graph.get(f"/{seed}", fields="lookalike_audience_ids").json()["lookalike_audience_ids"] == [lookalike]
    assert error_of(graph.call("DELETE", f"/{seed}")) == (2656, None)
    assert graph.call("DELETE", f"/{lookalike}").ok
    assert graph.call("DELETE", f"/{seed}").ok
