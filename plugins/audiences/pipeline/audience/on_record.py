"""The campaign's audience as the ledger knows it, without a question to Facebook, and a run that only looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.ledger import known_audiences
from audiences.pipeline.results import RunRef

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.facebook.status import AudienceStatus
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.pipeline.resources import CampaignResources

NOBODY: Final = 0  # no row of the ledger has this number


def known_audience(resources: CampaignResources) -> KnownAudience | None:
    """The campaign's audience as the ledger knows it, None before the first run; its own is that of its ad account."""
    wanted = resources.spec.campaign.what.audience
    if wanted.update:
        return known_audiences.find(resources.ledger, wanted.update.id)
    campaign = resources.campaign()
    if campaign is None or wanted.create is None:
        return None
    return known_audiences.created_for(
        resources.ledger, campaign=campaign.id, ad_account=resources.spec.account.id, name=wanted.create.name
    )


def note_status(ledger: Ledger, audience: int, status: AudienceStatus) -> None:
    """Put Facebook's own size estimate and status on record, for people."""
    known_audiences.note_status(
        ledger,
        audience,
        lower=status.lower,
        upper=status.upper,
        operation=status.advice,
        delivery=status.delivery_text,
    )


def as_if_opened(resources: CampaignResources, at: datetime, *, staging: str) -> RunRef:
    """A run reference with the numbers that the ledger has already, and NOBODY for those it would have to give out."""
    known = known_audience(resources)
    campaign, earlier = resources.campaign(), resources.spec.campaign.formerly
    return RunRef(
        run=NOBODY,
        campaign=campaign.id if campaign else NOBODY,
        salt=campaign.salt if campaign else earlier[-1] if earlier else resources.spec.id,
        audience=known.id if known else NOBODY,
        facebook_id=known.facebook_id if known else "",
        at=at,
        staging=staging,
        full_refresh=resources.spec.campaign.what.refresh == "replace",
    )
