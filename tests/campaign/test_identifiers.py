"""The table of identifiers, and that nothing else has to be told which there are."""

from __future__ import annotations

import pytest
from tests.campaign.conftest import ROOT

from audiences.campaign.catalog import Catalog
from audiences.campaign.identifier_fields import Field, table
from audiences.campaign.identifiers import FIELDS
from audiences.campaign.what import What

# Ledgers hold these numbers: a new key is added here, and none that is here is ever changed.
NUMBERS = {
    **{"EMAIL": 1, "PHONE": 2, "EXTERN_ID": 3, "FN": 4, "LN": 5, "CT": 6, "ST": 7, "ZIP": 8, "COUNTRY": 9, "DOBY": 10},
    **{"DOBM": 11, "DOBD": 12, "GEN": 13, "MADID": 14, "FI": 15},
}


def field(name: str = "shoe_size", number: int = 60, **more: object) -> Field:
    entry = {"keys": {"SHOE": number}, "means": "Size of shoes.", "columns": ("text",), "identifying": False}
    return Field(**{"name": name, **entry, **more})


def test_the_numbers_of_keys_are_those_that_ledgers_hold() -> None:
    assert {key: number for each in FIELDS.values() for key, number in each.keys.items()} == NUMBERS, (
        "a key has no number in this test, or another one: its number in ledgers"
    )


def test_what_an_entry_leaves_out_stands_for_the_careful_side() -> None:
    entry = field()
    assert entry.private, "masked wherever values are shown"
    assert entry.hashed, "never sent as it is"
    assert not entry.common, "no list of values names it"
    assert not entry.own_id, "no key of users in the ledger"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ((field(), field(number=61)), "shoe_size is in the table more than once"),
        ((field(), field("size", 61, aliases=("shoe_size",))), "shoe_size is in the table more than once"),
        (
            (field(), field("size", keys={"SIZE": 60})),
            "`size`: SIZE cannot have the number 60; give it one of its own, 1",
        ),
        ((field(number=0),), "`shoe_size`: SHOE cannot have the number 0"),
        ((field(number=63),), "`shoe_size`: SHOE cannot have the number 63"),
        ((field(), field("size", 61)), "SHOE has more than one number"),
        ((field(), field("size", hashed=False)), "`size`: SHOE is hashed in one entry of the table and not in another"),
        ((field(common=True),), "`shoe_size` is `common`, so it can be neither `private` nor `identifying`"),
    ],
)
def test_a_table_that_contradicts_itself_cannot_be_imported(entries: tuple[Field, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        table(entries)


@pytest.mark.parametrize("name", FIELDS)
def test_an_identifier_is_a_word_of_campaigns_and_a_key_of_the_catalog(name: str) -> None:
    chosen = {"audience": {"create": {"name": "x"}}, "identifiers": ["email", *({name} - {"email"})]}
    assert name in What.model_validate(chosen).identifiers
    catalog = Catalog.model_validate({"users": {"relation": "users", "key": "id", "email": "a", name: "b"}})
    assert catalog.users.identifiers()[name].column == "b"


def test_two_identifiers_that_fill_the_same_key_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="`date_of_birth` and `month_of_birth` both fill Facebook's DOBM; keep one"):
        What.model_validate(
            {
                "audience": {"create": {"name": "x"}},
                "identifiers": ["email", "date_of_birth", "month_of_birth"],
            }
        )


def test_an_identifier_or_an_option_that_nobody_uses_changes_no_digest() -> None:
    """Digests of campaigns on record were made of this JSON; with `approval: required` another one has to be approved anew."""
    plain = {"column": "it", "jsonb": None, "path": None, "pre_hashed": False}
    given = {"email": "it", "phone": "it", "last_name": "it", "date_of_birth": "it"}
    users = Catalog.model_validate({"users": {"relation": "users", "key": "id", **given}}).model_dump(mode="json")[
        "users"
    ]
    assert users == {
        **{"relation": "users", "key": "id", "opt_out": [], "properties": {}},
        **dict.fromkeys(given, plain),
        **dict.fromkeys(("external_id", "first_name", "city", "region", "zip", "country", "gender", "madid")),
    }


def test_the_page_lists_the_identifiers() -> None:
    page = (ROOT / "docs/identifiers.md").read_text()
    for each in FIELDS.values():
        keys = ", ".join(f"`{key}`" for key in each.keys)
        sent = "hashed" if each.hashed else "as it is"
        row = f"| `{each.name}` | {each.means.removesuffix('.')} | {keys} | {sent} | {', '.join(each.columns)} |"
        assert row in page.splitlines(), f"docs/identifiers.md lacks the row of `{each.name}`:\n{row}"
