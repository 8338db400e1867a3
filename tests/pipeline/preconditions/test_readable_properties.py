"""A column that cannot be cast at all to its declared type is named, with the remedy, before anything is made at Facebook."""

from __future__ import annotations

import pytest
from tests.pipeline.conftest import CATALOG

from audiences.pipeline.preconditions.readable_properties import UnreadablePropertyError

pytestmark = pytest.mark.integration
WHO = {"did": {"event": "Added To Cart"}}


@pytest.fixture
def stocked(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.sql(
        "alter table users add cash money, add birth interval, add profile jsonb, add numbers int[], add flag boolean; "
        "alter table events add cost money, add payload jsonb"
    )
    return shop


def of_users(shop, source, **given):
    catalog = {**CATALOG, "users": {**CATALOG["users"], "properties": {"it": source}, **given.pop("users", {})}}
    return shop.campaign(who={**WHO, "with_properties": {"it": {"is_set": True}}}, catalog=catalog, **given)


def of_events(shop, did):
    properties = {"cost": {"column": "cost", "type": "number"}, "at": {"column": "payload", "type": "datetime"}}
    catalog = {**CATALOG, "events": {**CATALOG["events"], "properties": properties}}
    return shop.campaign(who={"did": {**WHO["did"], **did}}, catalog=catalog)


@pytest.mark.parametrize(
    ("source", "said", "remedy"),
    [
        ({"column": "cash", "type": "number"}, "`cash` money, read as number", "cash::numeric"),
        ({"column": "birth", "type": "date"}, "`birth` interval, read as date", "extract(epoch from birth)"),
        ({"column": "profile", "type": "datetime"}, "`profile` jsonb, read as datetime", "{jsonb: profile, path: […]}"),
        ({"column": "numbers", "type": "number"}, "`numbers` integer[], read as number", "Change the type here"),
        ({"column": "flag", "type": "integer"}, "`flag` boolean, read as integer", "Change the type here"),
        ({"column": "gone", "type": "integer"}, "`users` has no column `gone`", "Name one of its columns"),
    ],
)
def test_a_property_of_users_is_named_and_nothing_is_made(stocked, source, said, remedy):
    spec = of_users(stocked, source)
    for attempt in (stocked.run, stocked.preview):
        with pytest.raises(UnreadablePropertyError) as raised:
            attempt(spec)
        assert raised.value.place == "users.properties.it"
        assert said in str(raised.value)
        assert remedy in str(raised.value)
    assert [each for each in stocked.sandbox.admin.requests() if each["method"] != "GET"] == []


def test_a_property_of_events_is_named(stocked):
    with pytest.raises(UnreadablePropertyError, match=r"`events.properties.at` .*`payload` jsonb, read as datetime"):
        stocked.run(of_events(stocked, {"where": {"at": {"is_set": True}}}))
    with pytest.raises(UnreadablePropertyError, match=r"`events.properties.cost` .*`cost` money, read as number"):
        stocked.run(of_events(stocked, {"where": {"cost": {"at_least": 1}}}))


def test_money_can_be_added_up(stocked):
    stocked.sql("update events set cost = 5")
    assert stocked.run(of_events(stocked, {"sum": {"of": "cost", "at_least": 5}})).outcomes["added"] == 1
    did = {"sum": {"of": "cost", "at_least": 5}, "where": {"at": {"is_set": True}}}
    with pytest.raises(UnreadablePropertyError) as raised:
        stocked.run(of_events(stocked, did))
    assert raised.value.place == "events.properties.at"


def test_what_the_campaign_does_not_use_is_not_asked(stocked):
    spec = of_users(stocked, {"column": "cash", "type": "number"})
    assert stocked.run(spec.model_copy(update={"campaign": stocked.campaign().campaign})).state == "success"
