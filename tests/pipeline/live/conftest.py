"""A shop that knows when its events came in, and live campaigns over it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from tests.pipeline.conftest import CATALOG, NOON

from audiences.campaign.spec import CampaignSpec
from audiences.pipeline.live.poll_resources import live_resources
from audiences.pipeline.live.poller import poll
from audiences.pipeline.live.run_batch import run_batch
from audiences.pipeline.results import RunRequest
from audiences.when.live.watch import Watch

if TYPE_CHECKING:
    from tests.pipeline.conftest import Shop

    from audiences.ledger.live_batches import Batch
    from audiences.pipeline.live.polled import Polled
    from audiences.pipeline.live.run_batch import LiveSummary

LIVE_CATALOG = deepcopy(CATALOG)
LIVE_CATALOG["events"] |= {
    "arrived_at": "arrived_at",
    "properties": {
        "amount": {"column": "amount", "type": "number"},
        "category": {"column": "category", "type": "string"},
    },
}


@dataclass
class LiveShop:
    """The shop, a clock that only moves by hand, and the live campaigns that are watched."""

    shop: Shop
    catalog: dict[str, Any] = field(default_factory=lambda: deepcopy(LIVE_CATALOG))
    now: datetime = NOON
    specs: dict[str, CampaignSpec] = field(default_factory=dict)
    stopped: list[CampaignSpec] = field(default_factory=list)
    runs: int = 0

    def stop(self, name: str = "carts") -> None:
        """As a commit with `status: stopped` does; putting the campaign back into `specs` publishes it again."""
        self.stopped.append(self.specs.pop(name))

    def campaign(self, name: str = "carts", *, on: Any = None, when: Any = None, **sections: Any) -> CampaignSpec:
        plain = self.shop.campaign(name, catalog=self.catalog)
        campaign = {
            "name": name,
            "status": "published",
            "qualification": "live",
            "who": sections.pop("who", {"control_group": {"system": False}}),
            "what": {"audience": {"create": {"name": name}}, **sections.pop("what", {})},
            "when": {"on": on or {"event": "Added To Cart"}, **(when or {})},
            **sections,
        }
        spec = CampaignSpec.model_validate({**plain.model_dump(mode="json", by_alias=True), "campaign": campaign})
        self.specs[name] = spec
        return spec

    def event(
        self,
        user: int,
        name: str = "Added To Cart",
        *,
        at: datetime | None = None,
        arrived: datetime | None = None,
        on: psycopg.Connection[Any] | None = None,
        **more: Any,
    ) -> None:
        """An event of now, unless said otherwise, which came in as it took place, unless said otherwise."""
        at = at or self.now
        values = {"user_id": user, "name": name, "occurred_at": at, "arrived_at": arrived or at, **more}
        statement = f"insert into events ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})"
        if on is None:
            self.shop.sql(statement, *values.values())
        else:
            on.execute(statement.encode(), list(values.values()))

    def open_transaction(self) -> psycopg.Connection[Any]:
        """A session of its own, whose rows nobody sees before it commits."""
        return psycopg.connect(self.shop.connections["warehouse"].dsn(application="test"))

    def poll(
        self, after: timedelta = timedelta(seconds=5), *, broken: tuple[str, ...] = (), some_unread: bool = False
    ) -> Polled:
        self.now += after
        watch = Watch.of(self.specs.values(), stopped=self.stopped, broken=broken, some_unread=some_unread)
        assert watch is not None
        with live_resources(watch, look_up=self.shop.connections.__getitem__) as resources:
            return poll(resources, watch, at=self.now)

    def run(self, batch: Batch, **more: Any) -> LiveSummary | None:
        self.runs += 1
        self.shop.now = self.now
        with self.shop.resources(self.specs[batch.campaign]) as resources:
            request = RunRequest(external_id=f"live{self.runs}", at=self.now)
            return run_batch(resources, batch.id, request, sleep=self.shop.wait, **more)

    def poll_and_run(self, after: timedelta = timedelta(seconds=5)) -> list[LiveSummary]:
        return [summary for batch in self.poll(after).batches if (summary := self.run(batch)) is not None]

    def states(self, campaign: str = "carts") -> dict[str, int]:
        """How many events of the campaign the ledger has in which state."""
        return dict(
            self.shop.sql(
                "select e.state, count(*) from audiences.live_event e join audiences.campaign c on c.id = e.campaign_id"
                " where c.name = %s group by 1",
                campaign,
                on="ledger",
            )
        )

    def members(self, campaign: str = "carts") -> set[int]:
        """Whom Facebook has, by the numbers of our users."""
        audiences = [one for one in self.shop.sandbox.admin.state()["audiences"] if one["name"] == campaign]
        rows = {self.shop.row_of(f"user{n}@example.com", None): n for n in range(1, 200)}
        return {rows[member] for one in audiences for member in self.shop.members(one["id"])}


@pytest.fixture
def live(shop: Shop) -> LiveShop:
    shop.sql("alter table events add arrived_at timestamptz, add category text")
    shop.sql("insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, 50) i")
    return LiveShop(shop)
