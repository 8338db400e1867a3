"""What is known of columns makes the statement shorter, and changes nothing of its answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa
from tests.who.test_letter_by_letter import LOOSE

from audiences.query.column_types import ColumnTypes, column_types, types_of
from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from tests.who.conftest import Shop

    from audiences.campaign.spec import CampaignSpec

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WHO = {"did": {"event": "Buy"}, "with_properties": {"opted": {"is_set": True}}}


def asked(shop: Shop, spec: CampaignSpec) -> ColumnTypes:
    cursor = shop.connection.cursor(row_factory=psycopg.rows.dict_row)
    (answer,) = cursor.execute(render(column_types(spec)).encode()).fetchall()
    return types_of(spec, answer)


def read(shop: Shop, spec: CampaignSpec, **given: Any) -> list[dict[str, Any]]:
    cursor = shop.connection.cursor(row_factory=psycopg.rows.dict_row)
    query = qualified(spec, AT, secret=b"secret", **given)
    return sorted(cursor.execute(render(query).encode()).fetchall(), key=lambda row: str(row["user_id"]))


ALTERED = {
    "as they are": "",
    "whole numbers": (
        "ALTER TABLE users ALTER id TYPE bigint USING id::bigint; ALTER TABLE events ALTER user_id TYPE int USING user_id::int;"
    ),
    "small numbers": (
        "ALTER TABLE users ALTER id TYPE int2 USING id::int2; ALTER TABLE events ALTER user_id TYPE int2 USING user_id::int2;"
    ),
    "fractions": (
        "ALTER TABLE users ALTER id TYPE numeric(9, 2) USING id::numeric;"
        "ALTER TABLE events ALTER user_id TYPE numeric USING user_id::numeric;"
    ),
    "words for true": "ALTER TABLE users ALTER opted_out TYPE text USING CASE WHEN opted_out THEN 'perhaps' ELSE 'no' END;",
    "domains": (
        "CREATE DOMAIN pg_temp.truth AS boolean; ALTER TABLE users ALTER opted_out TYPE pg_temp.truth;"
        "CREATE DOMAIN pg_temp.title AS text; ALTER TABLE events ALTER name TYPE pg_temp.title;"
    ),
    "a loose name": f"{LOOSE} ALTER TABLE events ALTER name TYPE loose;",
}
KNOWN = {  # what is known of the key, the opt-out and the name
    "as they are": (False, True, True),
    "whole numbers": (True, True, True),
    "small numbers": (True, True, True),
    "fractions": (False, True, True),
    "words for true": (False, False, True),
    "domains": (False, False, False),
    "a loose name": (False, True, False),
}


@pytest.mark.parametrize("columns", ALTERED)
def test_the_answer_is_the_same_as_if_nothing_were_known(shop: Shop, columns: str) -> None:
    for number, (opted_out, name) in enumerate([(True, "Buy"), (False, "Buy"), (None, "Buy"), (True, "buy")], start=1):
        shop.user(str(number), email=f"{number}@example.com", opted_out=opted_out)
        shop.add(str(number), name, AT)
    shop.execute(ALTERED[columns])
    shop.catalog["users"]["properties"] = {"opted": {"column": "opted_out", "type": "boolean"}}
    spec = shop.spec(WHO)
    types = asked(shop, spec)
    found = "id" in types.users, "opted_out" in types.users, "name" in types.events
    assert found == KNOWN[columns]
    assert types.whole_key is found[0]
    plain = read(shop, spec)
    assert [row["user_id"] for row in plain] == (
        ["1.00", "2.00", "3.00"] if columns == "fractions" else ["1", "2", "3"]
    )
    missing = {"unread_opt_out"} if found[1] else set()
    assert not any(row[name] for row in plain for name in missing)
    assert read(shop, spec, types=types) == [
        {name: value for name, value in row.items() if name not in missing} for row in plain
    ]
    for row, short in zip(plain, read(shop, spec, types=types, identifiers=False), strict=True):
        assert short["user_id"] == (int(row["user_id"]) if types.whole_key else row["user_id"])
        assert short.items() - {("user_id", short["user_id"])} <= row.items()


def test_a_database_with_texts_that_are_equal_to_others_is_not_taken_at_its_word(shop: Shop) -> None:
    """Collations of that kind need ICU, which the embedded server does not have: the catalog has one all the same."""
    spec = shop.spec({"did": {"event": "Buy"}})
    shop.execute(
        "INSERT INTO pg_collation"
        " SELECT 99999, 'loose', collnamespace, collowner, collprovider, false, collencoding, collcollate, collctype"
        " FROM pg_collation WHERE collname = 'C'"
    )
    assert asked(shop, spec).events == {}
    assert isinstance(asked(shop, spec).users["opted_out"], sa.Boolean)
