"""The pipeline tests' shop, with properties on its events and a campaign that has a goal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipeline import conftest as pipeline

from audiences.pipeline.upkeep.measure import measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.goal.report import Report

sandbox_server, shop = pipeline.sandbox_server, pipeline.shop  # fixtures
CATALOG: dict[str, Any] = {
    **pipeline.CATALOG,
    "events": {
        **pipeline.CATALOG["events"],
        "properties": {
            "amount": {"column": "amount", "type": "number"},
            "sku": {"jsonb": "more", "path": "sku", "type": "string"},
        },
    },
}
GOAL = {"event": "Charged", "within": "5 days", "revenue": "amount"}


class Goals:
    """Campaigns with a goal over the shop, and the reports they get."""

    def __init__(self, shop: pipeline.Shop) -> None:
        self.shop, self.noon = shop, pipeline.NOON
        shop.sql("alter table events add more jsonb; create index on events (name, occurred_at, user_id)")

    def carts(self, users: int, first: int = 1) -> None:
        """So many users with a cart and an address, so that they qualify, numbered from `first`."""
        numbers = range(first, first + users)
        self.shop.sql(
            "insert into users (id, email) select i, 'u' || i || '@example.com' from unnest(%s::int[]) i", list(numbers)
        )
        self.shop.sql(
            "insert into events (user_id, name, occurred_at) select i, 'Added To Cart', %s from unnest(%s::int[]) i",
            self.noon - timedelta(days=1),
            list(numbers),
        )

    def charge(self, user: int, after: timedelta, amount: float | None = 10, sku: str | None = None) -> None:
        self.shop.sql(
            "insert into events (user_id, name, occurred_at, amount, more)"
            " values (%s, 'Charged', %s, %s, jsonb_build_object('sku', %s::text))",
            user,
            self.noon + after,
            amount,
            sku,
        )

    def campaign(self, name: str = "carts", *, percent: float = 50, goal: Any = None, **who: Any) -> CampaignSpec:
        spec = self.shop.campaign(
            name,
            who={"did": {"event": "Added To Cart"}, "control_group": {"percent": percent}, **who},
            catalog=CATALOG,
        )
        return type(spec).model_validate(
            {
                **spec.model_dump(mode="json", by_alias=True),
                "campaign": {
                    **spec.campaign.model_dump(mode="json", by_alias=True, exclude_unset=True),
                    "goal": {**GOAL, **(goal or {})},
                },
            }
        )

    def report(self, spec: CampaignSpec, after: timedelta = timedelta(days=6)) -> Report:
        with self.shop.resources(spec) as resources:
            return measure(resources, self.at(after))

    def at(self, after: timedelta) -> datetime:
        return self.noon + after

    def arm(self, campaign: str, arm: str) -> list[int]:
        """The users that the ledger has in this arm."""
        rows = self.shop.sql(
            "select user_id::int from audiences.assignment a join audiences.campaign c on c.id = a.campaign_id"
            " where c.name = %s and arm = %s order by 1",
            campaign,
            arm,
            on="ledger",
        )
        return [user for (user,) in rows]


@pytest.fixture
def goals(shop: pipeline.Shop) -> Goals:
    return Goals(shop)


@pytest.fixture
def by_arm() -> Callable[[Report], dict[str, Any]]:
    return lambda report: {arm.arm: arm for arm in report.arms}
