"""Property filters three ways: pandas over extracted frames, SQL over the same rows, and the naive evaluator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.who import draw, naive, world
from tests.who.conftest import Warehouse, a_spec

from audiences.campaign.properties import PropertyTree
from audiences.query.columns import columns_of
from audiences.query.conditions import Moment
from audiences.query.render import render
from audiences.query.sources import events_table
from audiences.query.where import where
from audiences.who.compile import qualified
from audiences.who.filters import matches

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec

pytestmark = pytest.mark.integration
_shared = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
USER_TYPES = {**world.USER_TYPES, **world.JSON_TYPES}
FILTER_TYPES = {**USER_TYPES, **world.DERIVED_TYPES}
EVENT_TYPES = {**world.EVENT_TYPES, **world.JSON_TYPES}


@dataclass
class Extract:
    """All properties of a relation's rows, as the product reads them."""

    spec: CampaignSpec
    frame: pd.DataFrame

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Hypothesis prints the arguments of its tests; this one is too long."""
        printer.text("…")

    def matching(self, tree: PropertyTree, at: datetime, zone: str) -> set[str]:
        passed = matches(
            tree,
            self.frame,
            columns=columns_of(self.spec).properties,
            catalog=self.spec.catalog,
            at=at,
            zone=ZoneInfo(zone),
        )
        return set(self.frame.loc[passed, "user_id"])


def extract(warehouse: Warehouse, types: dict[str, str], **given: Any) -> Extract:
    spec = a_spec({"with_properties": {"any": [{name: {"is_set": True}} for name in types]}}, **given)
    table = warehouse.read(render(qualified(spec, world.INSTANTS[0])))
    return Extract(spec=spec, frame=table.to_pandas(types_mapper=pd.ArrowDtype))


@pytest.fixture(scope="session")
def users(warehouse: Warehouse) -> Extract:
    return extract(warehouse, FILTER_TYPES)


@pytest.fixture(scope="session")
def events(warehouse: Warehouse) -> Extract:
    """The events read as if they were users, so that pandas sees the very rows that SQL filters."""
    catalog = world.catalog()
    catalog["users"] = {"relation": "events", "key": "id", "properties": catalog["events"]["properties"]}
    return extract(warehouse, EVENT_TYPES, catalog=catalog)


looks = st.tuples(draw.instants(), st.sampled_from(world.ZONES))


def check(warehouse: Warehouse, users: Extract, drawn: dict[str, Any], look: tuple[datetime, str]) -> None:
    tree = PropertyTree.model_validate(drawn)
    seen = naive.Look(look[0], ZoneInfo(look[1]))
    wanted = {
        user for user, values in warehouse.world.users.items() if naive.tree_holds(tree, values, FILTER_TYPES, seen)
    }
    assert users.matching(tree, *look) == wanted


@settings(_shared, max_examples=400)
@given(drawn=draw.trees(FILTER_TYPES), look=looks)
def test_pandas_lets_through_exactly_the_users_that_the_naive_evaluator_does(
    warehouse: Warehouse, users: Extract, drawn: dict[str, Any], look: tuple[datetime, str]
) -> None:
    check(warehouse, users, drawn, look)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(_shared, max_examples=20_000)
@given(drawn=draw.trees(FILTER_TYPES), look=looks)
def test_thousands_of_random_filters_agree(
    warehouse: Warehouse, users: Extract, drawn: dict[str, Any], look: tuple[datetime, str]
) -> None:
    check(warehouse, users, drawn, look)


@settings(_shared, max_examples=400)
@given(drawn=draw.trees(EVENT_TYPES), look=looks)
@example(drawn={"not": {"category": {"not_in": ["a.b"]}}}, look=(world.INSTANTS[0], "UTC"))
def test_pandas_and_sql_read_every_condition_alike(
    warehouse: Warehouse, events: Extract, drawn: dict[str, Any], look: tuple[datetime, str]
) -> None:
    tree, catalog = PropertyTree.model_validate(drawn), events.spec.catalog
    table = events_table(catalog.events)
    condition = where(tree, catalog.events.properties, table, Moment(look[0], ZoneInfo(look[1])), catalog.timezone)
    query = sa.select(sa.cast(table.c.user_id, sa.Text).label("user_id"), sa.column("id")).where(condition)
    found = warehouse.read(render(query.select_from(table))).column("id").to_pylist()
    assert set(map(str, found)) == events.matching(tree, *look)


@pytest.mark.parametrize("name", sorted(USER_TYPES))
def test_a_property_is_extracted_as_its_type_and_a_misfit_as_null(
    warehouse: Warehouse, users: Extract, name: str
) -> None:
    column = users.frame.set_index("user_id")[columns_of(users.spec).properties[name]]
    found = {user: None if value is pd.NA or value is None else value for user, value in column.items()}
    wanted = {user: values[name] for user, values in warehouse.world.users.items()}
    if USER_TYPES[name] == "version":  # text without any component counts as null only where it is compared
        found = {user: world.as_type("version", value) for user, value in found.items()}
    if USER_TYPES[name] == "list":
        found = {user: value if value is None else list(value) for user, value in found.items()}
    no_number = (float("inf"), float("-inf"))  # as little as NaN
    assert found == {user: None if value != value or value in no_number else value for user, value in wanted.items()}
