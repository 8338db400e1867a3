from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.catalog_and_settings import catalog_findings

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

USERS = {"relation": "users", "key": "id", "email": "email"}


def catalog(**users: object) -> Catalog:
    return Catalog.model_validate({"users": {**USERS, **users}})


def test_reachability_is_there_without_being_declared() -> None:
    properties = catalog(phone={"jsonb": "contact", "path": ["phones", "main"]}).user_properties()
    assert list(properties) == ["has_email", "has_phone"]
    assert properties["has_email"].column == "email"
    assert properties["has_phone"].path == ("phones", "main")
    assert {(each.type, each.group, each.derive) for each in properties.values()} == {
        ("boolean", "reachability", "is_set")
    }


def test_reachability_of_an_unmapped_identifier_is_not_there() -> None:
    assert list(catalog().user_properties()) == ["has_email"]


def test_a_declared_property_wins_over_the_implicit_one() -> None:
    declared = {"has_email": {"column": "reachable", "type": "boolean"}}
    assert catalog(properties=declared).user_properties()["has_email"].column == "reachable"


@pytest.mark.parametrize(
    ("declared", "derive"),
    [
        ({"column": "c", "type": "string"}, "country"),
        ({"column": "c", "type": "string", "group": "geography"}, "country"),
        ({"column": "c", "type": "string", "group": "user"}, None),
        ({"column": "c", "type": "integer"}, None),
    ],
)
def test_a_text_called_country_is_compared_as_a_country(declared: dict[str, str], derive: str | None) -> None:
    read = catalog(properties={"country": declared})
    assert read.user_properties()["country"].derive == derive
    assert Catalog.model_validate(read.model_dump(mode="json")) == read


def test_an_age_is_compared_as_a_whole_number() -> None:
    age = catalog(properties={"age": {"column": "born", "type": "date", "derive": "age"}}).user_properties()["age"]
    assert (age.type, age.compared_as) == ("date", "integer")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("timezone: UTC", "timezone: Utopia", "timezone: unknown time zone `Utopia`"),
        ("default_country: US", "default_country: XX", "default_country: `XX` is not a country"),
        ("default_country: US", "default_country: USA", "default_country: must be a country code of two letters"),
        (
            "type: date, derive: age",
            "type: string, derive: age",
            "users.properties.age: `derive: age` needs `type: date`",
        ),
        ("type: version", "type: versoin", "users.properties.app_version.type: `versoin` is not a type"),
        (
            "Bronze, Silver",
            "5.5, Silver",
            "users.properties.customer_type.values[0]: `5.5` is a number; put it in quotes",
        ),
        ("    city: {", "    not: {", "users.properties.not: no property can be called `not`"),
        ("column: city", "colum: city", "users.properties.city.colum: unknown key `colum`; did you mean `column`?"),
        ("column: city, ", "", "users.properties.city: needs `column: …`, or `jsonb: …` with `path: …`"),
        ("path: os,", "", "users.properties.os: `jsonb` and `path` belong together"),
        (
            "date_of_birth: date_of_birth",
            "date_of_birth: {column: born, pre_hashed: true}",
            "users.date_of_birth.pre_hashed: Facebook takes year, month and day as three hashes",
        ),
        (
            "date_of_birth: date_of_birth",
            "date_of_birth: {column: born, date_order: dmy}",
            "users.date_of_birth.date_order: `dmy` is not allowed here; allowed: day_first, month_first, year_first",
        ),
        (
            "first_name: first_name",
            "first_name: {column: name, date_order: day_first}",
            "users.first_name.date_order: unknown key `date_order`",
        ),
        (
            "phone: phone",
            "phone: {column: digest, pre_hashed: true, vanity: true}",
            "users.phone: a hash (`pre_hashed: true`) is sent as it is, so `vanity` has nothing to say; remove one of them",
        ),
        (
            "key: id",
            "key: email",
            "users.key: `email` is also the users' `email`, and the key is stored in the ledger as it is; name the column",
        ),
        ("key: id", "key: phone", "users.key: `phone` is also the users' `phone`"),
        ("key: id", "kee: id", "users.kee: unknown key `kee`; did you mean `key`?"),
    ],
)
def test_a_mistake_in_the_catalog_is_told_once_and_stops_every_campaign(
    folder: Folder, old: str, new: str, said: str
) -> None:
    for number in range(3):
        folder.campaign("name: x\n", f"c{number}.yml")
    text = (folder.root / "include/warehouse.yml").read_text()
    assert old in text
    folder.write("include/warehouse.yml", text.replace(old, new, 1))
    project = folder.load()
    (problem,) = project.problems
    assert f"include/warehouse.yml:{problem.line}:{problem.column}: {said}" in str(problem)
    assert len(project.broken) == 4
    for number in range(3):
        assert "include/warehouse.yml" in str(project.broken[f"campaigns/c{number}.yml"])


def test_a_hashed_identifier_or_the_external_id_may_be_the_key() -> None:
    hashed = {
        "key": "email_sha256",
        "email": {"column": "email_sha256", "pre_hashed": True},
        "external_id": "email_sha256",
    }
    assert list(catalog_findings(catalog(**hashed))) == []


@pytest.mark.parametrize("name", [".", "users.", "a..b", 'a"b', '"users', '""'])
def test_what_can_be_no_relation_is_refused(folder: Folder, name: str) -> None:
    folder.write("include/warehouse.yml", f"users: {{relation: '{name}', key: id, email: email}}\n")
    (problem,) = folder.problems()
    assert "names no table or view; write `users` or `shop.users`" in problem


def test_a_catalog_without_email_and_phone_is_refused(folder: Folder) -> None:
    folder.write("include/warehouse.yml", "users: {relation: users, key: id}\n")
    assert folder.codes() == ["unmapped-identifier"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ad_accounts: {}\n", "wrong-length"),
        ("ad_accounts: {main: {id: '1001', connection: x}}\n", "wrong-format"),
        ("ad_accounts: {main: {id: act_1, connection: x}}\ntimezone: Nowhere\n", "unknown-time-zone"),
        ("ad_accounts: {main: {id: act_1, connection: x}}\ncontrol_groups: {system: 100}\n", "out-of-range"),
        ("ad_accounts: {main: {id: act_1, connection: x}}\ntoken: secret\n", "unknown-key"),
    ],
)
def test_mistakes_in_the_settings_are_told(folder: Folder, text: str, code: str) -> None:
    folder.write("include/settings.yml", text)
    assert folder.codes() == [code]


@pytest.mark.parametrize(
    ("events", "places"),
    [("audiences__known", [("users", "relation"), ("events", "relation")]), ("events", [("users", "relation")])],
)
def test_no_relation_is_called_as_a_statement_calls_its_own_parts(events: str, places: list[tuple[str, ...]]) -> None:
    mapped = {"relation": events, "id": "id", "user": "user_id", "name": "name", "occurred_at": "at"}
    users = {**USERS, "relation": '"audiences__known"'}
    found = list(catalog_findings(Catalog.model_validate({"users": users, "events": mapped})))
    assert [(each.path, each.code) for each in found] == [(place, "not-allowed") for place in places]
