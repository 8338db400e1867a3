"""The SELECT as a whole: its columns, the users' relation, opting out, and the limit to some users."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.who.conftest import a_spec

from audiences.query.columns import columns_of

if TYPE_CHECKING:
    from tests.who.conftest import Shop

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ALL = {"with_properties": {"has_email": {"is_set": True}}}


def what(*identifiers: str) -> dict[str, Any]:
    return {
        "name": "Campaign",
        "who": ALL,
        "what": {"audience": {"create": {"name": "Audience"}}, "identifiers": list(identifiers)},
        "when": {"now": True},
    }


def test_columns_are_those_of_the_identifiers_and_filters_in_a_fixed_order() -> None:
    spec = a_spec({"with_properties": {"vip": True, "all": [{"tier": "a"}, {"not": {"visits": 1}}]}})
    columns = columns_of(spec)
    assert columns.properties == {"tier": "property_1", "vip": "property_2", "visits": "property_3"}
    assert columns.names == (
        "user_id", "opted_out", "identifier_email", "identifier_phone", "property_1", "property_2", "property_3",
        "present_2", "present_3", "unread_opt_out",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("identifiers", "wanted"),
    [
        (("email",), ["email"]),
        (("phone",), ["phone", "country"]),
        (("email", "zip"), ["email", "zip", "country"]),
        (("country", "phone"), ["country", "phone"]),
        (("email", "madid"), ["email"]),
    ],
)
def test_what_depends_on_the_country_brings_it_along_where_it_is_mapped(
    shop: Shop, identifiers: tuple[str, ...], wanted: list[str]
) -> None:
    shop.catalog["users"] |= {"country": "land", "zip": "plz"}
    spec = shop.spec(ALL, campaign=what(*identifiers))
    assert list(columns_of(spec).identifiers) == wanted


@pytest.mark.integration
def test_the_statement_has_exactly_these_columns(shop: Shop) -> None:
    shop.catalog["users"]["properties"] = {
        "born": {"jsonb": "profile", "path": "born", "type": "date", "derive": "age"}
    }
    shop.user("u", email="a@b.c", phone=" 12 ", profile={"born": "2000-02-29"})
    spec = shop.spec({"with_properties": {"born": 5, "has_phone": True}})
    assert shop.rows(spec, AT) == [
        {
            "user_id": "u",
            "opted_out": False,
            "identifier_email": "a@b.c",
            "identifier_phone": " 12 ",
            "property_1": date(2000, 2, 29),
            "property_2": True,
            "present_1": True,
            "unread_opt_out": False,
        }
    ]


@pytest.mark.integration
def test_has_email_means_more_than_null_and_blanks(shop: Shop) -> None:
    for user, email in {"null": None, "empty": "", "blank": " \t\n", "some": " x "}.items():
        shop.user(user, email=email)
    rows = shop.rows(shop.spec(ALL), AT)
    assert {row["user_id"] for row in rows if row["property_1"]} == {"some"}
    assert None not in {row["property_1"] for row in rows}


@pytest.mark.integration
def test_any_opt_out_that_is_not_false_counts_and_null_is_false(shop: Shop) -> None:
    shop.catalog["users"]["opt_out"] = ["opted_out", {"jsonb": "profile", "path": ["mail", "unsubscribed"]}]
    for user, column, inside in [
        ("column", True, None),
        ("json", None, True),
        ("both", True, False),
        ("text", False, "yes"),
        ("number", None, 1),
        ("none", None, None),
        ("no", False, False),
        ("junk", None, {"x": 1}),
    ]:
        shop.user(user, opted_out=column, profile={"mail": {"unsubscribed": inside}})
    shop.user("no profile", opted_out=True)
    rows = shop.rows(shop.spec(ALL), AT)
    assert {row["user_id"] for row in rows if row["opted_out"]} == {
        "column",
        "json",
        "both",
        "text",
        "number",
        "no profile",
        "junk",
    }
    assert {row["opted_out"] for row in rows} == {True, False}


@pytest.mark.integration
def test_without_opt_out_columns_nobody_has_opted_out(shop: Shop) -> None:
    shop.catalog["users"]["opt_out"] = []
    shop.user("u", opted_out=True)
    assert [row["opted_out"] for row in shop.rows(shop.spec(ALL), AT)] == [False]


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["bigint", "integer", "uuid", "varchar(40)"])
def test_keys_of_any_type_come_out_as_text(shop: Shop, kind: str) -> None:
    key = "0b5a3c1e-8c52-4b7e-9b0e-1f1f1f1f1f1f" if kind == "uuid" else "42"
    shop.execute(f"ALTER TABLE users ALTER id TYPE {kind} USING id::{kind}")
    shop.execute(f"ALTER TABLE events ALTER user_id TYPE {kind} USING user_id::{kind}")
    shop.add(key, "Buy", AT)
    rules = {"any": [{"did": {"event": "Buy"}}, {"segment": "listed"}]}
    assert shop.who(rules, at=AT, segments={"listed": {"users": ["x", key]}}) == {key}
    assert [
        row["user_id"] for row in shop.rows(shop.spec(rules, segments={"listed": {"users": []}}), AT, users=[key])
    ] == [key]


@pytest.mark.integration
def test_the_limit_to_some_users_changes_nothing_but_who_is_asked_about(shop: Shop) -> None:
    for user in ("a", "b", "c"):
        shop.add(user, "Buy", AT)
    shop.user("d")
    spec = shop.spec({"did": {"event": "Buy"}})
    found = shop.rows(spec, AT, users=["a", "c", "d", "stranger", "'; --"])
    assert {row["user_id"] for row in found} == {"a", "c"}
    assert shop.rows(spec, AT, users=[]) == []
    never = shop.spec({"did_not": {"event": "Buy"}})
    assert {row["user_id"] for row in shop.rows(never, AT, users=["a", "d"])} == {"d"}


@pytest.mark.integration
def test_relations_and_columns_may_have_any_name(shop: Shop) -> None:
    shop.execute('CREATE SCHEMA "My.Schema"')
    shop.execute('CREATE TABLE "My.Schema"."All Users" ("Key%" text, "E-Mail" text, "select" text)')
    shop.execute("""INSERT INTO "My.Schema"."All Users" VALUES ('u', 'm', 's'), (NULL, 'n', 's')""")
    shop.catalog["users"] = {
        "relation": '"My.Schema"."All Users"',
        "key": "Key%",
        "email": "E-Mail",
        "properties": {"chosen": {"column": "select", "type": "string"}},
    }
    rows = shop.rows(shop.spec({"with_properties": {"chosen": "s"}}), AT)
    assert rows == [{"user_id": "u", "opted_out": False, "identifier_email": "m", "property_1": "s"}]


@pytest.mark.integration
def test_dates_and_times_that_never_end_count_as_null(shop: Shop) -> None:
    shop.execute("ALTER TABLE users ADD until date DEFAULT 'infinity', ADD since timestamptz DEFAULT '-infinity'")
    shop.catalog["users"]["properties"] = {
        "since": {"column": "since", "type": "datetime"},
        "until": {"column": "until", "type": "date"},
    }
    shop.user("u")
    spec = shop.spec({"with_properties": {"since": {"is_set": False}, "until": {"is_set": False}}})
    assert [(row["property_1"], row["property_2"]) for row in shop.rows(spec, AT)] == [(None, None)]


@pytest.mark.integration
@pytest.mark.parametrize("source", [{"column": "born"}, {"jsonb": "profile", "path": "born"}])
def test_a_birth_with_a_time_is_the_day_in_the_catalogs_zone(shop: Shop, source: dict[str, Any]) -> None:
    shop.execute("ALTER TABLE users ADD born timestamptz DEFAULT '2000-11-24 20:00+00'")
    shop.catalog |= {"timezone": "Asia/Kolkata"}
    shop.catalog["users"]["properties"] = {"age": {**source, "type": "datetime", "derive": "age"}}
    shop.user("u", profile={"born": "2000-11-25T00:00"})
    row = shop.rows(shop.spec({"with_properties": {"age": 26}}), AT)[0]
    assert row["property_1"] == date(2000, 11, 25)


@pytest.mark.integration
def test_a_list_in_json_is_read_without_its_nulls_and_with_everything_else_as_text(shop: Shop) -> None:
    shop.catalog["users"]["properties"] = {"tags": {"jsonb": "profile", "path": "tags", "type": "list"}}
    shop.user("u", profile={"tags": ["a", None, 1, True, {"b": 2}]})
    row = shop.rows(shop.spec({"with_properties": {"tags": {"is_set": True}}}), AT)[0]
    assert row["property_1"] == ["a", "1", "true", '{"b": 2}']


@pytest.mark.integration
@pytest.mark.parametrize("number", [10**199, -(10**198), 10**400, 1e-190, 1e300])
def test_a_number_in_json_beyond_two_hundred_characters_is_null_and_no_error(shop: Shop, number: float) -> None:
    shop.catalog["users"]["properties"] = {"n": {"jsonb": "profile", "path": "n", "type": "number"}}
    shop.user("u", profile={"n": number})
    row = shop.rows(shop.spec({"with_properties": {"n": {"is_set": True}}}), AT)[0]
    assert row["property_1"] == (None if abs(number) >= 10**200 else float(number))


@pytest.mark.integration
@pytest.mark.parametrize("rules", [{"did_not": {"event": "Buy"}}, {}, {"any": [{"did_not": {"event": "Buy"}}]}])
def test_a_row_without_a_key_is_nobody(shop: Shop, rules: dict[str, Any]) -> None:
    """As a view has where an outer join finds no user."""
    shop.user("u")
    shop.execute("CREATE TEMP VIEW people AS SELECT * FROM users UNION ALL SELECT NULL, 'x@y.z', NULL, NULL, NULL")
    shop.catalog["users"]["relation"] = "people"
    assert {row["user_id"] for row in shop.rows(shop.spec(rules or ALL), AT)} <= {"u"}
