"""A users' relation with several rows for one key stops a run before anybody is counted or sent twice."""

from __future__ import annotations

import pytest

from audiences.pipeline.steps.ensure_unique import RepeatedUserError

pytestmark = pytest.mark.integration


def view(shop, query: str):
    shop.user(1, "one@example.com")
    shop.user(2, "two@example.com")
    shop.event(1)
    shop.event(2)
    shop.sql(f"create view everyone as {query}")
    spec = shop.campaign()
    users = spec.catalog.users.model_copy(update={"relation": "everyone"})
    return spec.model_copy(update={"catalog": spec.catalog.model_copy(update={"users": users})})


def test_two_rows_of_one_user_stop_the_run_and_the_preview(shop):
    spec = view(shop, "select * from users union all select id, 'b' || email, phone, tier, age, opted_out from users")
    summary = shop.run(spec)
    assert summary.state == "failed"
    assert summary.error.startswith("`everyone` has several rows with one `id`, for 2 of the users who qualify.")
    assert shop.uploads() == []
    with pytest.raises(RepeatedUserError):
        shop.preview(spec)


def test_a_user_who_is_in_a_table_and_in_one_that_inherits_from_it_stops_the_run(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.sql("create table users_of_old () inherits (users); insert into users_of_old select * from users")
    summary = shop.run(shop.campaign())
    assert summary.error.startswith("`users` has several rows with one `id`, for 1 of the users who qualify.")
    assert shop.uploads() == []


def test_tables_that_inherit_are_as_good_as_one(shop):
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    shop.sql(
        "create table users_of_old () inherits (users); with moved as (delete from only users where id = 2 returning *)"
        " insert into users_of_old select * from moved"
    )
    assert shop.run(shop.campaign()).outcomes["added"] == 2


def test_a_view_with_one_row_per_user_is_as_good_as_a_table(shop):
    assert shop.run(view(shop, "select * from users")).outcomes["added"] == 2
