"""Ids of lists that no user has are told, and a list that names nobody stops a run before anything is sent."""

from __future__ import annotations

import pytest

from audiences.errors import StoppedError

pytestmark = pytest.mark.integration
LAST = "they are compared with `users.key`, `id`"


def campaign(shop, *ids):
    for user in (1, 2, 3):
        shop.user(user, f"user{user}@example.com")
        shop.event(user)
    who = {"did": {"event": "Added To Cart"}, "exclude_segment": "staff"}
    return shop.campaign(who=who, segments={"staff": {"users": list(ids)}})


def test_a_preview_and_a_run_say_how_many_ids_are_nobodys(shop):
    spec = campaign(shop, "01", "2.0", "9", "Customer ID")
    said = f"2 of the 4 ids in the list of segment `staff` are no user's: `9`, `Customer ID`; {LAST}"
    assert said in shop.preview(spec).warnings
    summary = shop.run(spec)
    assert summary.outcomes["targeted"] == 1
    assert shop.sql("select warnings from audiences.run", on="ledger") == [([said],)]


def test_a_list_that_names_nobody_stops_a_run_before_anything_is_sent(shop):
    spec = campaign(shop, "A1", "A2", "A3", "A4")
    said = f"none of the 4 ids in the list of segment `staff` is a user's: `A1`, `A2`, `A3`, …; {LAST}"
    assert said in shop.preview(spec).stopped
    with pytest.raises(StoppedError, match="--allow unknown_ids"):
        shop.run(spec)
    assert not [each for each in shop.sandbox.admin.requests() if each["method"] == "POST"]
    allowed = shop.run(spec, allow=frozenset({"unknown_ids"}))
    assert allowed.outcomes["targeted"] == 3


def test_nothing_is_said_of_a_list_whose_ids_are_all_users(shop):
    spec = campaign(shop, "1", "2")
    assert shop.preview(spec).warnings == ()
    assert shop.run(spec).outcomes["targeted"] == 1
