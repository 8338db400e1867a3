from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("did: {event: Charged}", None),
        ("did: {event: charged}", "unknown-event"),
        ("did: {any_of: [Charged, Payed]}", "unknown-event"),
        ("did_not: {all_of: [Charged, Payed]}", "unknown-event"),
        ("did: {event: Charged, where: {amount: {at_least: 5}}}", None),
        ("did: {event: Charged, where: {price: 5}}", "unknown-property"),
        ("did: {event: Charged, where: {amount: '5'}}", "wrong-value-type"),
        ("did: {event: Charged, sum: {of: amount, at_least: 5}}", None),
        ("did: {event: Charged, sum: {of: category, at_least: 5}}", "wrong-value-type"),
        ("did: {event: Charged, average: {of: price, at_least: 5}}", "unknown-property"),
        ("did: {event: Charged, average: {of: amount, between: [5, 1]}}", "wrong-order"),
        ("did: {event: Charged, count: {at_least: 0}}", None),
        ("did: {event: Charged, count: {at_least: -1}}", "wrong-value-type"),
        ("did: {event: Charged, count: {equals: 1.5}}", "wrong-value-type"),
        ("did: {event: Charged, count: {equals: 0}}", "matches-nobody"),
        ("did: {event: Charged, count: {at_most: 0}}", "matches-nobody"),
        ("did: {event: Charged, count: {less_than: 1}}", "matches-nobody"),
        ("did: {event: Charged, count: {between: [0, 0]}}", "matches-nobody"),
        ("did: {event: Charged, count: {less_than: 1}, or_never: true}", None),
        ("did: {event: Charged, count: {less_than: 5}}", None),
        ("did: {event: Charged, count: {between: [5, 1]}}", "wrong-order"),
        ("segment: nobody", "unknown-segment"),
        ("all: [{any: [{not: {did: {event: Payed}}}]}]", "unknown-event"),
    ],
)
def test_rules_fit_the_catalog(folder: Folder, rule: str, code: str | None) -> None:
    folder.who(rule)
    assert folder.codes() == ([code] if code else [])


def test_without_a_list_of_names_any_event_is_allowed(folder: Folder) -> None:
    catalog = (folder.root / "include/warehouse.yml").read_text()
    folder.write("include/warehouse.yml", "".join(line for line in catalog.splitlines(True) if "  names:" not in line))
    folder.who("did: {event: Whatever}")
    assert folder.codes() == []


def test_without_events_in_the_catalog_no_rule_over_events_is_allowed(folder: Folder) -> None:
    catalog = (folder.root / "include/warehouse.yml").read_text()
    folder.write("include/warehouse.yml", catalog.partition("events:")[0])
    folder.who("did: {event: Charged, where: {amount: 5}, sum: {of: amount, at_least: 1}}")
    assert folder.codes() == ["no-events"]


def test_a_campaign_may_filter_all_users_by_properties_alone(folder: Folder) -> None:
    folder.who("with_properties: {customer_type: Gold}")
    assert folder.spec().campaign.who.empty
