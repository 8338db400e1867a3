"""Values that are none of their declared type count as missing in a run, which says of which property and how many."""

from __future__ import annotations

import pytest
from tests.pipeline.conftest import CATALOG

pytestmark = pytest.mark.integration
WHO = {"did": {"event": "Added To Cart"}, "with_properties": {"any": [{"age": {"at_least": 18}}, {"tier": "Gold"}]}}
SAID = "`age`: 2 values of type integer could not be read and count as missing"


@pytest.fixture
def campaign(shop):
    for number in range(1, 5):
        shop.user(number, f"user{number}@example.com", age=20, tier="Gold" if number == 1 else None)
        shop.event(number)
    return lambda **given: shop.campaign(who=WHO, **given)


def test_a_run_and_a_preview_name_the_property_and_count_its_values(shop, campaign):
    shop.sql("alter table users alter age type double precision")
    shop.sql("update users set age = 'NaN' where id = 1; update users set age = 'Infinity' where id = 2")
    assert shop.preview(campaign()).warnings[0] == SAID
    summary = shop.run(campaign())
    assert (summary.state, summary.outcomes["added"], summary.outcomes["filtered_out"]) == ("success", 3, 1)
    assert summary.warnings == (SAID,)
    assert SAID in summary.in_words()


def test_a_document_that_cannot_be_read_concerns_its_user_alone(shop, campaign):
    shop.sql("alter table users add profile json; update users set profile = '{\"age\": 20}'")
    shop.sql("update users set profile = %s where id = 2", '{"age": 1e400}')
    shop.sql("update users set profile = %s where id = 3", '{"age": 20, "note": "\\u0000"}')
    properties = {**CATALOG["users"]["properties"], "age": {"jsonb": "profile", "path": "age", "type": "integer"}}
    summary = shop.run(campaign(catalog={**CATALOG, "users": {**CATALOG["users"], "properties": properties}}))
    assert (summary.state, summary.outcomes["added"], summary.outcomes["filtered_out"]) == ("success", 2, 2)
    assert summary.warnings == (SAID,)


def test_nothing_is_said_of_nulls(shop, campaign):
    shop.sql("update users set age = null where id = 1")
    assert shop.run(campaign()).warnings == ()


def test_an_opt_out_that_is_neither_true_nor_false_is_told(shop, campaign):
    shop.sql("alter table users alter opted_out type text")
    shop.sql(
        "update users set opted_out = 'perhaps' where id in (1, 2); update users set opted_out = 'no' where id = 3"
    )
    said = "`opt_out`: 2 users with a value that is neither true nor false, taken for opted out"
    assert shop.preview(campaign()).warnings == (said,)
    summary = shop.run(campaign())
    assert (summary.outcomes["opted_out"], summary.warnings) == (2, (said,))


def test_an_identifier_in_a_document_that_cannot_be_read_is_told(shop, campaign):
    shop.sql("alter table users add profile json; update users set profile = json_build_object('mail', email)")
    shop.sql("update users set profile = %s where id = 2", '{"mail": "user2@example.com", "note": "\\u0000"}')
    shop.sql("update users set profile = %s where id = 3", '{"mail": ["user3@example.com"]}')
    catalog = {**CATALOG, "users": {**CATALOG["users"], "email": {"jsonb": "profile", "path": "mail"}}}
    said = "`email`: 2 values in JSON could not be read and count as missing"
    assert shop.preview(campaign(catalog=catalog)).warnings == (said,)
    summary = shop.run(campaign(catalog=catalog))
    assert (summary.outcomes["no_identifier"], summary.warnings) == (2, (said,))
