"""Which values there are: few rows are read, nothing is told that could say something about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.yaml_reader import parse
from audiences.warehouse.catalog.check import check_catalog
from audiences.warehouse.catalog.record import NotWritableError, record, unrecorded
from audiences.warehouse.catalog.reflect import Glance
from audiences.warehouse.catalog.seen import SAMPLE, SeenValues, event_names, event_values, user_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.connections import Connection

pytestmark = pytest.mark.integration
TABLES = """
CREATE TABLE people (id bigint PRIMARY KEY, email text, phone text, first_name text, gender text, region text, note text,
    tags text[], profile jsonb);
INSERT INTO people SELECT n, n || '@example.com', '+1415555' || n, CASE n % 3 WHEN 0 THEN 'Ann' ELSE 'Bob' END,
    CASE n % 3 WHEN 0 THEN 'Male' ELSE 'Female' END, (ARRAY['California', 'Québec'])[1 + n % 2], 'note ' || n,
    (ARRAY['{a}', '{a,b}'])[1 + n % 2]::text[],
    jsonb_build_object('tier', 'Gold', 'mail', 'x@example.com', 'call', '+1 (415) 555-0100', 'rare', n / 39)
FROM generate_series(1, 40) n;
CREATE TABLE deeds (id bigint GENERATED ALWAYS AS IDENTITY, person bigint, name text, at timestamptz, payload jsonb);
INSERT INTO deeds (person, name, at, payload) SELECT n, (ARRAY['purchase', 'view'])[1 + n % 2], now(),
    jsonb_build_object('category', CASE n % 2 WHEN 0 THEN 'shoes' ELSE 'bags' END) FROM generate_series(1, 40) n;
ANALYZE people, deeds;
"""
USERS = {
    "relation": "people",
    "key": "id",
    "email": "email",
    "phone": "phone",
    "first_name": "first_name",
    "gender": "gender",
    "properties": {
        "id": {"column": "id", "type": "string"},
        "email": {"column": "email", "type": "string"},
        "first_name": {"column": "first_name", "type": "string"},
        "gender": {"column": "gender", "type": "string"},
        "region": {"column": "region", "type": "string"},
        "note": {"column": "note", "type": "string"},
        "tags": {"column": "tags", "type": "list"},
        "tier": {"jsonb": "profile", "path": "tier", "type": "string"},
        "mail": {"jsonb": "profile", "path": "mail", "type": "string"},
        "call": {"jsonb": "profile", "path": "call", "type": "string"},
        "rare": {"jsonb": "profile", "path": "rare", "type": "string"},
    },
}
EVENTS = {
    "relation": "deeds",
    "id": "id",
    "user": "person",
    "name": "name",
    "occurred_at": "at",
    "properties": {"category": {"jsonb": "payload", "path": "category", "type": "string"}},
}


@pytest.fixture
def connection(new_database: Callable[[str], Connection]) -> Connection:
    made = new_database("seen")
    run(made, TABLES)
    return made


def run(connection: Connection, query: str) -> None:
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as opened:
        opened.execute(query.encode())


def catalog() -> Catalog:
    return Catalog.model_validate({"users": USERS, "events": EVENTS})


def of_users(connection: Connection, name: str) -> SeenValues | None:
    with Glance(connection) as glance:
        return user_values(catalog(), catalog().users.properties[name], glance.relation("people"), glance)


def names(connection: Connection) -> SeenValues | None:
    with Glance(connection) as glance:
        return event_names(catalog().events, glance.relation("deeds"), glance)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("gender", SeenValues(("Female", "Male"), all=True)),
        ("region", SeenValues(("California", "Québec"), all=True)),
        ("tags", SeenValues(("a", "b"), all=True)),
        ("tier", SeenValues(("Gold",), all=True)),
        ("rare", SeenValues(("0",), all=False)),  # two rows have another one
    ],
)
def test_the_values_of_a_property_are_seen(connection: Connection, name: str, seen: SeenValues) -> None:
    assert of_users(connection, name) == seen


@pytest.mark.parametrize("name", ["id", "email", "first_name", "note", "mail", "call"])
def test_what_could_say_something_about_a_person_is_not_told(connection: Connection, name: str) -> None:
    if name == "note":
        run(connection, "INSERT INTO people (id, note) SELECT n, 'note ' || n FROM generate_series(100, 200) n")
    assert of_users(connection, name) is None


@pytest.mark.parametrize("index", ["", "CREATE INDEX ON deeds (name, at)"])
def test_the_names_of_events_are_seen_with_and_without_an_index(connection: Connection, index: str) -> None:
    run(connection, f"{index}; INSERT INTO deeds (name) VALUES (NULL), ('Zip'), ('x@example.com')")
    assert names(connection) == SeenValues(("Zip", "purchase", "view"), all=False)


def test_names_that_hold_data_are_no_vocabulary(connection: Connection) -> None:
    run(connection, "INSERT INTO deeds (name) SELECT 'view page ' || n FROM generate_series(1, 300) n")
    assert names(connection) is None
    run(connection, "CREATE INDEX ON deeds (name)")
    assert names(connection) is None


def test_of_a_large_table_pages_from_all_over_it_are_read_and_of_an_index_the_names(connection: Connection) -> None:
    run(
        connection,
        "INSERT INTO deeds (person, name, at, payload) SELECT n, 'early', now(), '{}' FROM generate_series(1, 300000) n;"
        """INSERT INTO deeds (person, name, at, payload) SELECT n, 'late', now(), '{"category": "new"}'
        FROM generate_series(1, 30000) n; ANALYZE deeds""",
    )
    assert "late" in names(connection).values
    with Glance(connection) as glance:
        relation = glance.relation("deeds")
        asked: list[Any] = []
        answer = glance.ask
        glance.ask = lambda query: asked.append(answer(query)) or asked[-1]  # type: ignore[method-assign]  # to count rows
        seen = event_values(catalog().events, catalog().events.properties["category"], relation, glance)
    assert "new" in seen.values
    # One in eleven has a category; without a sample it would be 30,000.
    assert SAMPLE / 20 < sum(row.rows for row in asked[0]) < SAMPLE / 5


def test_the_check_names_the_values_and_says_what_a_list_lacks(connection: Connection) -> None:
    given = {
        "users": {
            **USERS,
            "properties": {**USERS["properties"], "tier": {"column": "gender", "type": "string", "values": ["Male"]}},
        },
        "events": {**EVENTS, "names": ["view", "purchase", "gone"]},
    }
    run(connection, "INSERT INTO deeds (name) SELECT 'refund' FROM generate_series(1, 9)")
    with Glance(connection) as glance:
        found = {line.path: line for line in check_catalog(Catalog.model_validate(given), glance)}
    assert found["users", "properties", "gender"].found == "`gender` text: `Female`, `Male`"
    assert found["users", "properties", "email"].found == "`email` text"
    assert (
        found["users", "properties", "tier"].found
        == "`gender` text: holds values that are not under `values`: `Female`"
    )
    assert found["events", "names"].found == "there are other events: `refund`"
    assert found["events", "names", 2].found == "no event is named `gone`"


HAND_WRITTEN = """\
# ours
users:
  relation: people
  key: id
  email: email # the address
  properties:
    gender: {column: gender, type: string} # as they say
    region:
      column: region
      # a comment
      type: string

    tier: {jsonb: profile,
           path: tier, # the level
           type: string,
          }

# the events
events: {relation: deeds, id: id, user: person, name: name, occurred_at: at,
         properties: {category: {jsonb: payload, path: category, type: string}}}
"""


def test_lists_are_written_into_a_file_that_stays_as_it_is_otherwise(connection: Connection) -> None:
    given = Catalog.model_validate(parse(HAND_WRITTEN, "x.yml").data)
    with Glance(connection) as glance:
        lists = list(unrecorded(given, glance))
    text = record(HAND_WRITTEN, lists, file="x.yml")
    read = Catalog.model_validate(parse(text, "x.yml").data)
    assert {name: each.values for name, each in read.users.properties.items()} == {
        "gender": ("Female", "Male"),
        "region": ("California", "Québec"),
        "tier": ("Gold",),
    }
    assert read.events.names == ("purchase", "view")
    assert read.events.properties["category"].values == ("bags", "shoes")
    assert [comment for comment in HAND_WRITTEN.splitlines() if "#" in comment and comment not in text] == [
        "    gender: {column: gender, type: string} # as they say"
    ]
    with Glance(connection) as glance:
        assert list(unrecorded(read, glance)) == []
    assert record(text, [], file="x.yml") == text


def test_a_file_that_cannot_be_written_into_is_left_alone() -> None:
    text = "users:\n  ? a\n  : {b: c}\n"
    with pytest.raises(NotWritableError, match=r"`users.values` could not be put into x.yml.*: values: \[y\]"):
        record(text, [(("users", "values"), ("y",))], file="x.yml")
