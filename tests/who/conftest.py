"""Warehouses for the tests of `who`: one random world for the session, and small shops that a test fills itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from adbc_driver_postgresql import dbapi
from psycopg.types.json import Jsonb
from tests.who import world

from audiences.campaign.spec import CampaignSpec
from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pyarrow as pa
    from tests.who.naive import World

    from audiences.demo.postgres import Postgres


@dataclass
class Warehouse:
    """The random world, and the reader that the product uses for it."""

    uri: str
    world: World
    connection: Any

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Hypothesis prints the arguments of its tests; this one is too long."""
        printer.text("…")

    def read(self, query: str) -> pa.Table:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetch_arrow_table()
        finally:
            self.connection.rollback()  # one refused statement must not fail every later test


@pytest.fixture(scope="session")
def who_database(postgres: Postgres) -> str:
    postgres.create_database("who")
    return postgres.uri("who")


@pytest.fixture(scope="session")
def warehouse(who_database: str) -> Iterator[Warehouse]:
    with psycopg.connect(who_database) as connection:
        loaded = world.load(connection, seed=20261123)
    with dbapi.connect(who_database) as connection:
        yield Warehouse(uri=who_database, world=loaded, connection=connection)


@dataclass
class Shop:
    """Temporary tables `users` and `events` that one test fills, with their catalog."""

    connection: psycopg.Connection[Any]
    catalog: dict[str, Any] = field(default_factory=lambda: shop_catalog())

    def execute(self, query: str) -> None:
        self.connection.execute(query.encode())

    def user(self, user: str, **columns: Any) -> None:
        row = {"id": user, **{name: _json(value) for name, value in columns.items()}}
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        query = f"INSERT INTO users ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        self.connection.execute(query.encode(), list(row.values()))

    def add(self, user: str | None, name: str, at: datetime, *, known: bool = True, **properties: Any) -> None:
        """An event, and its user, unless it is nobody's or a stranger's."""
        if known and user is not None:
            self.user(user)
        row = {"amount": None, "category": None, "payload": None, **properties}
        self.connection.execute(
            "INSERT INTO events (user_id, name, at, amount, category, payload) VALUES (%s, %s, %s, %s, %s, %s)",
            [user, name, at, row["amount"], row["category"], _json(row["payload"])],
        )

    def spec(self, who: dict[str, Any], *, zone: str = "UTC", **given: Any) -> CampaignSpec:
        return a_spec(who, catalog=self.catalog, timezone=zone, **given)

    def rows(self, spec: CampaignSpec, at: datetime, *, users: list[str] | None = None) -> list[dict[str, Any]]:
        """The answer to the statement, read as plain text without parameters."""
        query = render(qualified(spec, at, users=users)).encode()
        cursor = self.connection.cursor(row_factory=psycopg.rows.dict_row)
        return cursor.execute(query).fetchall()

    def who(self, rules: dict[str, Any], *, at: datetime, zone: str = "UTC", **given: Any) -> set[str]:
        found = [row["user_id"] for row in self.rows(self.spec(rules, zone=zone, **given), at)]
        assert len(found) == len(set(found))
        return set(found)


def _json(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


@pytest.fixture
def shop(who_database: str) -> Iterator[Shop]:
    with psycopg.connect(who_database) as connection:
        connection.execute(
            """
            SET TIME ZONE 'UTC';
            CREATE TEMP TABLE users (id text PRIMARY KEY, email text, phone text, opted_out boolean, profile jsonb);
            CREATE TEMP TABLE events (
                user_id text, name text, at timestamptz, amount numeric, category text, payload jsonb
            );
            """
        )
        yield Shop(connection)
        connection.rollback()


def shop_catalog() -> dict[str, Any]:
    return {
        "users": {"relation": "users", "key": "id", "email": "email", "phone": "phone", "opt_out": ["opted_out"]},
        "events": {
            "relation": "events",
            "id": "id",
            "user": "user_id",
            "name": "name",
            "occurred_at": "at",
            "properties": {
                "amount": {"column": "amount", "type": "number"},
                "category": {"column": "category", "type": "string"},
            },
        },
    }


def a_spec(who: dict[str, Any], **given: Any) -> CampaignSpec:
    """A campaign over the world; `given` replaces parts of it."""
    parts = {
        "id": "campaign",
        "campaign": {
            "name": "Campaign",
            "who": who or {"with_properties": {"any": [{"has_email": {"is_set": True}}]}},
            "what": {"audience": {"create": {"name": "Audience"}}},
            "when": {"now": True},
        },
        "segments": {},
        "catalog": world.catalog(),
        "account": {"id": "act_1", "connection": "facebook"},
        "control_groups": {},
        "timezone": "UTC",
    }
    return CampaignSpec.model_validate({**parts, **given})
