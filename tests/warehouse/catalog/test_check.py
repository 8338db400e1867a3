"""The catalog against a real database: each mistake is found on its line, and a right catalog has no line but good ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.common_files import load_catalog
from audiences.checklist import State
from audiences.connections import Connection
from audiences.demo.shop import load_shop
from audiences.warehouse.catalog.check import Line, check_catalog
from audiences.warehouse.catalog.event_scan import SMALL
from audiences.warehouse.catalog.reflect import Glance, WarehouseUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration
TABLES = """
CREATE TYPE level AS ENUM ('Bronze', 'Silver');
CREATE DOMAIN address AS text;
CREATE TABLE people (
    id bigint PRIMARY KEY, email address, phone text, level level, spent numeric(12, 2), cash money, born date,
    born_text text, seen timestamptz, plain timestamp, tags text[], vip boolean, zip int, hashed text,
    profile jsonb, "Odd ""Name" text, doubled text GENERATED ALWAYS AS (zip::text || zip) STORED
);
INSERT INTO people SELECT
    n, n || '@example.com', '+1415555' || n, 'Silver', n, n, '1990-01-01', '1990-01-01', now(), now(), '{a}', n = 1, n,
    encode(sha256(n::text::bytea), 'hex'),
    jsonb_build_object('a.b', n, 'it''s "ü"', 'x', 'deep', jsonb_build_object('tier', 'Gold'), 'mixed', CASE n WHEN 1 THEN
    '1' ELSE '"x"' END::jsonb, 'list', '["a"]'::jsonb), 'x'
FROM generate_series(1, 20) n;
CREATE TABLE deeds (
    id bigint GENERATED ALWAYS AS IDENTITY, person bigint, name text, at timestamptz, plain timestamp, epoch bigint,
    code text, cost money, payload jsonb
);
INSERT INTO deeds (person, name, at, plain, epoch, code, cost, payload)
SELECT n, 'Buy', '2026-11-01', '2026-11-01', 1, n, n, '{"amount": 2.5}' FROM generate_series(1, 20) n;
CREATE INDEX deeds_scan ON deeds (name, at, person);
ANALYZE people, deeds;
"""


@pytest.fixture
def connection(new_database: Callable[[str], Connection]) -> Connection:
    made = new_database("catalog")
    run(made, TABLES)
    return made


def run(connection: Connection, query: str) -> None:
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as opened:
        opened.execute(query.encode())


def catalog(users: dict[str, Any] | None = None, events: dict[str, Any] | None = None) -> Catalog:
    given = {"relation": "people", "key": "id", "email": "email", **(users or {})}
    deeds = {"relation": "deeds", "id": "id", "user": "person", "name": "name", "occurred_at": "at", **(events or {})}
    return Catalog.model_validate({"users": given, "events": deeds})


def lines(connection: Connection, *given: Any) -> dict[tuple[str | int, ...], Line]:
    with Glance(connection) as glance:
        return {line.path: line for line in check_catalog(catalog(*given), glance)}


def one(connection: Connection, source: Any) -> Line:
    """What is said of one property of the users."""
    return lines(connection, {"properties": {"it": source}})["users", "properties", "it"]


def test_a_right_catalog_has_nothing_to_be_done(connection: Connection) -> None:
    users = {
        "phone": "phone",
        "date_of_birth": "born",
        "first_name": {"column": "hashed", "pre_hashed": True},
        "external_id": "hashed",
        "opt_out": "vip",
        "properties": {
            "level": {"column": "level", "type": "string", "values": ["Bronze", "Silver"]},
            "spent": {"column": "spent", "type": "number"},
            "age": {"column": "born", "type": "date", "derive": "age"},
            "seen": {"column": "seen", "type": "datetime"},
            "tags": {"column": "tags", "type": "list"},
            "zip": {"column": "zip", "type": "string"},
            "doubled": {"column": "doubled", "type": "string"},
            "odd": {"column": 'Odd "Name', "type": "string"},
            "dotted": {"jsonb": "profile", "path": "a.b", "type": "integer"},
            "quoted": {"jsonb": "profile", "path": 'it\'s "ü"', "type": "string"},
            "deep": {"jsonb": "profile", "path": ["deep", "tier"], "type": "string", "values": ["Gold"]},
            "list": {"jsonb": "profile", "path": "list", "type": "list"},
        },
    }
    events = {"names": ["Buy"], "properties": {"amount": {"jsonb": "payload", "path": "amount", "type": "number"}}}
    found = lines(connection, users, events)
    assert {path: line for path, line in found.items() if line.state is not State.OK or line.remedy} == {}
    assert found["users", "relation"].found == "table, about 20 rows; looked at all 20"
    assert found["events",].found == "events are found by name and time through deeds_scan"


@pytest.mark.parametrize(
    ("source", "state", "found", "remedy"),
    [
        ({"column": "spend", "type": "number"}, "fail", "`people` has no column `spend`", "did you mean `spent`?"),
        ({"jsonb": "profil", "path": "x", "type": "number"}, "fail", "has no column `profil`", "`profile`"),
        (
            {"column": "cash", "type": "number"},
            "fail",
            "no cast from one type to the other: `money`, `double precision`",
            "generated column",
        ),
        ({"column": "vip", "type": "integer"}, "fail", "no cast from one type to the other: `boolean`, `bigint`", ""),
        (
            {"column": "zip", "type": "boolean"},
            "warn",
            "19 of 20 values are no boolean, among the 20 rows looked at",
            "They count as missing",
        ),
        ({"column": "seen", "type": "integer"}, "fail", "`seen` timestamp with time zone, read as integer", ""),
        (
            {"column": "profile", "type": "list"},
            "fail",
            "no cast from one type to the other: `jsonb`, `text[]`",
            "{jsonb: profile, path: ",
        ),
        ({"jsonb": "phone", "path": "x", "type": "string"}, "fail", "`phone` text, key `x`: is no column of JSON", ""),
        (
            {"column": "born_text", "type": "integer"},
            "warn",
            "20 of 20 values are no integer",
            "They count as missing",
        ),
        (
            {"column": "born_text", "type": "date"},
            "warn",
            "`born_text` text, declared date",
            "counts as missing",
        ),
        ({"column": "spent", "type": "integer"}, "warn", "declared integer", "Fractions are rounded"),
        ({"column": "seen", "type": "date"}, "warn", "declared date", "`type: datetime` keeps it"),
        ({"column": "spent", "type": "string"}, "warn", "numeric(12, 2), declared string", "own type"),
        ({"column": "spent", "type": "version"}, "warn", "declared version", "3.10"),
        ({"column": "tags", "type": "string"}, "warn", "text[], declared string", "own type"),
        ({"jsonb": "profile", "path": ["deep", "teir"], "type": "string"}, "warn", "did you mean `tier`?", "path"),
        ({"jsonb": "profile", "path": "mixed", "type": "integer"}, "warn", "19 of 20 values are no integer", "missing"),
        ({"column": "level", "type": "string", "values": ["Bronze"]}, "warn", "not under `values`: `Silver`", "Add"),
    ],
)
def test_what_does_not_fit_is_said_with_what_to_do(
    connection: Connection, source: Any, state: str, found: str, remedy: str
) -> None:
    line = one(connection, source)
    assert line.state == state
    assert found in line.found
    assert remedy in line.remedy
    assert line.remedy


@pytest.mark.parametrize(
    ("kind", "value", "view"),
    [
        ("interval", "3 days", "SELECT *, extract(epoch from added) / 86400 AS … FROM people"),
        ("int4range", "[1,5)", "SELECT *, lower(added) AS … FROM people"),
        ("inet", "10.0.0.1", "SELECT *, host(added) AS … FROM people"),
        ("tsvector", "a b", "SELECT *, added::text AS … FROM people"),
        ("money", "3.50", "SELECT *, added::numeric AS … FROM people"),
        ("time", "12:00", "SELECT *, added::text AS … FROM people"),
    ],
)
def test_the_way_out_of_a_type_that_no_catalog_can_declare_is_a_view_that_postgres_takes(
    connection: Connection, kind: str, value: str, view: str
) -> None:
    run(connection, f"ALTER TABLE people ADD added {kind} DEFAULT '{value}'")
    line = one(connection, {"column": "added", "type": "string"})
    assert (line.state, view in line.remedy) == (State.WARN, True), line.remedy
    run(connection, f"CREATE VIEW wider AS {view.replace('…', 'made')}")


def test_money_declared_as_a_number_is_told_the_cast_that_makes_one(connection: Connection) -> None:
    assert "such as cash::numeric declared as number" in one(connection, {"column": "cash", "type": "number"}).remedy


def test_an_empty_table_is_judged_by_its_types(connection: Connection) -> None:
    run(connection, "TRUNCATE people, deeds")
    assert one(connection, {"column": "cash", "type": "number"}).state is State.FAIL
    assert one(connection, {"jsonb": "profile", "path": "x", "type": "number"}).state is State.OK
    assert lines(connection)["events",].state is State.OK


@pytest.mark.parametrize(
    ("users", "path", "found"),
    [
        ({"relation": "poeple"}, ("users", "relation"), "there is no `poeple`"),
        ({"relation": "elsewhere.people"}, ("users", "relation"), "there is no `elsewhere.people`"),
        ({"key": "idd"}, ("users", "key"), "has no column `idd`"),
        ({"key": "level"}, ("users", "key"), "several rows have one key"),
        ({"email": "hashed"}, ("users", "email"), "every value is a SHA-256 already"),
        ({"email": {"column": "email", "pre_hashed": True}}, ("users", "email"), "20 of 20 values are no SHA-256"),
    ],
)
def test_relations_keys_and_identifiers(connection: Connection, users: Any, path: Any, found: str) -> None:
    line = lines(connection, users)[path]
    assert line.state is State.FAIL
    assert found in line.found
    assert line.remedy


def test_nothing_that_identifies_a_person_is_shown(connection: Connection) -> None:
    run(connection, "UPDATE people SET phone = 'secret' || id")
    properties = {"it": {"column": "phone", "type": "date"}}
    found = lines(connection, {"phone": "phone", "opt_out": "phone", "properties": properties})
    assert found["users", "properties", "it"].state is State.WARN
    assert "secret" not in str(found)


def test_an_opt_out_that_cannot_be_read_is_said_to_keep_users_out(connection: Connection) -> None:
    line = lines(connection, {"opt_out": ["vip", "phone"]})["users", "opt_out", 1]
    assert line.state is State.WARN
    assert "20 of 20 values are no boolean" in line.found
    assert "They count as opted out" in line.remedy


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("email", {"text": True, "address": True, "text[]": False, "jsonb": False, "bytea": False, "bigint": False}),
        ("phone", {"text": True, "bigint": True, "numeric(15)": True, "real": False, "double precision": False, "text[]": False}),
        ("date_of_birth", {"date": True, "timestamptz": True, "text": True, "boolean": False, "interval": False, "json": False}),
        ("external_id", {"uuid": True, "bigint": True, "text": True, "real": False, "bytea": False, "date": False}),
        ("first_name", {"text": True, "bigint": False, "boolean": False}),
        ("zip", {"text": True, "int": True, "real": False, "inet": False}),
        ("country", {"char(2)": True, "level": True, "int": False}),
        ("gender", {"text": True, "char(1)": True, "boolean": False}),
        ("madid", {"uuid": True, "text": True, "bigint": False, "bytea": False}),
    ],
)  # fmt: skip
def test_an_identifier_is_of_a_type_that_can_hold_it(connection: Connection, name: str, kinds: dict[str, bool]) -> None:
    for kind, fits in kinds.items():
        run(connection, f"DROP TABLE IF EXISTS typed; CREATE TABLE typed (id bigint PRIMARY KEY, it {kind})")
        given = {"email": None, name: "it"}
        line = lines(connection, {"relation": "typed", **given})["users", name]
        assert (line.state is not State.FAIL) == fits, (kind, line)
        assert fits or "holds no" in line.found, (kind, line)
        assert fits or line.remedy


def test_a_large_table_is_judged_by_a_sample_and_says_so(connection: Connection) -> None:
    run(connection, "INSERT INTO people (id) SELECT n FROM generate_series(1000, 60999) n; ANALYZE people")
    assert lines(connection)["users", "relation"].found == "table, about 60,020 rows; looked at 10,000 of them"


def test_a_key_that_nothing_keeps_unique_is_worth_a_warning(connection: Connection) -> None:
    line = lines(connection, {"key": "zip"})["users", "key"]
    assert (line.state, line.remedy) == (State.WARN, "CREATE UNIQUE INDEX ON people (zip);")


def test_a_part_of_a_key_is_not_to_be_made_unique(connection: Connection) -> None:
    run(connection, "CREATE TABLE parts (shop int, no int, email text, PRIMARY KEY (shop, no))")
    line = lines(connection, {"relation": "parts", "key": "no"})["users", "key"]
    assert line.state is State.WARN
    assert "only a part of what identifies a row, which is `shop`, `no`" in line.found
    assert "INDEX" not in line.remedy


KEYED = (
    "CREATE TABLE keyed (id bigint, shop int, email text); INSERT INTO keyed VALUES (1, 1, 'a@b.de'), (2, 1, 'c@d.de');"
)
HEIR = "CREATE TABLE heir () INHERITS (keyed);"


@pytest.mark.parametrize(
    ("made", "state", "found", "remedy"),
    [
        ("ALTER TABLE keyed ADD PRIMARY KEY (id)", "ok", ", unique", ""),
        ("ALTER TABLE keyed ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED", "ok", ", unique", ""),
        ("CREATE UNIQUE INDEX ON keyed (id) INCLUDE (shop)", "ok", ", unique", ""),
        ("CREATE UNIQUE INDEX ON keyed (id) NULLS NOT DISTINCT", "ok", ", unique", ""),
        ("CREATE UNIQUE INDEX ON keyed (id) WHERE shop = 1", "warn", "nothing keeps it so", "CREATE UNIQUE INDEX ON keyed (id);"),
        ("CREATE UNIQUE INDEX ON keyed ((id + 0))", "warn", "nothing keeps it so", "CREATE UNIQUE INDEX ON keyed (id);"),
        (
            "CREATE UNIQUE INDEX once ON keyed (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'once'::regclass",
            "warn",
            "nothing keeps it so",
            "CREATE UNIQUE INDEX ON keyed (id);",
        ),
        ("CREATE INDEX ON keyed (id)", "warn", "nothing keeps it so", "CREATE UNIQUE INDEX ON keyed (id);"),
        (f"ALTER TABLE keyed ADD PRIMARY KEY (id); {HEIR}", "warn", "inherit from it (heir)", "partitioned table"),
        (
            f"ALTER TABLE keyed ADD PRIMARY KEY (id); {HEIR} INSERT INTO heir VALUES (1, 2, 'x@y.de')",
            "fail",
            "several rows have one key",
            "Map a view",
        ),
    ],
)  # fmt: skip
def test_a_key_is_unique_when_all_rows_are_under_the_index(
    connection: Connection, made: str, state: str, found: str, remedy: str
) -> None:
    run(connection, KEYED)
    run(connection, made)
    line = lines(connection, {"relation": "keyed", "key": "id"})["users", "key"]
    assert line.state == state
    assert found in line.found
    assert remedy in line.remedy


def test_an_index_of_a_partitioned_table_covers_its_partitions(connection: Connection) -> None:
    run(
        connection,
        "CREATE TABLE keyed (id bigint PRIMARY KEY, email text) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF keyed FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);"
        "CREATE TABLE lowest PARTITION OF low FOR VALUES FROM (0) TO (50); INSERT INTO keyed VALUES (1, 'a@b.de')",
    )
    assert lines(connection, {"relation": "keyed"})["users", "key"].found == "`id` bigint, unique"


def test_an_index_of_a_partitioned_table_alone_covers_nothing_yet(connection: Connection) -> None:
    run(
        connection,
        "CREATE TABLE keyed (id bigint, email text) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF keyed FOR VALUES FROM (0) TO (100); CREATE UNIQUE INDEX ON ONLY keyed (id);"
        "INSERT INTO keyed VALUES (1, 'a@b.de')",
    )
    assert lines(connection, {"relation": "keyed"})["users", "key"].state is State.WARN


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_key_twice_in_a_view_is_found(connection: Connection, kind: str) -> None:
    run(connection, f"CREATE {kind} twice AS SELECT * FROM people UNION ALL SELECT * FROM people")
    assert "several rows have one key" in lines(connection, {"relation": "twice"})["users", "key"].found


def test_rows_of_heirs_count_and_indexes_are_advised_for_each_table(connection: Connection) -> None:
    run(
        connection,
        "ALTER TABLE deeds ADD arrived timestamptz; CREATE TABLE late_deeds () INHERITS (deeds); CREATE INDEX ON deeds (arrived)",
    )
    run(
        connection,
        "INSERT INTO late_deeds OVERRIDING SYSTEM VALUE SELECT * FROM deeds; ANALYZE deeds; ANALYZE late_deeds",
    )
    found = lines(connection, None, {"arrived_at": "arrived"})
    assert found["events", "relation"].found.startswith("table, about 40 rows")
    assert (
        found["events", "arrived_at"].remedy == "CREATE INDEX ON deeds (arrived); CREATE INDEX ON late_deeds (arrived);"
    )


@pytest.mark.parametrize("kind", ["VIRTUAL", "STORED"])
def test_no_index_is_advised_on_a_virtual_generated_column(connection: Connection, kind: str) -> None:
    run(connection, f"DROP INDEX deeds_scan; ALTER TABLE deeds ADD moment timestamptz GENERATED ALWAYS AS (at) {kind}")
    run(connection, f"ALTER TABLE people ADD made bigint GENERATED ALWAYS AS (id * 2) {kind}")
    found = lines(connection, {"key": "made"}, {"arrived_at": "moment", "occurred_at": "moment"})
    remedies = [found[path].remedy for path in (("users", "key"), ("events",), ("events", "arrived_at"))]
    for remedy in remedies:
        assert ("a stored one, GENERATED ALWAYS AS (…) STORED; then CREATE" in remedy) == (kind == "VIRTUAL"), remedy
        if kind == "STORED":
            run(connection, remedy)


@pytest.mark.parametrize(
    ("events", "path", "state", "found"),
    [
        ({"id": "epoch"}, ("events", "id"), State.WARN, "the first 20 events have 1 different ones"),
        ({"id": "person"}, ("events", "id"), State.OK, "`person` bigint"),
        ({"relation": "dees"}, ("events", "relation"), State.FAIL, "there is no `dees`"),
        ({"occurred_at": "att"}, ("events", "occurred_at"), State.FAIL, "`deeds` has no column `att`"),
        ({"occurred_at": "plain"}, ("events", "occurred_at"), State.WARN, "read as meant in UTC"),
        (
            {"occurred_at": "epoch"},
            ("events", "occurred_at"),
            State.FAIL,
            "no cast from one type to the other: `bigint`, `timestamp with time zone`",
        ),
        ({"user": "code"}, ("events", "user"), State.FAIL, "`code` text cannot be compared with the users' key `id`"),
        ({"user": "epoch"}, ("events", "user"), State.OK, "`epoch` bigint"),
        ({"names": ["Buy", "Bye"]}, ("events", "names", 1), State.WARN, "no event is named `Bye`"),
    ],
)
def test_events(connection: Connection, events: Any, path: Any, state: State, found: str) -> None:
    line = lines(connection, None, events)[path]
    assert line.state is state
    assert found in line.found


def test_live_campaigns_need_an_index_by_arrival(connection: Connection) -> None:
    run(connection, "ALTER TABLE deeds ADD arrived timestamptz")
    path, given = ("events", "arrived_at"), {"arrived_at": "arrived"}
    assert lines(connection, None, given)[path].remedy == "CREATE INDEX ON deeds (arrived);"
    run(connection, "CREATE INDEX ON deeds (arrived)")
    assert lines(connection, None, given)[path].state is State.OK


def test_events_of_nobody_we_know_are_a_mistake(connection: Connection) -> None:
    run(connection, "UPDATE deeds SET person = person + 1000")
    assert "no event belongs to any user" in lines(connection)["events", "user"].found


def test_a_name_that_the_enumeration_lacks_would_fail_every_run(connection: Connection) -> None:
    run(
        connection,
        "CREATE TYPE deed AS ENUM ('Buy'); ALTER TABLE deeds ALTER name TYPE deed USING name::deed",
    )
    line = lines(connection, None, {"names": ["Buy", "Look"]})["events", "names", 1]
    assert (line.state, line.found) == (State.FAIL, "`Look` is no value of the enumeration in `name`")


@pytest.mark.parametrize(
    ("index", "state", "found"),
    [
        ("", State.WARN, "no index for the event scan: every rule reads all events; as long as they are so few"),
        ("CREATE INDEX ON deeds (person)", State.WARN, "no index for the event scan"),
        ("CREATE INDEX ON deeds (at)", State.WARN, "not by name"),
        ("CREATE INDEX ON deeds (name)", State.WARN, "not by time"),
        ("CREATE INDEX ON deeds (name, at)", State.OK, "deeds_name_at_idx"),
    ],
)
@pytest.mark.parametrize("name", ["Buy", "50% 'off' \\ :x"])
def test_the_index_for_events(connection: Connection, index: str, state: State, found: str, name: str) -> None:
    quoted = name.replace("'", "''")
    run(connection, f"DROP INDEX deeds_scan; UPDATE deeds SET name = '{quoted}'; {index or 'SELECT 1'}")
    line = lines(connection)["events",]
    assert line.state is state
    assert found in line.found
    assert line.remedy == ("" if state is State.OK else "CREATE INDEX ON deeds (name, at, person);")


def test_a_large_table_without_an_index_fails_the_check(connection: Connection) -> None:
    run(
        connection,
        "DROP INDEX deeds_scan; INSERT INTO deeds (person, name, at)"
        f" SELECT 1, 'Buy', '2026-11-01' FROM generate_series(1, {SMALL})",  # 20 are there
    )
    line = lines(connection)["events",]
    assert (line.state, line.found) == (State.FAIL, "no index for the event scan: every rule reads all events")


def test_every_statement_that_is_proposed_can_be_pasted_whatever_the_names(connection: Connection) -> None:
    run(
        connection,
        """
        CREATE SCHEMA "Shop"; ALTER TABLE deeds SET SCHEMA "Shop"; ALTER TABLE "Shop".deeds RENAME TO "Old.Deeds";
        ALTER TABLE "Shop"."Old.Deeds" RENAME name TO "order"; ALTER TABLE "Shop"."Old.Deeds" RENAME at TO "Ti""me";
        ALTER TABLE "Shop"."Old.Deeds" ADD arrived timestamptz; DROP INDEX "Shop".deeds_scan;
        ALTER TABLE people RENAME TO "People"; ALTER TABLE "People" RENAME zip TO "Zip";
        """,
    )
    events = {"relation": 'Shop."Old.Deeds"', "name": "order", "occurred_at": 'Ti"me', "arrived_at": "arrived"}
    given = ({"relation": "People", "key": "Zip"}, events)
    proposed = [line.remedy for line in lines(connection, *given).values() if line.remedy.startswith("CREATE")]
    assert len(proposed) == 3
    for statement in proposed:
        run(connection, statement)
    assert [line for line in lines(connection, *given).values() if line.remedy] == []


def test_a_foreign_table_or_a_view_is_not_to_be_indexed_itself(connection: Connection) -> None:
    run(
        connection,
        """
        DROP INDEX deeds_scan; CREATE VIEW deeds_seen AS SELECT id, person, name, at FROM deeds;
        CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
        CREATE FOREIGN TABLE far (id bigint, email text) SERVER nowhere;
        """,
    )
    line = lines(connection, None, {"relation": "deeds_seen"})["events",]
    assert line.remedy == "Make an index on the table below `deeds_seen`, on what stands there for name, at, person."
    assert "INDEX" not in lines(connection, {"relation": "far"})["users", "key"].remedy


def test_views_and_partitions_are_looked_through(connection: Connection) -> None:
    run(
        connection,
        """
        CREATE VIEW deeds_seen AS SELECT id, person::text AS who, name AS what, at AS moment FROM deeds;
        CREATE TABLE parted (id bigint, person bigint, name text, at timestamptz) PARTITION BY RANGE (at);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
        INSERT INTO parted SELECT n, n, 'Buy', '2026-11-01' FROM generate_series(1, 10) n;
        """,
    )
    view = {"relation": "deeds_seen", "user": "who", "name": "what", "occurred_at": "moment"}
    found = lines(connection, None, view)
    assert found["events", "relation"].found == "view; looked at all 20"
    assert found["events",].state is State.OK
    assert "person" not in found["events", "user"].found
    assert found["events", "user"].state is State.FAIL  # text against bigint
    assert lines(connection, None, {"relation": "parted"})["events",].state is State.WARN
    run(connection, "CREATE INDEX ON parted (name, at, person)")
    assert lines(connection, None, {"relation": "parted"})["events",].state is State.OK


@pytest.mark.parametrize(
    ("key", "personal"),
    [
        ("n || '@example.com'", True),
        ("'+1 (415) 555-' || n", True),
        ("n::text", False),
        ("encode(sha256(n::text::bytea), 'hex')", False),
    ],
)
def test_a_key_with_addresses_or_phone_numbers_is_a_mistake(connection: Connection, key: str, personal: bool) -> None:
    run(connection, f"CREATE VIEW keyed AS SELECT {key} AS who, email FROM people, LATERAL (SELECT id + 1000 AS n) s")
    line = lines(connection, {"relation": "keyed", "key": "who"})["users", "key"]
    assert (line.state is State.FAIL) is personal
    assert ("holds e-mail addresses or phone numbers" in line.found) is personal
    assert ("a generated id, or map a view" in line.remedy) is personal


def test_a_right_that_is_missing_is_said(connection: Connection) -> None:
    run(
        connection,
        "CREATE ROLE reader LOGIN; GRANT SELECT (id, name, at, person) ON deeds TO reader;"
        "GRANT SELECT ON people TO reader",
    )
    reader = Connection("catalog", host=connection.host, port=connection.port, login="reader", schema=connection.schema)
    properties = {"amount": {"jsonb": "payload", "path": "amount", "type": "number"}}
    line = lines(reader, None, {"properties": properties})["events", "properties", "amount"]
    run(connection, "DROP OWNED BY reader; DROP ROLE reader")
    assert line.state is State.FAIL
    assert line.found == "the login lacks the right to read: `deeds`"
    assert line.remedy.startswith("GRANT SELECT ON deeds TO")


def test_a_relation_that_may_not_be_read_is_granted_and_not_cast(connection: Connection) -> None:
    run(connection, "CREATE ROLE reader LOGIN; GRANT SELECT ON people TO reader")
    reader = Connection("catalog", host=connection.host, port=connection.port, login="reader", schema=connection.schema)
    found = lines(reader, None, {})
    run(connection, "DROP OWNED BY reader; DROP ROLE reader")
    wrong = {path: line for path, line in found.items() if line.state is State.FAIL}
    assert {("events", "occurred_at"), ("events", "user"), ("events",)} <= wrong.keys()
    assert {line.remedy for line in wrong.values()} == {"GRANT SELECT ON deeds TO the warehouse connection's login."}


def test_the_warehouse_is_only_read(connection: Connection) -> None:
    with Glance(connection) as glance:
        refusal = glance.ask("DELETE FROM deeds")
    assert refusal.sqlstate == "25006"


def test_no_warehouse_is_said_with_the_connection(connection: Connection) -> None:
    nowhere = Connection("warehouse", host=connection.host, port=1, login="postgres", schema="x")
    with pytest.raises(WarehouseUnreachableError, match="by the Airflow connection `warehouse`"):
        Glance(nowhere)


def test_the_sample_catalog_fits_the_sample_shop(connection: Connection) -> None:
    load_shop(connection.dsn(application="test"), as_of=datetime(2026, 11, 23, tzinfo=UTC), users=500, events=5000)
    _, sample = load_catalog(Path(__file__).parents[3])
    with Glance(connection) as glance:
        found = list(check_catalog(sample, glance))
    assert [line for line in found if line.remedy] == []
    assert len(found) > 30


def test_rows_that_policies_keep_from_the_login_are_told_of(connection: Connection) -> None:
    statements = """CREATE TABLE "Kept" (id bigint PRIMARY KEY, email text); ALTER TABLE "Kept" ENABLE ROW LEVEL SECURITY;
        DROP ROLE IF EXISTS kept_from; CREATE ROLE kept_from LOGIN; GRANT SELECT ON "Kept" TO kept_from"""
    run(connection, statements)
    catalog = Catalog.model_validate({"users": {"relation": "Kept", "key": "id", "email": "email"}})
    seen = []
    for login in ("postgres", "kept_from"):
        with Glance(replace(connection, login=login)) as glance:
            seen.append(next(iter(check_catalog(catalog, glance))))
    run(connection, "DROP OWNED BY kept_from; DROP ROLE kept_from")
    assert [line.state for line in seen] == [State.OK, State.WARN]
    assert "row-level security keeps back from the login" in seen[1].found
