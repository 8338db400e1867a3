from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audiences.campaign.operators import BY_TYPE, OPERATORS, Operator, Pair, Values
from audiences.campaign.windows import Window

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

PROPERTIES = {
    "string": "city",
    "integer": "age",
    "number": "lifetime_value",
    "boolean": "unsubscribed_email",
    "date": "born",
    "datetime": "signed_up_at",
    "version": "app_version",
    "list": "interests",
}
VALUES = {"string": "x", "integer": 5, "number": 1.5, "boolean": True, "version": '"3.10"', "list": "shoes"}


@pytest.fixture
def shop(folder: Folder) -> Folder:
    """The sample catalog and a plain date."""
    catalog = (folder.root / "include/warehouse.yml").read_text()
    born = "    born: {column: date_of_birth, type: date}\n"
    folder.write("include/warehouse.yml", catalog.replace("  properties:\n", f"  properties:\n{born}", 1))
    return folder


def written(operator: Operator, kind: str) -> str:
    """A value of this type as the operator has it in a file."""
    value = VALUES.get(kind, '"2026-01-01"')
    match operator.check:
        case "presence":
            return "true"
        case "window":
            return "last 3 days" if operator.value is Window else "2026-01-01"
        case "text" | "pattern":
            return "x"
    if operator.value is Pair:
        return f"[{value}, {value}]"
    return f"[{value}]" if operator.value is Values else str(value)


@pytest.mark.parametrize("kind", PROPERTIES)
@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_is_allowed_exactly_for_its_types(shop: Folder, kind: str, operator: str) -> None:
    shop.who(f"with_properties: {{{PROPERTIES[kind]}: {{{operator}: {written(OPERATORS[operator], kind)}}}}}")
    expected = [] if operator in BY_TYPE[kind] else ["wrong-operator"]
    assert shop.codes() == expected


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("city: 5", None),
        ("city: 1.5", "wrong-value-type"),
        ("city: true", "wrong-value-type"),
        ("age: 30.0", None),
        ("age: 30.5", "wrong-value-type"),
        ("age: {at_least: 30.5}", None),
        ("age: '30'", "wrong-value-type"),
        ("age: true", "wrong-value-type"),
        ("age: {between: [40, 25]}", "wrong-order"),
        ("lifetime_value: {in: [1, 2.5]}", None),
        ("lifetime_value: {in: [1, x]}", "wrong-value-type"),
        ("unsubscribed_email: no", "wrong-value-type"),
        ("unsubscribed_email: 0", "wrong-value-type"),
        ("born: 1990-05-01", None),
        ("born: {between: [1990-05-01, 1990-06-01]}", None),
        ("born: {between: [1990-06-01, 1990-05-01]}", "wrong-order"),
        ("born: {between: [1990-06-01, soon]}", "wrong-value-type"),
        ("born: {within: last 24 hours}", "wrong-value-type"),
        ("born: {before: 1990-05-01 10:00}", "wrong-value-type"),
        ("born: {within: {between: [1990-05-01 10:00, 1990-05-02]}}", "wrong-value-type"),
        ("born: {between: [1990-05-01 10:00, 1990-05-02]}", "wrong-value-type"),
        ("signed_up_at: {within: last 24 hours}", None),
        ("signed_up_at: {before: 1990-05-01 10:00}", None),
        ("signed_up_at: {between: [1990-05-01 10:00, 1990-05-02]}", None),
        ("signed_up_at: 5", "wrong-value-type"),
        ("app_version: '3.10'", None),
        ("app_version: 3", "wrong-value-type"),
        ("app_version: {at_least: 3.10}", "wrong-value-type"),
        ("app_version: '---'", "wrong-value-type"),
        ("interests: {contains_any: [shoes, 5]}", None),
        ("interests: {contains_any: [1.5]}", "wrong-value-type"),
        ("customer_type: Gold", None),
        ("customer_type: gold", "unknown-value"),
        ("customer_type: {contains: ol}", None),
        ("country: india", None),
        ("country: {in: [IN, deu, UK, 'Korea, Republic of']}", None),
        ("country: {not_in: [IN, Narnia]}", "unknown-country"),
        ("country: {starts_with: Unit}", None),
        ("city: {matches: '^[A-M].*'}", None),
        ("city: {matches: '('}", "bad-pattern"),
        ("city: {matches: '(a)\\1'}", "bad-pattern"),
        ("has_email: true", None),
        ("has_phone: {is_set: true}", None),
        ("has_fax: true", "unknown-property"),
        ("all: [{city: x}, {not: {any: [{cty: x}]}}]", "unknown-property"),
    ],
)
def test_values_fit_their_property(shop: Folder, condition: str, code: str | None) -> None:
    shop.who(f"with_properties:\n  {condition}")
    assert shop.codes() == ([code] if code else [])


def test_several_mistakes_in_one_tree_are_all_found_in_their_places(shop: Folder) -> None:
    shop.who("with_properties:\n  - any:\n      - cty: x\n      - not:\n          age: old\n  - oss: iOS")
    assert [(problem.line, problem.column, problem.key) for problem in shop.load().problems] == [
        (5, 11, "who.with_properties[0].any[0].cty"),
        (7, 18, "who.with_properties[0].any[1].not.age"),
        (8, 7, "who.with_properties[1].oss"),
    ]
