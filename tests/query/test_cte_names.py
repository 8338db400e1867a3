"""The names that our statements make for themselves take no table away from anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.who.conftest import a_spec
from tests.who.draw import campaigns

import audiences
from audiences.campaign.reserved import PREFIX
from audiences.campaign.sql_tokens import tokens
from audiences.query.listed_ids import no_users, users_called
from audiences.query.render import render
from audiences.who.compile import qualified
from audiences.who.explanation import RuleSteps
from audiences.who.person import everybody, person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.who.conftest import Shop

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BUYERS = {"did": {"event": "Buy"}}
EVERYTHING = {
    "all": [{"segment": "listed"}, {"any": [{"segment": "counted"}, {"segment": "asked"}]}],
    "did": {"event": "Buy", "count": {"at_least": 1}},
    "did_not": {"event": "Look"},
}
SEGMENTS = {
    "listed": {"users": ["b", "c"]},
    "counted": {"rules": {"any": [BUYERS, {"not": BUYERS}]}},
    "asked": {"sql": "SELECT user_id FROM {name}"},
}


def made_by(statement: str) -> set[str]:
    """The names of the common table expressions of a statement: `name AS (`, `name (column) AS MATERIALIZED (`."""
    found, made = tokens(statement), set[str]()
    for number, token in enumerate(found):
        behind = [each.text for each in found[number + 1 : number + 3]]
        if token.kind != "word" or token.text != "as" or "(" not in behind[: 1 + (behind[:1] == ["materialized"])]:
            continue
        place = number - 1
        if found[place].text == ")":
            place = next(each for each in range(place, -1, -1) if found[each].text == "(") - 1
        made.add(found[place].text)
    return made


def statements(spec: Any) -> Iterator[str]:
    """All that a run, a preview, an explanation and an erasure ask about users."""
    yield render(qualified(spec, AT))
    yield render(qualified(spec, AT, users=["b"]))
    yield render(RuleSteps(spec, AT, "b").query)
    yield render(no_users(spec.catalog, ["b"]))
    yield render(users_called(spec.catalog, "b"))
    yield render(person(spec.catalog, "b")[0])
    yield render(everybody(spec.catalog, "email")[0])


def test_names_are_found_in_a_statement() -> None:
    assert made_by('WITH RECURSIVE a AS (SELECT 1), "B c" AS MATERIALIZED (SELECT 2 AS x) SELECT 1 AS y') == {
        "a",
        "B c",
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(campaigns())
def test_every_name_that_a_statement_makes_begins_as_no_table_does(drawn: dict[str, Any]) -> None:
    for statement in statements(a_spec(drawn["who"], segments=drawn["segments"])):
        assert {name for name in made_by(statement) if not name.startswith(PREFIX)} == set()


def short_names() -> list[str]:
    """What a table may be called like: each name that is made for a campaign with everything, with and without its beginning."""
    segments = {**SEGMENTS, "asked": {"sql": "SELECT 1 AS user_id"}}
    made = {name for statement in statements(a_spec(EVERYTHING, segments=segments)) for name in made_by(statement)}
    return sorted({name.removeprefix(PREFIX) for name in made} | {"given", "u", "e", "t", "b", "element", "component"})


@pytest.mark.integration
@pytest.mark.parametrize("name", short_names())
def test_a_segment_reads_the_customer_s_own_table_whatever_it_is_called(shop: Shop, name: str) -> None:
    shop.execute(f'CREATE TEMP TABLE "{name}" (user_id text)')
    shop.execute(f"INSERT INTO \"{name}\" VALUES ('b')")
    for user in "abcd":
        shop.add(user, "Buy", AT)
    asked = {**SEGMENTS, "asked": {"sql": f'SELECT user_id FROM "{name}"'}, "listed": {"users": ["a", "b"]}}
    assert shop.who({**EVERYTHING, "exclude_segment": "asked"}, at=AT, segments=asked) == {"a"}
    assert shop.who({**EVERYTHING, "segment": "asked"}, at=AT, segments=asked) == {"b"}


@pytest.mark.integration
@pytest.mark.parametrize("name", short_names())
def test_users_and_events_may_be_called_like_anything(shop: Shop, name: str) -> None:
    shop.add("b", "Buy", AT)
    shop.add("c", "Look", AT)
    asked = {**SEGMENTS, "asked": {"sql": "SELECT 'b'::text AS user_id"}}
    for part in ("users", "events"):
        shop.execute(f'ALTER TABLE {part} RENAME TO "{name}"')
        shop.catalog[part]["relation"] = f'"{name}"'
        assert shop.who({**EVERYTHING, "segment": "asked"}, at=AT, segments=asked) == {"b"}
        shop.execute(f'ALTER TABLE "{name}" RENAME TO {part}')
        shop.catalog[part]["relation"] = part


def test_nothing_else_gives_a_common_table_expression_its_name() -> None:
    package = Path(audiences.__file__).parent
    calling = {str(file.relative_to(package)) for file in package.rglob("*.py") if ".cte(" in file.read_text()}
    assert calling == {"query/cte_names.py"}
