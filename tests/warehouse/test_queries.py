"""Saved SQL before the server: what Postgres reads is accepted, what it refuses has its place, what may act is held back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from audiences.campaign.checks.query import read_query
from audiences.warehouse.catalog.reflect import Glance
from audiences.warehouse.queries import NotJudgedError, mistake_in

pytestmark = pytest.mark.integration
TABLES = """
create table users (
    id bigint, email text, data jsonb, tags text[], at timestamptz, d date, ip inet, amount numeric, "größe" int
);
create table events (user_id bigint, name text, amount numeric, at timestamptz, data jsonb);
create table one (user_id bigint);
create schema app;
create function gefühl(bigint) returns bigint language sql stable as 'select $1';
create function app.plus_one(bigint) returns bigint language sql immutable as 'select $1 + 1';
create function app.act(bigint) returns bigint language sql volatile as 'select $1';
create function http_get(text) returns text language sql volatile as 'select $1';
create function "Act now"(bigint) returns bigint language sql as 'select $1';
create function of_row(users) returns bigint language sql as 'select 1';
create operator === (leftarg = bigint, rightarg = bigint, function = int8eq);
create function acting(bigint, bigint) returns boolean language sql as 'select true';
create operator <=!> (leftarg = bigint, rightarg = bigint, function = acting);
create type fraction as (a bigint, b bigint);
create function same_fraction(fraction, fraction) returns boolean language plpgsql as 'begin return true; end';
create function like_fraction(fraction, text) returns boolean language plpgsql as 'begin return true; end';
create function of_fraction(fraction) returns bigint language plpgsql as 'begin return 1; end';
create operator = (leftarg = fraction, rightarg = fraction, function = same_fraction);
create operator <> (leftarg = fraction, rightarg = fraction, function = same_fraction);
create operator <= (leftarg = fraction, rightarg = fraction, function = same_fraction);
create operator >= (leftarg = fraction, rightarg = fraction, function = same_fraction);
create operator ~~ (leftarg = fraction, rightarg = text, function = like_fraction);
create cast (fraction as bigint) with function of_fraction(fraction);
create function lower(fraction) returns text language plpgsql as 'begin return 1; end';
create table fractions (user_id bigint, r fraction, s fraction);
create function of_any(anyelement) returns bigint language plpgsql as 'begin return 1; end';
create function of_record(record) returns bigint language plpgsql as 'begin return 1; end';
create function of_more(users, int default 1) returns bigint language plpgsql as 'begin return 1; end';
create function of_several(variadic users[]) returns bigint language plpgsql as 'begin return 1; end';
create function of_number(bigint) returns bigint language plpgsql as 'begin return 1; end';
create function "o😀f"(bigint) returns bigint language plpgsql as 'begin return 1; end';
create function added(bigint, bigint) returns bigint language plpgsql as 'begin return 1; end';
create aggregate added_up(bigint) (sfunc = added, stype = bigint, initcond = '0');
"""


@pytest.fixture(scope="module")
def glance(databases):
    with databases.warehouse() as connection:
        with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
            database.execute(TABLES)
        with Glance(connection) as glance:
            yield glance


def of(name):
    return [line for line in (Path(__file__).parent / name).read_text().splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize("query", of("valid_queries.sql"))
def test_what_postgres_reads_is_accepted_as_it_is_written(glance, query):
    read = read_query(query)
    assert (read.mistake, read.sql) == ("", f"{query}\n")
    assert mistake_in(read.sql, glance) is None


@pytest.mark.parametrize("end", [";", " ;;", "; -- done", "\n;\n/* ; */"])
def test_a_semicolon_in_a_text_is_none_at_the_end(glance, end):
    read = read_query(f"select id as user_id from users where email = ';'{end}")
    assert read.sql == "select id as user_id from users where email = ';'\n"
    assert mistake_in(read.sql, glance) is None


@pytest.mark.parametrize(
    ("query", "place", "said"),
    [
        ("select id as user_id from user", (1, 8), "there is no such column: `id`"),
        ("select id as user_id\nfrom users\nwhere and x", (3, 7), "the SQL is not understood, at `and`"),
        ("select id as user_id from users where", (1, 38), "at its end"),
        ("select id as user_id\nfrom users where größe = emial", (2, 26), "there is no such column: `emial`"),
        ("select id as user_id from users where größe = 'x'", (1, 47), "cannot be read as its declared type"),
        ("select id as user_id from users where nothing(id)", (1, 39), "no function or operator takes these types"),
        ("select top 5 user_id from one", (1, 12), "at `5`"),
        ('select user_id from one where user_id = "x"', (1, 41), '`"x"`'),
        ("select user_id from `one`", (1, 21), "not understood"),
        ("select user_id from events, one", (1, 8), "fits more than one relation"),
        ("select *, 1 as user_id from users", (0, 0), "exactly one column, `user_id`; found 10: `id`, `email`"),
        ("select user_id, 1 from events", (0, 0), "found 2: `user_id`, `?column?`"),
        ("select user_id as id from events", (0, 0), "must call its column `user_id`; found `id`"),
        ("table users -- user_id", (0, 0), "exactly one column"),
        ("select user_id from pg_catalog.pg_authid, app.missing", (1, 43), "no such table or view: `app.missing`"),
    ],
)
def test_what_postgres_refuses_is_told_at_its_place(glance, query, place, said):
    read = read_query(query)
    assert not read.mistake
    mistake = mistake_in(read.sql, glance)
    assert (mistake.line, mistake.column) == place
    assert said in mistake.what


@pytest.mark.parametrize(
    "call",
    [
        "pg_sleep(10)",
        "pg_catalog.pg_sleep(10)",
        '"pg_sleep"(10)',
        "PG_SLEEP (10)",
        "pg_catalog /* here */ . pg_sleep(10)",
        'U&"pg\\005fsleep"(10)',
        "U&\"pg!005fsleep\" uescape '!' (10)",
        "pg_terminate_backend(1)",
        "pg_read_file('/etc/passwd')",
        "pg_ls_dir('/')",
        "pg_advisory_lock(1)",
        "pg_notify('a', 'b')",
        "lo_import('/etc/passwd')",
        "lo_export(1, '/tmp/x')",
        "nextval('s')",
        "setval('s', 1)",
        "set_config('a', 'b', false)",
        "query_to_xml('delete from y', true, true, '')",
        "ts_stat('select 1')",
        "http_get('https://example.com')",
        "app.act(1)",
        '"Act now"(1)',
        "(u).of_row",
        "u.of_row",
        "1::bigint <=!> 2",
        "1::bigint operator(public.<=!>) 2",
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        "select id as user_id from users u where ({}) is not null",
        "select id as user_id from users u, lateral (select {}) as x",
        "with a as (select {} as b from users u) select user_id from one join a on true",
    ],
)
def test_functions_that_may_act_are_refused_wherever_they_stand(glance, query, call):
    read = read_query(query.format(call))
    assert not read.mistake
    mistake = mistake_in(read.sql, glance)
    assert "VOLATILE" in mistake.what
    assert mistake.line == 1


@pytest.mark.parametrize(
    "value",
    ["u.of_any", "(u.id).of_any", "u.of_record", "u.of_more", "u.of_several", "(u.id).of_number", "added_up(u.id)"],
)
def test_a_function_may_stand_like_a_column_of_anything(glance, value):
    assert "VOLATILE" in mistake_in(f"select {value} as user_id from users u\n", glance).what


@pytest.mark.parametrize(
    "condition",
    [
        "r = s",
        "r != s",
        "r in (s)",
        "r not in (s)",
        "r = any (array[s])",
        "r between s and s",
        "r is distinct from s",
        "nullif(r, s) is null",
        "case r when s then true end",
        "r like 'x'",
        "r::bigint = 1",
        "cast(r as bigint) = 1",
        "lower(r) = 'x'",
        "exists (select from fractions a natural join (select r from fractions) b)",
        "exists (select from fractions a join fractions b using (r))",
    ],
)
def test_operators_and_casts_of_a_type_of_ones_own_may_act_without_being_named(glance, condition):
    assert "VOLATILE" in mistake_in(f"select user_id from fractions where {condition}\n", glance).what


@pytest.mark.parametrize(
    "query",
    [
        "select user_id from one where user_id = 1 and user_id <= 2 and user_id <> 3",
        "select id as user_id from users where lower(email) = 'x' and email like 'a%'",
        "with of_number (user_id) as (select 1) select user_id from of_number",
        "select of_number.user_id from one as of_number (user_id)",
        "select x.of_any as user_id from (select 1 as of_any) as x",
        'select x.id as user_id from users as U&"\\D83D\\DE00" (id), users as x',
    ],
)
def test_what_only_shares_its_name_with_a_volatile_function_is_accepted(glance, query):
    read = read_query(query)
    assert not read.mistake
    assert mistake_in(read.sql, glance) is None


def test_two_escapes_in_a_name_may_be_one_character(glance):
    mistake = mistake_in('select U&"o\\D83D\\DE00f"(id) as user_id from users\n', glance)
    assert mistake.what.startswith("calls `o😀f`, which is VOLATILE")


def test_without_the_servers_own_reading_the_name_counts(glance, monkeypatch):
    monkeypatch.setattr(Glance, "parsed", lambda *_: "")
    assert "VOLATILE" in mistake_in("select user_id from one where user_id = 1\n", glance).what
    assert "VOLATILE" in mistake_in("select of_number(user_id) as user_id from one\n", glance).what
    assert mistake_in("select user_id from one where user_id < 1\n", glance) is None


def test_whoever_owns_a_function_can_say_that_it_only_reads(glance):
    said = mistake_in("select app.act(id) as user_id from users\n", glance)
    assert (said.line, said.column) == (1, 12)
    assert said.what.endswith("or, if it only reads, declare it so: ALTER FUNCTION app.act(bigint) STABLE")
    assert "ALTER" not in mistake_in("select pg_sleep(1)::text as user_id\n", glance).what


@pytest.mark.parametrize("call", ["random()", "gen_random_uuid()", "clock_timestamp()", "pg_catalog.random(1, 3)"])
def test_what_only_gives_another_value_each_time_is_let_through(glance, call):
    assert mistake_in(f"select id as user_id from users where {call} is not null\n", glance) is None


def test_nothing_of_a_query_is_carried_out_to_judge_it(glance):
    assert mistake_in("select 1 / (id - id) as user_id from users\n", glance) is None
    assert (
        mistake_in("with a as materialized (select 1 / count(*) as user_id from one) select user_id from a\n", glance)
        is None
    )


def test_a_missing_right_is_told_before_the_run(databases):
    with databases.warehouse() as connection:
        with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
            database.execute("drop role if exists may_not_read; create role may_not_read login")
            database.execute("create table one (user_id bigint)")
        with Glance(replace(connection, login="may_not_read")) as glance:
            mistake = mistake_in("select user_id from one\n", glance)
        with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
            database.execute("drop role may_not_read")
    assert "the login lacks the right to read: `one`" in mistake.what


def test_a_server_that_does_not_come_to_an_answer_refuses_nothing(databases):
    with databases.warehouse() as connection, psycopg.connect(connection.dsn(application="test")) as database:
        database.execute("create table one (user_id bigint)")
        database.commit()
        database.execute("lock table one in access exclusive mode")
        with Glance(connection, timeout="100ms") as glance, pytest.raises(NotJudgedError, match="took"):
            mistake_in("select user_id from one\n", glance)
        database.rollback()
