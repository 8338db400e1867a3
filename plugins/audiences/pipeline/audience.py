"""The audience of a campaign: the one it creates, found again by the record and then by its name, or the one it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.facebook import audiences as facebook_audiences
from audiences.facebook.errors import AudienceBusyError
from audiences.ledger import audiences, sessions
from audiences.pipeline import replace

if TYPE_CHECKING:
    from audiences.facebook.status import AudienceStatus
    from audiences.ledger.audiences import KnownAudience
    from audiences.pipeline.doors import Doors


def find_or_create(doors: Doors, campaign: int) -> tuple[KnownAudience, AudienceStatus]:
    """The campaign's audience, on record and at Facebook; a created one is found again by the record, then by its name."""
    spec, ledger = doors.spec, doors.ledger
    create, update = spec.campaign.what.audience.create, spec.campaign.what.audience.update
    name = create.name if create else None
    known = audiences.find(
        ledger, facebook_id=update.id if update else None, created_for=campaign if create else None, name=name
    )
    if known is None and create:
        found = facebook_audiences.create_or_find(
            doors.facebook, name=create.name, description=create.description, key=spec.id
        )
        known = audiences.record(
            ledger, ad_account=spec.account.id, facebook_id=found.id, name=create.name, created_for=campaign
        )
    facebook_id = known.facebook_id if known else update.id if update else ""
    status = facebook_audiences.read(doors.facebook, facebook_id)
    if not (known and sessions.unfinished(ledger, known.id)):  # a replace of our own is carried through first
        try:
            status.ensure_writable(adds=spec.campaign.what.audience.adds)
        except AudienceBusyError as error:
            raise replace.patient(ledger, known.id, error) if known else error from error
    known = known or audiences.record(
        ledger, ad_account=spec.account.id, facebook_id=facebook_id, name=status.name, created_for=None
    )
    return known, status


def known_audience(doors: Doors) -> KnownAudience | None:
    """The campaign's audience as the ledger knows it, None before the first run."""
    wanted = doors.spec.campaign.what.audience
    if wanted.update:
        return audiences.find(doors.ledger, facebook_id=wanted.update.id)
    campaign = doors.campaign()
    if campaign is None or wanted.create is None:
        return None
    return audiences.find(doors.ledger, created_for=campaign.id, name=wanted.create.name)
