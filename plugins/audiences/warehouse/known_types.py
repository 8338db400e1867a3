"""Asks the warehouse for the types on which a statement hangs, in the transaction that it is run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.query.column_types import ColumnTypes, column_types, types_of
from audiences.query.event_users import EventUsers, event_users
from audiences.query.render import render

if TYPE_CHECKING:
    from audiences.campaign.catalog import Catalog
    from audiences.campaign.spec import CampaignSpec
    from audiences.warehouse.reader import Warehouse


def known_types(warehouse: Warehouse, spec: CampaignSpec) -> ColumnTypes:
    """What is known of the columns until the warehouse is closed."""
    (answer,) = warehouse.table(render(column_types(spec))).to_pylist()
    return types_of(spec, answer)


def known_event_users(warehouse: Warehouse, catalog: Catalog) -> EventUsers:
    """How events' users become the texts of the users' key, until the warehouse is closed."""
    (answer,) = warehouse.table(render(event_users(catalog))).to_pylist()
    return EventUsers(**answer)
