"""Schemas, tables and columns may be called whatever Postgres allows in quotes, every word of its language among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from tests.query.test_events import AT
from tests.who.conftest import a_spec

from audiences.query.keywords import KEYWORDS
from audiences.query.render import quoted, render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
ODD = ("Order", "two words", 'a "b"', "ünï", "1st", "x'y", "a-b", "$1", "percent%", "tab\tbed", "İ", "a$b", "_", "ﬁ")


@pytest.fixture(scope="module")
def connection(who_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(who_database) as connection:
        yield connection
        connection.rollback()


def words_of(connection: psycopg.Connection[Any], kinds: str) -> list[str]:
    found = connection.execute("select word from pg_get_keywords() where catcode::text = any(%s)", [list(kinds)])
    return [word for (word,) in found.fetchall()]


def catalog(name: str) -> dict[str, Any]:
    doubled = name.replace('"', '""')
    relation = f'"{doubled}"."{doubled}"'
    mapped = {"it": {"column": name, "type": "string"}}
    events = {"id": name, "user": name, "name": name, "occurred_at": "the time", "properties": mapped}
    return {
        "users": {"relation": relation, "key": name, "email": name, "properties": mapped},
        "events": {"relation": relation, **events},
    }


def test_the_list_of_keywords_is_the_servers(connection: psycopg.Connection[Any]) -> None:
    assert set(words_of(connection, "RTC")) - KEYWORDS == set()


def test_a_word_of_the_language_names_schema_table_and_column(connection: psycopg.Connection[Any]) -> None:
    for word in (*words_of(connection, "RTC"), *ODD):
        name = sql.Identifier(word)
        made = sql.SQL(
            "CREATE SCHEMA {0}; CREATE TABLE {0}.{0} ({0} text, {1} timestamptz); INSERT INTO {0}.{0} VALUES ('x', {2})"
        )
        connection.execute(made.format(name, sql.Identifier("the time"), sql.Literal(AT)))
        who = {"did": {"event": "x", "where": {"it": "x"}}, "with_properties": {"it": "x"}}
        query = render(qualified(a_spec(who, catalog=catalog(word)), AT))
        assert connection.execute(query.encode()).fetchall() == [("x", False, "x", "x")], word


def test_the_sql_for_people_can_be_run(connection: psycopg.Connection[Any]) -> None:
    for word in (*words_of(connection, "RTCU"), *ODD):
        connection.execute(f"CREATE TEMP TABLE {quoted(word)} ({quoted(word)} int); DROP TABLE {quoted(word)}".encode())
