"""A ledger or a warehouse whose database is not UTF-8: every name is stored, found, erased and explained as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from tests.pipeline.conftest import CATALOG, TABLES

from audiences.campaign.catalog import Catalog
from audiences.campaign.settings import Settings
from audiences.pipeline.erase import erase
from audiences.pipeline.erasing import ErasingDoors
from audiences.pipeline.explain import explain

pytestmark = pytest.mark.integration
KEYED = {"users": {**CATALOG["users"], "key": "code"}, "events": {**CATALOG["events"], "user": "code"}}
WHO = {"did": {"event": "Added To Cart"}, "with_properties": {"tier": {"equals": "Größe"}}}


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def encoded(request, shop, postgres):
    """The shop with both databases in that encoding, and users whose keys are words."""
    for name in ("warehouse", "ledger"):
        database = f"{name}_in_{request.param.lower()}"
        with psycopg.connect(postgres.uri("postgres"), autocommit=True) as server:
            statement = "create database {} encoding {} locale 'C' template template0"
            server.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Literal(request.param)))
        shop.connections[name] = replace(shop.connections[name], schema=database)
        if name in shop.open:
            shop.open.pop(name).close()
    shop.sql(TABLES)
    shop.sql("alter table users add code text; alter table events add code text")
    for number, code in enumerate(("müller", "żółw" if request.param == "SQL_ASCII" else "ÿ", "plain"), start=1):
        shop.user(number, f"user{number}@example.com", code=code, tier="Größe")
        shop.sql("insert into events (user_id, code, name, occurred_at) values (%s, %s, 'Added To Cart', %s)",
                 number, code, datetime(2026, 11, 22, tzinfo=UTC))  # fmt: skip
    yield shop
    for name in ("warehouse", "ledger"):
        if name in shop.open:
            shop.open.pop(name).close()
        with psycopg.connect(postgres.uri("postgres"), autocommit=True) as server:
            database = sql.Identifier(shop.connections[name].schema)
            server.execute(sql.SQL("drop database {} with (force)").format(database))


def test_a_person_is_stored_kept_explained_and_erased_by_the_right_name(encoded):
    spec = encoded.campaign(who=WHO, catalog=KEYED)
    first = encoded.run(spec)
    assert (first.state, first.outcomes["added"]) == ("success", 3)
    users = {user for (user,) in encoded.sql("select user_id from audiences.member", on="ledger")}
    assert "müller" in users
    assert users == {user for (user,) in encoded.sql("select user_id from audiences.assignment", on="ledger")}
    second = encoded.run(spec)
    assert (second.requests, second.outcomes["kept"]) == (0, 3)
    with encoded.doors(spec, looking_only=True) as doors:
        found = explain(doors, "müller", encoded.noon)
    assert (found.outcome, found.assignment, len(found.history)) == ("targeted", "target", 1)
    settings = Settings.model_validate(
        {"ad_accounts": {"main": {"id": "act_1001", "connection": "facebook_main"}}, "staging": str(encoded.staging)}
    )
    doors = ErasingDoors(settings, Catalog.model_validate(KEYED), look_up=encoded.connections.__getitem__)
    with doors:
        gone = erase(doors, "müller", datetime.now(UTC))
    assert (gone.state, gone.ledger["member"], gone.ledger["assignment"]) == ("done", 1, 1)
    left = {user for (user,) in encoded.sql("select user_id from audiences.member", on="ledger")}
    assert left == users - {"müller"}
    assert encoded.row_of("user1@example.com", None) not in encoded.members(first.audience.id)


def test_what_the_ledgers_encoding_lacks_is_a_clear_error_and_nothing_is_sent(shop, postgres):
    with psycopg.connect(postgres.uri("postgres"), autocommit=True) as server:
        server.execute("create database narrow_ledger encoding 'LATIN1' locale 'C' template template0")
    shop.connections["ledger"] = replace(shop.connections["ledger"], schema="narrow_ledger")
    shop.sql("alter table users add code text; alter table events add code text")
    shop.user(1, "user1@example.com", code="李")
    shop.sql("insert into events (user_id, code, name, occurred_at) select 1, '李', 'Added To Cart', '2026-11-22'")
    summary = shop.run(shop.campaign(who={"did": {"event": "Added To Cart"}}, catalog=KEYED))
    assert summary.state == "failed"
    assert "whose encoding is UTF8" in summary.error
    assert shop.uploads() == []
