"""How the user of an event becomes the text of the users' key, by the types of the two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from audiences.campaign.catalog import Catalog
from audiences.query.event_users import EventUsers, event_users, having_keys
from audiences.query.render import render
from audiences.query.sources import events_table

if TYPE_CHECKING:
    from tests.who.conftest import Shop

pytestmark = pytest.mark.integration
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def a_catalog(shop: Shop) -> Catalog:
    return Catalog.model_validate(shop.catalog)


def known(shop: Shop, of_users: str, of_events: str) -> EventUsers:
    for table, column, kind in (("users", "id", of_users), ("events", "user_id", of_events)):
        shop.execute(f"DROP TABLE IF EXISTS {table}")
        shop.execute(f"CREATE TEMP TABLE {table} ({column} {kind})")
    ((alike, looked_up, of_text),) = shop.connection.execute(render(event_users(a_catalog(shop))).encode()).fetchall()
    return EventUsers(alike, looked_up, of_text)


@pytest.mark.parametrize(
    ("of_users", "user", "of_events", "written"),
    [
        ("bigint", "7", "bigint", "7"),
        ("bigint", "7", "integer", "7"),
        ("bigint", "7", "numeric(12, 2)", "7.00"),
        ("bigint", "7", "text", " 7"),
        ("integer", "7", "double precision", "7"),
        ("bigint", "1000000000000000", "double precision", "1e15"),
        ("numeric(12, 2)", "7.00", "bigint", "7"),
        ("numeric", "7.0", "numeric", "7.00"),
        ("double precision", "7.5", "numeric(12, 2)", "7.50"),
        ("uuid", UUID, "uuid", UUID.upper()),
        ("uuid", UUID, "text", UUID.upper()),
        ("text", "007", "text", "007"),
        ("text", "ab", "char(4)", "ab"),
        ("char(4)", "ab", "text", "ab  "),
    ],
)
def test_it_is_the_text_of_the_key_that_postgres_takes_for_the_same(shop, of_users, user, of_events, written):
    users = known(shop, of_users, of_events)
    shop.execute(f"INSERT INTO users VALUES ('{user}')")
    shop.execute(f"INSERT INTO events VALUES ('{written}')")
    table = events_table(a_catalog(shop).events)
    query = render(sa.select(users.user_id(a_catalog(shop), table)).select_from(table))
    assert shop.connection.execute(query.encode()).fetchall() == [(user,)]


@pytest.mark.parametrize(
    ("of_users", "of_events", "expected"),
    [
        ("bigint", "bigint", EventUsers(alike=True, looked_up=False, of_text=False)),
        ("text", "varchar", EventUsers(alike=True, looked_up=False, of_text=True)),
        ("uuid", "uuid", EventUsers(alike=True, looked_up=False, of_text=False)),
        ("bigint", "numeric", EventUsers(alike=False, looked_up=False, of_text=False)),
        ("numeric", "numeric", EventUsers(alike=False, looked_up=True, of_text=False)),
        ("numeric", "text", EventUsers(alike=False, looked_up=False, of_text=False)),
    ],
)
def test_the_users_are_asked_only_where_nothing_else_tells(shop, of_users, of_events, expected):
    assert known(shop, of_users, of_events) == expected


def test_a_user_whom_nobody_knows_keeps_the_text_of_the_event(shop):
    users = known(shop, "numeric", "numeric")
    shop.execute("INSERT INTO events VALUES ('8.50')")
    table = events_table(a_catalog(shop).events)
    query = render(sa.select(users.user_id(a_catalog(shop), table)).select_from(table))
    assert shop.connection.execute(query.encode()).fetchall() == [("8.50",)]


def test_keys_are_found_by_their_texts(shop):
    known(shop, "text", "text")
    for key in ("jane@example.com", 'a "b", {c}\\'):
        shop.execute(f"INSERT INTO users VALUES ('{key}')")
    query = render(having_keys(a_catalog(shop), ["jane@example.com", 'a "b", {c}\\', "joe@example.com"]))
    assert {key for (key,) in shop.connection.execute(query.encode()).fetchall()} == {
        "jane@example.com",
        'a "b", {c}\\',
    }
