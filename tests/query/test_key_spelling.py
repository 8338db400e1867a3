"""What Python reads as the same id is what Postgres reads as the same, whatever the type of the key."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import dict_row

from audiences.campaign.catalog import Catalog
from audiences.query.key_spelling import KeySpelling, key_spelling, spelling_of
from audiences.query.listed_ids import KeyType, listed_ids
from audiences.query.render import render

pytestmark = pytest.mark.integration
U = "0a1b2c3d-0000-4000-8000-00000000000a"
IDS = (
    *(
        "7",
        "007",
        "+7",
        "-7",
        "7.0",
        "7.50",
        ".5",
        "7.",
        " 7 ",
        "7e3",
        "70e-1",
        "-0",
        "0",
        "1e99",
        "٧",
        "0x7",
        "7 7",
        "",
        "7e100",
    ),
    *(U, U.upper(), f"{{{U}}}", U.replace("-", ""), f"{{{U}", f" {U}", U[:-1], "A", "a ", "Ä", "9" * 399, "9" * 401),
)
KEYS = {
    "bigint": KeySpelling(numbers=True),
    "numeric": KeySpelling(numbers=True),
    "uuid": KeySpelling(uuids=True),
    "text": KeySpelling(),
    "char(8)": KeySpelling(padded=True),
}


@pytest.mark.parametrize("kind", KEYS)
def test_an_id_is_spelled_as_postgres_spells_it(databases, kind):
    catalog = Catalog.model_validate({"users": {"relation": "users", "key": "id", "email": "email"}})
    given = listed_ids(IDS)
    query = sa.select(given.c.user_id, KeyType(catalog).listed(given.c.user_id))
    with databases.warehouse() as connection, psycopg.connect(connection.dsn(application="test")) as database:
        database.execute(f"create table users (id {kind}, email text)".encode())
        cursor = database.cursor(row_factory=dict_row).execute(render(key_spelling(catalog)).encode())
        spelling = spelling_of(cursor.fetchall())
        spelled = dict(database.execute(render(query).encode()).fetchall())
        database.rollback()
    assert spelling == KEYS[kind]
    assert {text: spelling.of(text) for text in IDS} == spelled
