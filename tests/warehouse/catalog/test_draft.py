"""The first draft of a catalog: it is right as it stands, finds what names and types tell, and marks what it guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.catalog_and_settings import catalog_findings
from audiences.campaign.yaml_reader import parse
from audiences.checklist import State
from audiences.demo.shop import load_shop
from audiences.warehouse.catalog.check import check_catalog
from audiences.warehouse.catalog.draft import NoSuchRelationError, draft, relation_named
from audiences.warehouse.catalog.reflect import Glance

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.connections import Connection

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(new_database: Callable[[str], Connection]) -> Connection:
    return new_database("draft")


def drafted(connection: Connection, tables: str, users: str, events: str | None = None) -> tuple[str, Catalog]:
    """The text, and what the product reads in it."""
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as opened:
        opened.execute(tables.encode())
    with Glance(connection) as glance:
        text = draft(relation_named(users, glance), relation_named(events, glance) if events else None, glance)
    document = parse(text, "draft.yml")
    assert document.problems == ()
    return text, Catalog.model_validate(document.data)


def test_the_draft_of_the_sample_shop_is_right_and_finds_what_its_catalog_has(connection: Connection) -> None:
    load_shop(connection.dsn(application="test"), as_of=datetime(2026, 11, 23, tzinfo=UTC), users=500, events=5000)
    _, catalog = drafted(connection, "SELECT 1", "shop.users", "shop.events")
    assert list(catalog_findings(catalog)) == []
    users, events = catalog.users, catalog.events
    assert (users.key, users.email.column, users.phone.column) == ("id", "email", "phone")
    assert (users.first_name.column, users.date_of_birth.column, users.gender.column) == (
        "first_name",
        "date_of_birth",
        "gender",
    )
    assert [source.column for source in users.opt_out] == ["opted_out"]
    kinds = {name: (each.type, each.derive, each.group) for name, each in users.properties.items()}
    assert kinds["age"] == ("date", "age", "demographics")
    assert kinds["country"] == ("string", "country", "geography")
    assert kinds["app_version"] == ("version", None, "app")
    assert kinds["unsubscribed_email"] == ("boolean", None, "reachability")
    assert kinds["interests"] == ("list", None, "user")
    assert kinds["os_version"] == ("version", None, "app")
    assert users.properties["os"].jsonb == "device"
    assert not {"email", "phone", "first_name", "last_name", "id", "opted_out"} & set(users.properties)
    assert users.properties["customer_type"].values == ("Bronze", "Gold", "Platinum", "Silver")
    assert users.properties["os"].values == ("Android", "iOS")
    assert users.properties["interests"].values == ("bags", "beauty", "home", "kids", "outdoor", "shoes", "sport")
    assert (events.id, events.user, events.name) == ("id", "user_id", "name")
    assert (events.occurred_at, events.arrived_at) == ("occurred_at", "arrived_at")
    assert events.properties["amount"].type == "number"
    assert events.properties["sku"].path == ("sku",)
    assert events.names == ("Added To Cart", "App Opened", "Charged", "Product Viewed", "Wishlisted")
    assert events.properties["sku"].values is None  # which are too many
    with Glance(connection) as glance:
        assert [line for line in check_catalog(catalog, glance) if line.state is State.FAIL] == []


def test_names_of_any_characters_and_types_of_any_kind(connection: Connection) -> None:
    tables = """
        CREATE TYPE "tier: x" AS ENUM ('yes', 'no', '1', 'O''Neil, #1', 'true');
        CREATE TABLE "Odd: Users" (
            "User #1" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "E-Mail" text, "all" text, "not" int, "ünï: {x}" text,
            tier "tier: x", cash money, place point, raw bytea, spell interval, tags varchar(5)[], list jsonb, doc json,
            "customer_id" text
        );
        INSERT INTO "Odd: Users" (list, doc) VALUES ('["a"]', '{"a.b": 1, " blank ": "x", "all": true, "o": {"day":
            "2026-01-02", "at": "2026-01-02T10:00:00Z", "n": 1.5, "e": {}}, "мир\\" \\\\": ["x"], "mixed": null}');
    """
    text, catalog = drafted(connection, tables, '"Odd: Users"')
    assert list(catalog_findings(catalog)) == []
    properties = catalog.users.properties
    assert catalog.users.key == "User #1"
    assert catalog.users.email.column == "E-Mail"
    assert properties["all_2"].column == "all"
    assert properties["tier"].values == ("yes", "no", "1", "O'Neil, #1", "true")
    assert properties["ünï: {x}"].column == "ünï: {x}"
    assert (properties["list"].jsonb, properties["list"].path, properties["list"].type) == ("list", (), "list")
    assert (properties["a.b"].path, properties["a.b"].type) == (("a.b",), "integer")
    assert properties["blank"].path == (" blank ",)
    assert (properties["day"].path, properties["day"].type) == (("o", "day"), "date")
    assert (properties["at"].type, properties["n"].type) == ("datetime", "number")
    assert properties['мир" \\'].type == "list"
    for name in ("cash: money", "place", "raw: bytea", "spell: interval"):
        assert f"# {name}" in text
    with Glance(connection) as glance:
        found = list(check_catalog(catalog, glance))
    assert [line for line in found if line.state is State.FAIL] == []


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ("id int PRIMARY KEY, buyer int REFERENCES customers, event_type text, ts timestamptz, user_id int",
         ("id", "buyer", "event_type", "ts", None)),
        ("event_id int UNIQUE, customer_id int, event text, created_at timestamp, received_at timestamptz",
         ("event_id", "customer_id", "event", "created_at", "received_at")),
        ("uuid uuid, distinct_id text, type text, name text, day date", ("uuid", "distinct_id", "name", "day", None)),
    ],
)  # fmt: skip
def test_events_are_found_by_key_name_and_type(connection: Connection, events: str, wanted: Any) -> None:
    tables = f"CREATE TABLE customers (customer_id int PRIMARY KEY, mobile text); CREATE TABLE tracks ({events})"
    _, catalog = drafted(connection, tables, "customers", "tracks")
    found = catalog.events
    assert catalog.users.phone.column == "mobile"
    assert (found.id, found.user, found.name, found.occurred_at, found.arrived_at) == wanted


def test_identifiers_inside_of_json_and_hashed_ones(connection: Connection) -> None:
    tables = """
        CREATE TABLE people (id int, email_sha256 text, traits jsonb);
        INSERT INTO people VALUES (1, 'x', '{"phone": "1", "contact": {"first_name": "A"}}');
    """
    text, catalog = drafted(connection, tables, "people")
    assert (catalog.users.email.column, catalog.users.email.pre_hashed) == ("email_sha256", True)
    assert (catalog.users.phone.jsonb, catalog.users.phone.path) == ("traits", ("phone",))
    assert catalog.users.first_name.path == ("contact", "first_name")
    assert "key: id # a guess" in text


def test_a_table_without_anything_to_recognise_people_by_says_so(connection: Connection) -> None:
    text, catalog = drafted(connection, "CREATE TABLE people (id int PRIMARY KEY, x text)", "people")
    assert "# email: or `phone`" in text
    assert [found.code for found in catalog_findings(catalog)] == ["unmapped-identifier"]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("CREATE TABLE people (email text PRIMARY KEY)", "key: email # Name the column of a generated id"),
        ("CREATE TABLE people (email text PRIMARY KEY, note text)", "key: note # a guess"),
        ("CREATE TABLE people (email text PRIMARY KEY, id int UNIQUE)", "key: id\n"),
        ("CREATE TABLE people (email text, phone text, note text)", "key: note # a guess"),
    ],
)
def test_an_address_is_the_key_only_where_there_is_nothing_else(connection: Connection, table: str, key: str) -> None:
    text, catalog = drafted(connection, table, "people")
    assert key in text
    assert catalog.users.email.column == "email"
    assert [found.code for found in catalog_findings(catalog)] == ["personal-key"] * (catalog.users.key == "email")


def test_what_identifies_the_user_is_not_taken_for_the_events_id(connection: Connection) -> None:
    tables = """
        CREATE TABLE "x"". people" (id int PRIMARY KEY, email text);
        CREATE TABLE deeds (user_id int REFERENCES "x"". people", no int, name text, at timestamptz,
                            PRIMARY KEY (user_id, no))
    """
    text, catalog = drafted(connection, tables, '"x"". people"', "deeds")
    assert (catalog.events.id, catalog.events.user) == ("no", "user_id")
    assert "id: no # a guess" in text
    with Glance(connection) as glance:
        assert '"x"". people"' in glance.names()
        assert [line for line in check_catalog(catalog, glance) if line.path[0] == "users" and line.remedy] == []


@pytest.mark.parametrize("name", ["", ".", '"', "bare"])
def test_what_has_no_columns_is_no_table_of_users(connection: Connection, name: str) -> None:
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as opened:
        opened.execute("CREATE TABLE bare ()")
    with Glance(connection) as glance, pytest.raises(NoSuchRelationError, match="no table or view"):
        relation_named(name, glance)


def test_a_name_that_is_not_there_is_answered_with_the_nearest(connection: Connection) -> None:
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as opened:
        opened.execute("CREATE SCHEMA crm; CREATE TABLE crm.customers (id int); CREATE VIEW everyone AS SELECT 1 AS id")
    with Glance(connection) as glance:
        with pytest.raises(NoSuchRelationError, match=r"`crm.customer`; did you mean `crm.customers`\?"):
            relation_named("crm.customer", glance)
        assert relation_named("everyone", glance).kind == "view"


def test_documents_that_cannot_be_read_do_not_hide_the_keys_of_the_others(connection: Connection) -> None:
    tables = r"""
        CREATE TABLE people (id int PRIMARY KEY, email text, traits json, list json);
        INSERT INTO people VALUES (1, 'a@example.com', '{"plan": "x", "deep": {"tier": 1}}', '["a"]'),
            (2, 'b@example.com', '{"plan": "\u0000"}', '["\u0000"]'), (3, 'c@example.com', '{"plan": 1e400000}', '["b"]');
    """
    _, catalog = drafted(connection, tables, "people")
    assert {name: each.type for name, each in catalog.users.properties.items()} == {
        "plan": "string",
        "tier": "integer",
        "list": "list",
    }
