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
from audiences.checklist import State
from audiences.pipeline.erase import erase
from audiences.pipeline.explain import explain
from audiences.pipeline.person.erasure_resources import ErasureResources
from audiences.warehouse.catalog.check import check_catalog
from audiences.warehouse.catalog.reflect import Glance

pytestmark = pytest.mark.integration
KEYED = {"users": {**CATALOG["users"], "key": "code"}, "events": {**CATALOG["events"], "user": "code"}}
WHO = {"did": {"event": "Added To Cart"}, "with_properties": {"tier": {"equals": "Größe"}}}


@pytest.fixture(params=["LATIN1", "WIN1252", "SQL_ASCII", "UTF8"])
def encoded(request, shop, postgres):
    """The shop with both databases in that encoding, and users whose keys are words.

    Sessions that ask for no encoding get LATIN1, as an administrator may have set it for a login or a database.
    """
    for name in ("warehouse", "ledger"):
        database = f"{name}_in_{request.param.lower()}"
        with psycopg.connect(postgres.uri("postgres"), autocommit=True) as server:
            statement = "create database {} encoding {} locale 'C' template template0"
            server.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Literal(request.param)))
            setting = "alter role postgres in database {} set client_encoding = 'LATIN1'"
            server.execute(sql.SQL(setting).format(sql.Identifier(database)))
        shop.connections[name] = replace(shop.connections[name], schema=database)
        if name in shop.open:
            shop.open.pop(name).close()
    shop.sql(TABLES)
    shop.sql("alter table users add code text; alter table events add code text")
    wide = {"SQL_ASCII": "żółw", "UTF8": "żółw", "WIN1252": "€uro"}.get(request.param, "ÿ")
    for number, code in enumerate(("müller", wide, "plain"), start=1):
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
    with encoded.resources(spec, read_only=True) as resources:
        found = explain(resources, "müller", encoded.noon)
    assert (found.outcome, found.assignment, len(found.history)) == ("targeted", "target", 1)
    settings = Settings.model_validate(
        {"ad_accounts": {"main": {"id": "act_1001", "connection": "facebook_main"}}, "staging": str(encoded.staging)}
    )
    resources = ErasureResources(settings, Catalog.model_validate(KEYED), look_up=encoded.connections.__getitem__)
    with resources:
        gone = erase(resources, "müller", datetime.now(UTC))
    assert (gone.state, gone.ledger["member"], gone.ledger["assignment"]) == ("done", 1, 1)
    left = {user for (user,) in encoded.sql("select user_id from audiences.member", on="ledger")}
    assert left == users - {"müller"}
    assert encoded.row_of("user1@example.com", None) not in encoded.members(first.audience.id)


def test_a_word_in_a_rule_a_segment_or_the_catalog_means_the_same_in_every_encoding(encoded):
    encoded.sql("insert into events (user_id, code, name, occurred_at) values (1, 'müller', 'Geöffnet', '2026-11-22')")
    did_not = {
        "all": [{"did": {"event": "Added To Cart"}}, {"did_not": {"event": "Geöffnet", "within": "last 30 days"}}]
    }
    assert encoded.preview(encoded.campaign(who=did_not, catalog=KEYED)).outcomes["targeted"] == 2
    excluding, listed = {"exclude_segment": "kept_out", **WHO}, {"kept_out": {"users": ["müller"]}}
    assert encoded.preview(encoded.campaign(who=excluding, catalog=KEYED, segments=listed)).outcomes["targeted"] == 2
    names = {"events": {**KEYED["events"], "names": ["Geöffnet", "Added To Cart"]}}
    with Glance(encoded.connections["warehouse"]) as glance:
        found = list(check_catalog(Catalog.model_validate({**KEYED, **names}), glance))
    assert [line for line in found if line.state is State.FAIL or "is named" in line.found] == []


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


def test_a_json_document_with_a_character_that_the_database_cannot_hold_concerns_its_user_alone(encoded):
    encoded.sql("alter table users add profile json")
    for number, document in enumerate(
        ('{"tier": "Gr\\u00f6\\u00dfe"}', '{"tier": "x", "seen": "\\u4e2d"}', "{}"), start=1
    ):
        encoded.sql("update users set profile = %s where id = %s", document, number)
    tier = {"jsonb": "profile", "path": "tier", "type": "string"}
    catalog = {**KEYED, "users": {**KEYED["users"], "properties": {"tier": tier}}}
    found = encoded.preview(encoded.campaign(who={"with_properties": {"tier": {"is_set": True}}}, catalog=catalog))
    unicode = encoded.connections["warehouse"].schema.endswith("utf8")
    ascii_only = encoded.connections["warehouse"].schema.endswith("sql_ascii")
    assert found.outcomes["targeted"] == (2 if unicode else 0 if ascii_only else 1)
    assert ("`tier`: 1 value" in str(found.warnings)) is (not unicode and not ascii_only)
