"""Ids of saved segments are compared with the key by the key's own type, however they are spelled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from audiences.query.conditions import text_of
from audiences.query.listed_ids import no_users, users_called, users_listed
from audiences.query.render import render

if TYPE_CHECKING:
    from tests.who.conftest import Shop

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def with_keys(shop: Shop, kind: str, *keys: str) -> None:
    """Users whose key is of this type."""
    shop.execute("DROP TABLE users")
    shop.execute(f"CREATE TEMP TABLE users (id {kind}, email text, phone text, opted_out boolean)")
    for key in keys:
        shop.execute(f"INSERT INTO users (id) VALUES ('{key}')")


def found(shop: Shop, segment: dict[str, Any]) -> set[str]:
    inside = shop.who({"segment": "s"}, at=AT, segments={"s": segment})
    outside = shop.who({"exclude_segment": "s"}, at=AT, segments={"s": segment})
    assert not inside & outside
    assert inside | outside == shop.who({"exclude_segment": "s"}, at=AT, segments={"s": {"users": []}})
    return inside


@pytest.mark.parametrize(
    ("kind", "keys", "given", "matched"),
    [
        ("bigint", ("2", "3"), ("2.00",), {"2"}),
        ("bigint", ("2", "3"), ("2 ", "\t3"), {"2", "3"}),
        ("bigint", ("7", "8"), ("007",), {"7"}),
        ("bigint", ("7", "8"), ("+7",), {"7"}),
        ("bigint", ("7", "-8"), ("-8.", "7.5"), {"-8"}),
        ("bigint", ("0", "8"), ("-0",), {"0"}),
        ("integer", ("9000", "8"), ("9E+3",), {"9000"}),
        ("smallint", ("7", "8"), ("7", "seven", "", "99999999999999999999", "0x8", "1e999", "NaN"), {"7"}),
        ("numeric", ("2.00", "3.5"), ("2", "3.50"), {"2.00", "3.5"}),
        ("numeric(12, 2)", ("2", "3"), ("2",), {"2.00"}),
        ("double precision", ("2", "3.5"), ("2.0", "3.5"), {"2", "3.5"}),
        ("numeric", ("NaN", "1"), ("1.0",), {"1"}),
        ("uuid", (UUID, OTHER), (UUID, f"{OTHER[:-1]}-"), {UUID}),
        ("uuid", (UUID, OTHER), (UUID.upper(),), {UUID}),
        ("uuid", (UUID, OTHER), (f"{{{UUID}}}", OTHER.replace("-", "")), {UUID, OTHER}),
        ("uuid", (UUID, OTHER), (f"{{{UUID}", "not a uuid", UUID[:-1]), set()),
        ("text", ("7", "007"), ("7",), {"7"}),
        ("text", ("7", "2.0"), ("007", "2", "+7"), set()),
        ("text", ("Ä", "ä"), ("Ä",), {"Ä"}),
        ("varchar(40)", (UUID, OTHER), (UUID.upper(),), set()),
        ("char(8)", ("A17", "A18"), ("A17", "A18     "), {"A17", "A18"}),
    ],
)
def test_listed_ids_are_compared_by_the_type_of_the_key(
    shop: Shop, kind: str, keys: tuple[str, ...], given: tuple[str, ...], matched: set[str]
) -> None:
    with_keys(shop, kind, *keys)
    assert found(shop, {"users": given}) == matched
    of_texts = ", ".join(f"($${each}$$)" for each in given)
    assert found(shop, {"sql": f"SELECT user_id FROM (VALUES {of_texts}) AS v (user_id)"}) == matched


@pytest.mark.parametrize(
    ("kind", "keys", "query", "matched"),
    [
        ("bigint", ("2", "3"), "SELECT 2.00 AS user_id", {"2"}),
        ("bigint", ("2", "3"), "SELECT 2::float8 AS user_id UNION SELECT 3", {"2", "3"}),
        ("bigint", ("9000000000000000", "3"), "SELECT 9.0e15::float8 AS user_id", {"9000000000000000"}),
        ("bigint", ("2", "3"), """SELECT '"2"'::jsonb AS user_id UNION ALL SELECT '3'::jsonb""", {"2", "3"}),
        ("bigint", ("2", "3"), """SELECT '{"id": "2"}'::json -> 'id' AS user_id""", {"2"}),
        ("bigint", ("2", "3"), "SELECT 'null'::jsonb AS user_id UNION ALL SELECT NULL UNION ALL SELECT '[2]'", set()),
        ("bigint", ("2", "3"), "SELECT '2 '::char(5) AS user_id", {"2"}),
        ("text", ("A", "B"), "SELECT 'A'::char(5) AS user_id", {"A"}),
        ("text", ("A", "B"), """SELECT '"A"'::jsonb AS user_id""", {"A"}),
        ("text", ("A ", "A"), "SELECT 'A '::text AS user_id", {"A "}),
        ("uuid", (UUID, OTHER), f"SELECT '{UUID.upper()}'::uuid AS user_id", {UUID}),
        ("uuid", (UUID, OTHER), f"SELECT upper('{UUID}') AS user_id", {UUID}),
        ("integer", ("2", "3"), "SELECT 2::bigint AS user_id UNION SELECT 9223372036854775807", {"2"}),
        ("integer", ("2", "3"), "SELECT 'abc' AS user_id", set()),
        ("date", ("2026-01-01", "2026-01-02"), "SELECT date '2026-01-01' AS user_id", {"2026-01-01"}),
    ],
)
def test_selected_ids_are_compared_by_the_type_of_the_key(
    shop: Shop, kind: str, keys: tuple[str, ...], query: str, matched: set[str]
) -> None:
    with_keys(shop, kind, *keys)
    assert found(shop, {"sql": query}) == matched


@pytest.mark.parametrize(
    ("kind", "keys", "listed", "spared"),
    [
        ("bigint", ("7", "8", "9", "10"), ("007", "+8", " 9", "x"), {"7", "8", "9"}),
        ("bigint", ("7", "8"), (7, 8.0, True), {"7", "8"}),
        ("numeric(12, 2)", ("7", "8"), ("7",), {"7.00"}),
        ("uuid", (UUID, OTHER), (UUID.upper(),), {UUID}),
        ("text", ("7", "007"), ("007",), {"007"}),
    ],
)
def test_who_is_never_held_out_is_told_by_the_type_of_the_key(
    shop: Shop, kind: str, keys: tuple[str, ...], listed: tuple[Any, ...], spared: set[str]
) -> None:
    with_keys(shop, kind, *keys)
    rows = shop.rows(shop.spec({"exclude_segment": "s", "never_hold_out": listed}, segments={"s": {"users": []}}), AT)
    assert {row["user_id"] for row in rows if row["never_held_out"]} == spared
    assert len(rows) == len(keys)
    catalog = shop.spec({"exclude_segment": "s"}, segments={"s": {"users": []}}).catalog
    named = shop.connection.execute(render(users_listed(catalog, map(text_of, listed))).encode()).fetchall()
    assert {row[0] for row in named} >= spared


@pytest.mark.parametrize(
    ("kind", "keys", "given", "called"),
    [
        ("bigint", ("7",), "007", ["7"]),
        ("bigint", ("8",), "+7", ["7"]),
        ("bigint", ("8",), "seven", ["seven"]),
        ("uuid", (OTHER,), UUID.upper(), [UUID]),
        ("numeric", ("7.0", "8"), "7", ["7.0"]),
        ("numeric", ("8",), "7", []),
        ("text", ("8",), "007", ["007"]),
    ],
)
def test_a_user_is_called_as_the_key_says_in_the_warehouse_or_not(
    shop: Shop, kind: str, keys: tuple[str, ...], given: str, called: list[str]
) -> None:
    with_keys(shop, kind, *keys)
    catalog = shop.spec({"exclude_segment": "s"}, segments={"s": {"users": []}}).catalog
    assert [
        row[0] for row in shop.connection.execute(render(users_called(catalog, given)).encode()).fetchall()
    ] == called


def test_a_domain_is_compared_as_what_it_is_made_of(shop: Shop) -> None:
    shop.execute("CREATE DOMAIN customer AS bigint CHECK (VALUE > 0)")
    with_keys(shop, "customer", "7", "8")
    assert found(shop, {"users": ["007"]}) == {"7"}
    assert found(shop, {"sql": "SELECT 8::customer AS user_id"}) == {"8"}


def test_a_domain_over_a_domain_is_compared_as_what_is_below_both(shop: Shop) -> None:
    shop.execute("CREATE DOMAIN positive AS bigint CHECK (VALUE > 0); CREATE DOMAIN customer AS positive")
    with_keys(shop, "customer", "7", "8")
    assert found(shop, {"users": ["007"]}) == {"7"}
    assert found(shop, {"sql": "SELECT '8.0' AS user_id"}) == {"8"}


def test_letter_case_is_nothing_to_a_citext(shop: Shop) -> None:
    try:
        shop.execute("SAVEPOINT s; CREATE EXTENSION IF NOT EXISTS citext")
    except Exception:  # noqa: BLE001  # whatever keeps the extension from being there
        pytest.skip("this server has no citext")
    with_keys(shop, "citext", "Abc", "def")
    assert found(shop, {"users": ["aBC"]}) == {"Abc"}


def test_the_ids_of_a_list_that_no_user_has_are_found_as_they_are_written(shop: Shop) -> None:
    with_keys(shop, "bigint", "7", "8")
    catalog = shop.spec({"exclude_segment": "s"}, segments={"s": {"users": []}}).catalog
    query = render(no_users(catalog, ["007", "8.0", "9", "Customer ID"]))
    assert [row[0] for row in shop.connection.execute(query.encode()).fetchall()] == ["9", "Customer ID"]
