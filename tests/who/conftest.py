"""One random world in Postgres for all tests of `who`, and campaigns over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from adbc_driver_postgresql import dbapi
from tests.who import world

from audiences.campaign.spec import CampaignSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from tests.who.naive import World

    from audiences.demo.postgres import Postgres


@dataclass
class Warehouse:
    """The world, and the reader that the product uses for it."""

    uri: str
    world: World
    connection: Any

    def read(self, query: str) -> pa.Table:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table()


@pytest.fixture(scope="session")
def warehouse(postgres: Postgres) -> Iterator[Warehouse]:
    postgres.create_database("who")
    uri = postgres.uri("who")
    with psycopg.connect(uri) as connection:
        loaded = world.load(connection, seed=20261123)
    with dbapi.connect(uri) as connection:
        yield Warehouse(uri=uri, world=loaded, connection=connection)


def a_spec(who: dict[str, Any], **given: Any) -> CampaignSpec:
    """A campaign over the world; `given` replaces parts of it."""
    return CampaignSpec.model_validate(
        {
            "id": "campaign",
            "campaign": {
                "name": "Campaign",
                "who": who,
                "what": {"audience": {"create": {"name": "Audience"}}},
                "when": {"now": True},
            },
            "segments": {},
            "catalog": world.catalog(),
            "account": {"id": "act_1", "connection": "facebook"},
            "control_groups": {},
            "timezone": "UTC",
            **given,
        }
    )
