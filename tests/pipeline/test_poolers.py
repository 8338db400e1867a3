"""Through a pooler everything is as without: what is read, under which terms, and what stays apart. Else it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from tests.ledger.records import one
from tests.pipeline.conftest import CATALOG
from tests.poolers import pgbouncer, several_sessions

from audiences.campaign.catalog import Catalog
from audiences.ledger.database import Ledger
from audiences.ledger.own_session import LedgerPooledError
from audiences.pipeline.explain import explain
from audiences.warehouse.catalog.check import check_catalog
from audiences.warehouse.catalog.reflect import Glance, WarehouseUnreachableError
from audiences.warehouse.reader import Warehouse, WarehouseClosedError, WarehouseQueryError

pytestmark = pytest.mark.integration
IGNORED = "extra_float_digits,options"
NAMES = (
    *("transaction_read_only", "transaction_isolation", "TimeZone", "statement_timeout", "DateStyle"),
    *("extra_float_digits", "client_encoding", "search_path"),
)


def at(connection, place):
    return replace(connection, host=place[0], port=place[1])


@pytest.fixture(scope="module", params=["", IGNORED], ids=["plain", "ignoring options"])
def by_transaction(request, postgres):
    with pgbouncer(postgres, mode="transaction", ignore_startup_parameters=request.param) as place:
        yield place


@pytest.fixture(scope="module", params=["", IGNORED], ids=["plain", "ignoring options"])
def by_session(request, postgres):
    with pgbouncer(postgres, mode="session", ignore_startup_parameters=request.param) as place:
        yield place


@pytest.fixture(
    scope="module", params=[(mode, ignored) for mode in ("transaction", "session") for ignored in ("", IGNORED)]
)
def pooler(request, postgres):
    mode, ignored = request.param
    with pgbouncer(postgres, mode=mode, ignore_startup_parameters=ignored) as place:
        yield place


@pytest.fixture(scope="module")
def forgetful(postgres):
    with pgbouncer(postgres, mode="transaction", ignore_startup_parameters=IGNORED) as place:
        yield place


def settings_of(warehouse):
    columns = ", ".join(f"current_setting('{name}') as \"{name}\"" for name in NAMES)
    return warehouse.table(f"select {columns}").to_pylist()[0]


def shop_around_midnight(shop):
    """One who did it yesterday and one the day before, by times that are of the session's zone."""
    shop.sql("alter table events alter occurred_at type timestamp using occurred_at at time zone 'UTC'")
    for number, hours in ((1, 26), (2, 37)):
        shop.user(number, f"user{number}@example.com", age=30)
        moment = (shop.noon - timedelta(hours=hours)).replace(tzinfo=None)
        shop.sql("insert into events (user_id, name, occurred_at) values (%s, 'Added To Cart', %s)", number, moment)
    # What a session brings along from its database must not show.
    name = shop.connections["warehouse"].schema
    for setting in ("timezone = 'Pacific/Kiritimati'", "datestyle = 'SQL, DMY'", "default_transaction_read_only = off"):
        shop.sql(f"alter database {name} set {setting}")
    return shop.campaign(who={"did": {"event": "Added To Cart", "within": "last 1 day"}})


def test_a_run_a_preview_an_explanation_and_the_check_are_as_without_a_pooler(shop, pooler):
    spec = shop_around_midnight(shop)
    direct = shop.connections["warehouse"]
    before = shop.preview(spec)
    with Glance(direct) as glance:
        checked = list(check_catalog(Catalog.model_validate(CATALOG), glance))
    shop.connections["warehouse"] = pooled = at(direct, pooler)
    several_sessions(pooled.host, pooled.port, pooled.schema)
    assert shop.preview(spec).outcomes == before.outcomes
    assert before.outcomes["targeted"] == 1
    summary = shop.run(spec)
    assert (summary.state, summary.outcomes["added"]) == ("success", 1)
    assert shop.members(summary.audience.id) == {shop.row_of("user1@example.com", None)}
    with shop.resources(spec, read_only=True) as resources:
        assert explain(resources, "1", shop.noon).outcome == "targeted"
    with Glance(pooled) as glance:
        assert list(check_catalog(Catalog.model_validate(CATALOG), glance)) == checked


def test_the_terms_hold_inside_the_transaction_and_are_left_with_nobody(shop, pooler):
    pooled = at(shop.connections["warehouse"], pooler)
    several_sessions(pooled.host, pooled.port, pooled.schema)
    with Warehouse(pooled, application="test", timezone="Asia/Tokyo", timeout="7min") as warehouse:
        found = settings_of(warehouse)
        with pytest.raises(WarehouseQueryError, match="read-only"):
            warehouse.table("create table x ()")
    assert tuple(found.values())[:7] == ("on", "repeatable read", "Asia/Tokyo", "7min", "ISO, MDY", "1", "UTF8")
    with psycopg.connect(pooled.dsn(application="test"), autocommit=True, prepare_threshold=None) as other:
        for _ in range(4):
            assert other.execute("select current_setting('statement_timeout')").fetchone() == ("0",)


def test_a_search_path_that_the_pooler_drops_is_set_all_the_same(shop, forgetful):
    shop.sql("create schema crm; create table crm.users (like users including all)")
    for number in range(1, 6):
        shop.sql("insert into crm.users (id, email) values (%s, %s)", number, f"crm{number}@example.com")
    shop.user(7, "public@example.com")
    pooled = replace(at(shop.connections["warehouse"], forgetful), extra={"options": "-c search_path=crm,public"})
    several_sessions(pooled.host, pooled.port, pooled.schema)
    with psycopg.connect(pooled.dsn(application="test"), prepare_threshold=None) as bare:
        assert bare.execute("show search_path").fetchone() == ('"$user", public',)  # this is what the pooler does
    with Warehouse(pooled, application="test") as warehouse:
        assert warehouse.table("select count(*) as n from users").to_pylist() == [{"n": 5}]
    with Glance(pooled) as glance:
        assert glance.ask("select count(*) from users") == [(5,)]


ASKED = (
    "-c search_path=crm,public -c work_mem=7MB -c TimeZone=Asia/Tokyo -c statement_timeout=7s"
    " -c default_transaction_isolation=serializable"
)


def by_service_file(connection, folder, monkeypatch):
    """As a team with a service file writes it: the connection says nothing but the service."""
    there = f"host={connection.host}\nport={connection.port}\nuser={connection.login}\ndbname={connection.schema}\n"
    lines = f"[bare]\n{there}[shop]\n{there}options={ASKED}\nclient_encoding=LATIN1\n"
    (folder / "services").write_text(lines)
    monkeypatch.setenv("PGSERVICEFILE", str(folder / "services"))
    return replace(connection, host=None, port=None, login=None, schema=None, extra={"service": "shop"})


def by_service_in_the_environment(connection, folder, monkeypatch):
    found = by_service_file(connection, folder, monkeypatch)
    monkeypatch.setenv("PGSERVICE", "shop")
    return replace(found, extra={})


def by_options_in_the_environment(connection, folder, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", ASKED)
    return connection


def by_options_in_the_environment_beside_a_service(connection, folder, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", ASKED)
    return replace(by_service_file(connection, folder, monkeypatch), extra={"service": "bare"})


WAYS = pytest.mark.parametrize(
    "way",
    [
        by_service_file,
        by_service_in_the_environment,
        by_options_in_the_environment,
        by_options_in_the_environment_beside_a_service,
    ],
)


@WAYS
def test_settings_of_a_service_file_and_of_the_environment_hold_for_the_warehouse(
    shop, forgetful, tmp_path, monkeypatch, way
):
    shop.sql("create schema crm; create table crm.users (like users including all)")
    for number in range(1, 6):
        shop.sql("insert into crm.users (id, email) values (%s, %s)", number, f"crm{number}@example.com")
    shop.user(7, "public@example.com")
    direct = at(shop.connections["warehouse"], forgetful)
    several_sessions(direct.host, direct.port, direct.schema)
    pooled = way(direct, tmp_path, monkeypatch)
    for _ in range(3):
        with Warehouse(pooled, application="test", timezone="UTC") as warehouse:
            assert warehouse.table("select count(*) as n from users").to_pylist() == [{"n": 5}]
            found = settings_of(warehouse)
            assert warehouse.table("select current_setting('work_mem') as m").to_pylist() == [{"m": "7MB"}]
        # What the product sets for itself stands over them.
        assert tuple(found.values())[:4] == ("on", "repeatable read", "UTC", "30min")
        assert found["client_encoding"] == "UTF8"
        with Glance(pooled) as glance:
            assert glance.ask("select count(*) from users") == [(5,)]


@WAYS
def test_settings_of_a_service_file_and_of_the_environment_hold_for_the_ledger(
    shop, postgres, tmp_path, monkeypatch, way
):
    with pgbouncer(postgres, mode="session", ignore_startup_parameters=IGNORED) as place:
        pooled = way(at(shop.connections["ledger"], place), tmp_path, monkeypatch)
        names = (
            *("search_path", "work_mem", "timezone", "statement_timeout", "default_transaction_isolation"),
            "client_encoding",
        )
        columns = ", ".join(f"current_setting('{name}') as {name}" for name in names)
        query = f"select {columns}"
        wanted = ("crm,public", "7MB", "Asia/Tokyo", "7s", "serializable", "UTF8")
        with Ledger(pooled) as ledger, ledger.bulk.cursor() as cursor:
            assert tuple(one(ledger, query)) == wanted
            cursor.execute(query)
            assert cursor.fetchone() == wanted


def test_options_that_a_pooler_refuses_are_for_a_person_with_the_same_remedy_everywhere(shop, postgres):
    shop.user(1, "user1@example.com")
    shop.event(1)
    direct = shop.connections["warehouse"]
    with pgbouncer(postgres, mode="transaction") as place:
        shop.connections["warehouse"] = replace(at(direct, place), extra={"options": "-c search_path=crm"})
        with pytest.raises(WarehouseClosedError) as stopped:
            shop.run(shop.campaign())
        with pytest.raises(WarehouseUnreachableError, match="ignore_startup_parameters = options") as checked:
            Glance(shop.connections["warehouse"])
    assert (stopped.value.detail, stopped.value.remedy) == (checked.value.detail, checked.value.remedy)
    assert shop.waited == []
    assert created(shop) == []


def test_a_pooler_without_transactions_is_refused(shop, postgres):
    with pgbouncer(postgres, mode="statement") as place:
        pooled = at(shop.connections["warehouse"], place)
        with pytest.raises(WarehouseClosedError, match="pool_mode"):
            Warehouse(pooled, application="test")
        with pytest.raises(WarehouseUnreachableError, match="pool_mode"):
            Glance(pooled)


def test_a_ledger_whose_session_changes_is_refused_before_anything_is_done(shop, by_transaction):
    shop.user(1, "user1@example.com")
    shop.event(1)
    shop.never_migrated()
    direct = shop.connections["ledger"]
    shop.connections["ledger"] = at(direct, by_transaction)
    for looking in (False, True):
        with (
            shop.resources(shop.campaign(), read_only=looking) as resources,
            pytest.raises(LedgerPooledError, match="pool_mode = session") as caught,
        ):
            _ = resources.ledger
        assert "postgres@" not in str(caught.value)
    assert created(shop) == []
    assert shop.sql("select to_regnamespace('audiences')::text", on="ledger") == [(None,)]
    locks = (
        "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
        " where locktype = 'advisory' and datname = %s"
    )
    assert shop.sql(locks, direct.schema) == [(0,)]


def test_a_ledger_behind_a_pooler_that_lends_whole_sessions_is_as_without(shop, by_session):
    shop.user(1, "user1@example.com")
    shop.event(1)
    shop.connections["ledger"] = at(shop.connections["ledger"], by_session)
    spec = shop.campaign()
    assert (shop.run(spec).state, shop.run(spec).requests) == ("success", 0)


def test_a_lock_that_the_session_no_longer_has_is_told(shop):
    with (
        shop.resources(shop.campaign()) as resources,
        pytest.raises(LedgerPooledError),
        resources.working(),
    ):
        resources.ledger.sql.execute("discard all")


def created(shop):
    asked = shop.sandbox.admin.requests()
    return [each for each in asked if each["method"] == "POST" and each["path"].endswith("/customaudiences")]
