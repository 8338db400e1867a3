"""The query that is shown is the one that runs, whatever types the columns have of which the warehouse is asked first."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipeline.conftest import CATALOG

from audiences.pipeline.preview import statement

if TYPE_CHECKING:
    from tests.pipeline.conftest import Shop

    from audiences.campaign.spec import CampaignSpec

pytestmark = pytest.mark.integration
KEY = "alter table users alter id type {0} using id::{0}; alter table events alter user_id type {0} using user_id::{0};"
COLUMNS = {
    "as the shop has them": "",
    "int4": KEY.format("int"),
    "numeric": KEY.format("numeric"),
    "text": KEY.format("text"),
    "uuid": "alter table users alter id type uuid using md5(id::text)::uuid;"
    "alter table events alter user_id type uuid using md5(user_id::text)::uuid;",
    "domains": "create domain whole as bigint; create domain truth as boolean; create domain title as text;"
    "alter table users alter id type whole, alter opted_out type truth; alter table events alter name type title;",
    "enums": "create type level as enum ('Gold'); create type answer as enum ('yes', 'no');"
    "create type title as enum ('Added To Cart');"
    "alter table users alter tier type level using tier::level,"
    " alter opted_out type answer using (case when opted_out then 'yes' else 'no' end)::answer;"
    "alter table events alter name type title using name::title;",
    "text arrays": "alter table users alter tier type text[] using array[tier];",
}


@pytest.fixture(params=COLUMNS)
def columns(shop: Shop, request: pytest.FixtureRequest) -> str:
    """The columns of two users, one of whom has opted out."""
    for number, opted_out in ((1, False), (2, True)):
        shop.user(number, f"{number}@example.com", tier="Gold", opted_out=opted_out)
        shop.event(number)
    shop.sql(COLUMNS[request.param])
    return str(request.param)


def campaign(shop: Shop, columns: str, **who: Any) -> CampaignSpec:
    catalog = deepcopy(CATALOG)
    catalog["users"]["properties"]["tier"]["type"] = "list" if columns == "text arrays" else "string"
    rules = {"did": {"event": "Added To Cart"}, "with_properties": {"tier": {"is_set": True}}, **who}
    return shop.campaign(catalog=catalog, who=rules)


def shown(shop: Shop, spec: CampaignSpec) -> str:
    with shop.resources(spec, read_only=True) as resources:
        return statement(resources, shop.now)


def test_the_query_shown_is_to_the_letter_the_one_that_runs(shop: Shop, users_queries: list[str], columns: str) -> None:
    spec = campaign(
        shop, columns, target_cap=100
    )  # under a cap nobody is remembered, so that no fingerprint is asked for
    before = shown(shop, spec)
    outcomes = shop.run(spec).outcomes
    assert (outcomes["qualified"], outcomes["opted_out"], outcomes["added"]) == (2, 1, 1)
    assert users_queries == [before]


def taken_apart(query: str) -> tuple[str, str, str, str]:
    """The events that it looks up first, how it reads the opt-out, all columns, and whom it finds."""
    before, _, rest = query.partition("\n SELECT ")
    columns, _, found = rest.rpartition("\nFROM users AS u")
    return before, columns.partition(" AS user_id, ")[2].partition(" AS opted_out")[0], columns.strip(), found


def test_where_users_are_remembered_the_query_differs_by_its_fingerprints_alone(
    shop: Shop, users_queries: list[str], columns: str
) -> None:
    spec = campaign(shop, columns)
    events, opt_out, selected, found = taken_apart(shown(shop, spec))
    assert shop.run(spec).outcomes["added"] == shop.run(spec).outcomes["kept"] == 1
    first, second = map(taken_apart, users_queries)
    assert (first[:2], first[3]) == (second[:2], second[3]) == ((events, opt_out), found)
    assert first[2].startswith(f"{selected}, ")
    assert first[2].endswith(" AS fingerprint")
    assert opt_out
