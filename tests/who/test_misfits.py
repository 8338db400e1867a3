"""A value that does not fit its type is null for that user alone, whatever column or document it stands in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from adbc_driver_postgresql import dbapi
from psycopg import sql
from tests.who.conftest import a_spec, shop_catalog

from audiences.query.columns import columns_of
from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NAN, INF = "NaN", "Infinity"
MISFIT = object()

# (type of the column, declared type, value as text, what a run reads)
VALUES: list[tuple[str, str, str | None, Any]] = [
    ("double precision", "integer", NAN, MISFIT),
    ("double precision", "integer", INF, MISFIT),
    ("double precision", "integer", "-Infinity", MISFIT),
    ("double precision", "integer", "1e20", MISFIT),
    ("double precision", "integer", "2.6", 3),
    ("double precision", "integer", "1e3", 1000),
    ("real", "integer", NAN, MISFIT),
    ("real", "integer", "12", 12),
    ("numeric", "integer", NAN, MISFIT),
    ("numeric", "integer", INF, MISFIT),
    ("numeric", "integer", "1e400", MISFIT),
    ("numeric", "integer", "9223372036854775807", 2**63 - 1),
    ("numeric", "integer", "9223372036854775807.5", MISFIT),
    ("numeric", "integer", "-9223372036854775808.4", -(2**63)),
    ("text", "integer", " 42 ", 42),
    ("text", "integer", "42.0", 42),
    ("text", "integer", "n/a", MISFIT),
    ("text", "integer", "", MISFIT),
    ("text", "integer", NAN, MISFIT),
    ("text", "integer", None, None),
    ("smallint", "integer", "7", 7),
    ("bigint", "number", "7", 7.0),
    ("double precision", "number", NAN, MISFIT),
    ("double precision", "number", INF, MISFIT),
    ("double precision", "number", "-Infinity", MISFIT),
    ("double precision", "number", "1.7e308", 1.7e308),
    ("real", "number", INF, MISFIT),
    ("real", "number", "0.5", 0.5),
    ("numeric", "number", NAN, MISFIT),
    ("numeric", "number", INF, MISFIT),
    ("numeric", "number", "1e400", MISFIT),
    ("numeric", "number", "-1e400", MISFIT),
    ("numeric", "number", "1e-400", MISFIT),
    ("numeric", "number", "0", 0.0),
    ("numeric", "number", "-12.25", -12.25),
    ("text", "number", "1e400", MISFIT),
    ("text", "number", " 1e3 ", 1000.0),
    ("text", "number", "1,5", MISFIT),
    ("date", "date", "infinity", MISFIT),
    ("date", "date", "-infinity", MISFIT),
    ("date", "date", "0044-03-15 BC", MISFIT),
    ("date", "date", "20000-01-01", MISFIT),
    ("date", "date", "0001-01-01", date.min),
    ("date", "date", "9999-12-31", date.max),
    ("timestamptz", "date", "infinity", MISFIT),
    ("timestamptz", "date", "2026-01-31 12:00+00", date(2026, 1, 31)),
    ("text", "date", "2026-02-30", MISFIT),
    ("text", "date", "20260131", date(2026, 1, 31)),
    ("text", "date", "2026-01-31", date(2026, 1, 31)),
    ("text", "date", "yesterday", MISFIT),
    ("timestamptz", "datetime", "infinity", MISFIT),
    ("timestamptz", "datetime", "294276-12-31 23:59:59+00", MISFIT),
    ("timestamptz", "datetime", "4713-01-01 00:00:00+00 BC", MISFIT),
    ("timestamptz", "datetime", "2026-01-31 12:00+02", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ("timestamp", "datetime", "294276-12-31 23:59:59", MISFIT),
    ("date", "datetime", "5874897-12-31", MISFIT),
    ("text", "datetime", "soon", MISFIT),
    ("text", "datetime", "2026-01-31 12:00:00+02", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ("integer", "boolean", "2", MISFIT),
    ("integer", "boolean", "1", True),
    ("text", "boolean", "maybe", MISFIT),
    ("text", "boolean", " Yes ", True),
    ("boolean", "boolean", "f", False),
    ("text[]", "list", "[2:3]={a,b}", ["a", "b"]),
    ("text[]", "list", "{{a,b},{c,NULL}}", ["a", "b", "c", None]),
    ("text[]", "list", "[0:0][5:6]={{a,b}}", ["a", "b"]),
    ("text[]", "list", "{NULL,a}", [None, "a"]),
    ("text[]", "list", "{}", []),
    ("text[]", "list", None, None),
    ("integer[]", "list", "[-1:0]={1,2}", ["1", "2"]),
    ("numeric[]", "list", "[3:4]={1.50,NULL}", ["1.50", None]),
    ("boolean[]", "list", "{{t},{f}}", ["true", "false"]),
    ("date[]", "list", "[3:3]={2026-01-31}", ["2026-01-31"]),
    ("information_schema.sql_identifier[]", "list", "[0:0]={a}", ["a"]),
    ("information_schema.sql_identifier[]", "list", "{b,NULL}", ["b", None]),
    ("text", "list", "[2:2]={a}", MISFIT),
    ("text", "list", '{a,"b c",NULL}', ["a", "b c", None]),
    ("text", "list", "a,b", MISFIT),
    ("text", "list", "{a", MISFIT),
    ("text", "list", "{a,}", MISFIT),
    ("text", "list", "{}", []),
]  # fmt: skip
# (declared type, the document, what a run reads under `it`)
DOCUMENTS: list[tuple[str, str, Any]] = [
    ("number", '{"it": 1e400}', MISFIT),
    ("number", '{"it": 1e200000}', MISFIT),
    ("number", '{"it": 1, "other": 1e200000}', 1.0),
    ("number", '{"it": "1e400"}', MISFIT),
    ("number", '{"it": "NaN"}', MISFIT),
    ("number", '{"it": 1, "it": 2}', 2.0),
    ("number", f'{{"it": {"9" * 200_000}}}', MISFIT),
    ("integer", '{"it": 1e400}', MISFIT),
    ("integer", '{"it": 1e200000}', MISFIT),
    ("integer", '{"it": 99999999999999999999}', MISFIT),
    ("integer", '{"it": 5}', 5),
    ("integer", '{"it": null}', None),
    ("integer", "{}", None),
    ("string", r'{"it": "x", "other": "\u0000"}', MISFIT),
    ("string", r'{"it": "\u0000"}', MISFIT),
    ("string", r'{"it": "\ud800"}', MISFIT),
    ("string", r'{"it": "x", "other": "\udc00\ud800"}', MISFIT),
    ("string", r'{"it": "x", "other": "\ud83d"}', MISFIT),
    ("string", r'{"it": "x", "\ud83d": 1}', MISFIT),
    ("string", r'{"it": "\ud83d\ude00"}', "\U0001f600"),
    ("string", r'{"it": "\\u0000", "other": "\\\\ud800"}', r"\u0000"),
    ("string", r'{"it": "caf\u00e9"}', "café"),
    ("string", '{"it": {"a": 1}}', MISFIT),
    ("string", '{"it": "model e12345"}', "model e12345"),
    ("list", '{"it": ["a", null, ["b"]]}', ["a", '["b"]']),
    ("list", r'{"it": ["a"], "other": "\u0000"}', MISFIT),
    ("list", "{" + '"it": ' + "[" * 5_000 + "]" * 5_000 + "}", ["[" * 4_999 + "]" * 4_999]),
    ("boolean", '{"it": "maybe"}', MISFIT),
    ("date", '{"it": "infinity"}', MISFIT),
    ("date", '{"it": "12345-01-01"}', MISFIT),
    ("datetime", '{"it": "0044-03-15T00:00Z BC"}', MISFIT),
]


@pytest.fixture(scope="module")
def read(who_database: str) -> Iterator[Callable[..., list[tuple[Any, bool | None]]]]:
    """Reads one column of several rows as a run does: each row's value, and whether there was any."""
    once = {"autocommit": True, "prepare_threshold": None}  # the table is another one each time
    with psycopg.connect(who_database, **once) as connection, dbapi.connect(who_database) as reader:
        connection.execute("SET TIME ZONE 'UTC'")

        def rows(kind: str, source: dict[str, Any], values: list[str | None]) -> list[tuple[Any, bool | None]]:
            connection.execute("DROP TABLE IF EXISTS misfits")
            connection.execute(f"CREATE TABLE misfits (id text PRIMARY KEY, it {kind})".encode())
            for number, value in enumerate(values):
                connection.execute("INSERT INTO misfits VALUES (%s, %s)", [f"{number:04}", value])
            catalog = shop_catalog()
            catalog["users"] = {"relation": "misfits", "key": "id", "properties": {"it": source}}
            spec = a_spec({"with_properties": {"it": {"is_set": True}}}, catalog=catalog)
            columns = columns_of(spec)
            with reader.cursor() as cursor:
                cursor.execute(render(qualified(spec, AT)))
                table = cursor.fetch_arrow_table().sort_by("user_id")
            reader.rollback()
            found = table.column(columns.properties["it"]).to_pylist()
            there = table.column(columns.present["it"]).to_pylist() if "it" in columns.present else [None] * len(found)
            return list(zip(found, there, strict=True))

        yield rows
        connection.execute("DROP TABLE IF EXISTS misfits")


def expected(value: Any) -> tuple[Any, bool]:
    return (None, True) if value is MISFIT else (value, value is not None)


@pytest.mark.parametrize(("kind", "declared"), sorted({each[:2] for each in VALUES}))
def test_a_value_of_a_column_that_does_not_fit_is_null(read: Any, kind: str, declared: str) -> None:
    cases = [(value, wanted) for column, said, value, wanted in VALUES if (column, said) == (kind, declared)]
    found = read(kind, {"column": "it", "type": declared}, [value for value, _ in cases])
    assert dict(zip([value for value, _ in cases], found, strict=True)) == {
        value: expected(wanted) for value, wanted in cases
    }


@pytest.mark.parametrize("kind", ["json", "jsonb"])
@pytest.mark.parametrize("declared", sorted({each[0] for each in DOCUMENTS}))
def test_a_document_that_cannot_be_read_is_null(read: Any, kind: str, declared: str) -> None:
    cases = [(text, wanted) for said, text, wanted in DOCUMENTS if said == declared]
    if kind == "jsonb":  # which takes some of them only
        cases = [each for each in cases if _is_jsonb(each[0])]
    found = read(kind, {"jsonb": "it", "path": "it", "type": declared}, [text for text, _ in cases])
    for (text, wanted), got in zip(cases, found, strict=True):
        assert got == expected(wanted), text[:80]


def _is_jsonb(text: str) -> bool:
    if "e200000" in text or "[[[" in text or len(text) > 150_000:
        return False
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text.replace("\\\\", "")


def test_an_opt_out_that_is_neither_yes_nor_no_keeps_the_user_out(read: Any, who_database: str) -> None:
    with psycopg.connect(who_database) as connection:
        connection.execute("CREATE TEMP TABLE people (id text, stop text, flag int, profile json)")
        rows = [
            ("plain", None, None, None), ("said no", "no", 0, '{"stop": false}'), ("word", "unsubscribed", None, None),
            ("number", None, 2, None), ("document", None, None, '{"stop": "since May"}'),
            ("broken", None, None, r'{"other": "\u0000"}'), ("absent", None, None, '{"stop": null}'),
        ]  # fmt: skip
        for row in rows:
            connection.execute("INSERT INTO people VALUES (%s, %s, %s, %s)", row)
        catalog = shop_catalog()
        opt_out = ["stop", "flag", {"jsonb": "profile", "path": "stop"}]
        catalog["users"] = {"relation": "people", "key": "id", "email": "id", "opt_out": opt_out}
        query = render(qualified(a_spec({}, catalog=catalog), AT))
        found = {row[0] for row in connection.execute(sql.SQL(query)).fetchall() if row[1]}  # type: ignore[arg-type]  # our own text
    assert found == {"word", "number", "document", "broken"}
