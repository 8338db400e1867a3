"""Names of events and values of properties are those of the file to the letter, whatever the columns think of equality."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from audiences.campaign.rules import Rules
from audiences.campaign.yaml_reader import parse

if TYPE_CHECKING:
    from tests.who.conftest import Shop

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
COMPOSED, APART = "Caf\u00e9", "Cafe\u0301"
SPELLINGS = [
    "Buy", "buy", " Buy", "Buy ", "Buy\t", "Buy\n", "\u00a0Buy", "Buy\u00a0", "Buy\u200b", "B uy", COMPOSED, APART, "100%", "a:b",
    "'", '"', "\\", "\\n", "no", "1", "1.0", "~", "İ", "i̇", "ß", "ss",
]  # fmt: skip
# As citext is made, which the embedded server does not have, no more than collations that are not deterministic.
LOOSE = """
CREATE TYPE loose;
CREATE FUNCTION loose_in(cstring) RETURNS loose LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION loose_out(loose) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE loose (INPUT = loose_in, OUTPUT = loose_out, LIKE = text, CATEGORY = 'S');
CREATE CAST (loose AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS loose) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION loose_eq(loose, loose) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT lower(btrim($1::text)) = lower(btrim($2::text))';
CREATE OPERATOR = (LEFTARG = loose, RIGHTARG = loose, FUNCTION = loose_eq);
"""
COLUMNS = {
    "text": "",
    "varchar": "ALTER TABLE events ALTER name TYPE varchar(40);",
    "domain": "CREATE DOMAIN pg_temp.title AS text; ALTER TABLE events ALTER name TYPE pg_temp.title;",
    "loose": f"{LOOSE} ALTER TABLE events ALTER name TYPE loose, ALTER category TYPE loose;",
}


def from_file(rule: dict[str, Any], *, style: str | None) -> dict[str, Any]:
    """The rule as the product reads it from a file."""
    return parse(yaml.dump(rule, default_style=style, allow_unicode=True), "segment.yml").data


@pytest.mark.parametrize("style", [None, "'", '"'])
def test_a_name_in_a_file_keeps_its_blanks(style: str | None) -> None:
    for name in SPELLINGS:
        for key, value in (("event", name), ("any_of", [name]), ("all_of", [name, "x"])):
            did = Rules.model_validate(from_file({"did": {key: value}}, style=style)).did
            assert did is not None
            assert did.events[0] == name


@pytest.mark.parametrize("column", COLUMNS)
def test_names_and_values_match_themselves_alone(shop: Shop, column: str) -> None:
    shop.execute(COLUMNS[column])
    for number, spelling in enumerate(SPELLINGS):
        shop.add(f"named {number}", spelling, AT)
        shop.add(f"valued {number}", "Look", AT, category=spelling)
    for number, spelling in enumerate(SPELLINGS):
        assert shop.who({"did": {"event": spelling}}, at=AT) == {f"named {number}"}, repr(spelling)
        both = {"did": {"any_of": [spelling, "nothing of the kind"], "count": {"at_least": 1}}}
        assert shop.who(both, at=AT) == {f"named {number}"}, repr(spelling)
        valued = {"did": {"event": "Look", "where": {"category": spelling}}}
        assert shop.who(valued, at=AT) == {f"valued {number}"}, repr(spelling)


def test_a_column_of_fixed_width_has_no_blanks_at_the_end(shop: Shop) -> None:
    shop.execute("ALTER TABLE events ALTER name TYPE char(12), ALTER category TYPE char(12)")
    shop.add("plain", "Buy", AT, category="shoes")
    shop.add("ahead", " Buy", AT, category=" shoes")
    assert shop.who({"did": {"event": "Buy", "where": {"category": "shoes"}}}, at=AT) == {"plain"}
    assert shop.who({"did": {"event": " Buy", "where": {"category": " shoes"}}}, at=AT) == {"ahead"}
    assert shop.who({"did": {"event": "Buy "}}, at=AT) == set()


def test_an_enumeration_is_compared_by_its_labels(shop: Shop) -> None:
    shop.execute(
        "CREATE TYPE pg_temp.deed AS ENUM ('Buy', 'Buy ');"
        "ALTER TABLE events ALTER name TYPE pg_temp.deed USING name::pg_temp.deed"
    )
    shop.add("plain", "Buy", AT)
    shop.add("blank", "Buy ", AT)
    assert shop.who({"did": {"event": "Buy "}}, at=AT) == {"blank"}


def test_did_not_and_all_of_tell_names_apart(shop: Shop) -> None:
    shop.execute(COLUMNS["loose"])
    shop.add("upper", "Buy", AT)
    shop.add("lower", "buy", AT)
    shop.add("both", "Buy", AT)
    shop.add("both", "buy", AT)
    assert shop.who({"did": {"all_of": ["Buy", "buy"]}}, at=AT) == {"both"}
    assert shop.who({"did_not": {"event": "Buy"}}, at=AT) == {"lower"}
