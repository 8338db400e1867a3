"""The login of the warehouse is to have no right that a saved query could use for more than reading."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.spec import SavedSegment
from audiences.checklist import State
from audiences.warehouse.catalog.check_login import check_login
from audiences.warehouse.catalog.check_segments import check_segments
from audiences.warehouse.catalog.reflect import Glance

pytestmark = pytest.mark.integration
TABLES = """
drop role if exists reader; create role reader login;
create table users (id bigint primary key, email text); insert into users values (1), (2);
grant select on users to reader;
"""


@pytest.fixture
def warehouse(databases):
    with databases.warehouse() as connection:
        with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
            database.execute(TABLES)
        yield connection
        with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
            database.execute("drop owned by reader; drop role reader")


def said(warehouse, *grants, login="reader"):
    with psycopg.connect(warehouse.dsn(application="test"), autocommit=True) as database:
        for grant in grants:
            database.execute(grant)
    with Glance(replace(warehouse, login=login)) as glance:
        return [(line.state, line.found) for line in check_login(glance)]


def test_a_login_that_only_reads_is_right(warehouse):
    assert said(warehouse) == [(State.OK, "may read, and nothing else that was looked for")]


def test_a_superuser_may_do_anything(warehouse):
    ((state, found),) = said(warehouse, login="postgres")
    assert (state, "superuser" in found) == (State.WARN, True)


@pytest.mark.parametrize(
    ("grants", "found"),
    [
        (["grant pg_read_server_files to reader"], "is a member of `pg_read_server_files`"),
        (["grant create on schema public to reader"], "may CREATE in `schema public`"),
        (["grant insert on users to reader"], "may write to `public.users`"),
        (
            ["create function act(int) returns int language sql volatile as 'select $1'"],
            "may call functions that may act, `act(integer)`",
        ),
        (["create function looks(int) returns int language sql stable as 'select $1'"], None),
    ],
)
def test_each_right_too_many_is_named(warehouse, grants, found):
    lines = said(warehouse, *grants)
    assert lines == [(State.WARN, found)] if found else lines[0][0] is State.OK


def test_saved_segments_are_held_against_the_warehouse(warehouse):
    catalog = Catalog.model_validate({"users": {"relation": "users", "key": "id", "email": "email"}})
    segments = {
        "a.sql": SavedSegment(sql="select id as user_id from users\n"),
        "b.sql": SavedSegment(sql="select id as user_id\nfrom user where and\n"),
        "c.csv": SavedSegment(users=("01", "2.0")),
        "d.csv": SavedSegment(users=("1", "9")),
        "e.csv": SavedSegment(users=("A1",)),
    }
    with Glance(warehouse) as glance:
        lines = list(check_segments(segments, catalog, glance))
    assert [(line.name, line.state.value) for line in lines] == [
        ("a.sql", "ok"), ("b.sql", "fail"), ("c.csv", "ok"), ("d.csv", "warn"), ("e.csv", "fail"),
    ]  # fmt: skip
    assert lines[1].remedy.startswith("b.sql:2:17")
    assert lines[3].found.startswith("1 of the 2 ids in d.csv is no user's: `9`")
