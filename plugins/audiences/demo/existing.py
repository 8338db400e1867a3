"""Fills the audiences that sample campaigns expect to exist at Facebook: with those who visited the shop of late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.campaign.who import Who
from audiences.pipeline.resources import CampaignResources
from audiences.query.columns import columns_of
from audiences.query.render import render
from audiences.what import rows
from audiences.what.encode import Encoder
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.demo.start import Demo

VISITORS = Who.model_validate({"did": {"event": "App Opened", "within": "last 30 days"}})


def fill_existing_audiences(demo: Demo, campaigns: Iterable[CampaignSpec], *, at: datetime) -> None:
    """Put the visitors into every audience that is to be updated, as if somebody had uploaded them before."""
    for spec in campaigns:
        if wanted := spec.campaign.what.audience.update:
            demo.sandbox.put_audience(id=wanted.id, account=spec.account.id, members=_visitors(demo, spec, at))


def _visitors(demo: Demo, spec: CampaignSpec, at: datetime) -> list[dict[str, str]]:
    """The visitors with the campaign's identifiers, normalised and hashed by the product's own code."""
    campaign = spec.campaign.model_copy(update={"who": VISITORS})
    visitors = spec.model_copy(update={"campaign": campaign})
    today = at.astimezone(spec.zone).date()
    encoder = Encoder(campaign.what.identifiers, columns_of(visitors), spec.catalog, today=today)
    with CampaignResources(visitors, look_up=demo.connection) as resources, resources.warehouse() as warehouse:
        batches = [encoder.encode(batch) for batch in warehouse.stream(render(qualified(visitors, at)))]
    packed = {row for batch in batches for row in batch.column("identifiers").to_pylist() if row is not None}
    return [rows.unpack(row) for row in packed]
