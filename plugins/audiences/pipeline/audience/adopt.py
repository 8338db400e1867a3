"""Adopt: a person says that an audience, which a run refuses as somebody else's, is this campaign's from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime  # noqa: TC002  # pydantic reads annotations at run time

from audiences.campaign.mark import marks_in
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.ledger import known_audiences
from audiences.pipeline.audience.ownership import NotOursError, own_mark
from audiences.pipeline.audience.standing import find_audience, recorded_mark
from audiences.pipeline.results import Reference
from audiences.redact import harmless_line

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.pipeline.resources import CampaignResources


class Adoptable(Reference):
    """An audience that may be adopted, as Facebook describes it; `lower` and `upper` bound its size, where they are known."""

    id: str
    name: str
    ad_account: str
    description: str
    marks: tuple[str, ...]
    lower: int | None
    upper: int | None


class Adoption(Reference):
    """What came of it, as `audiences adopt --json` prints it."""

    campaign: str
    audience: str
    name: str
    ad_account: str
    mark: str
    at: AwareDatetime


def adoptable(resources: CampaignResources) -> Adoptable | None:
    """The audience that a run of the campaign would meet, when it is not the campaign's own; None when there is none such.

    Raises NotOursError when several audiences have its name, and what the calls to Facebook raise.
    """
    try:
        standing = find_audience(resources)
    except NotOursError as error:
        if error.several:
            raise
        facebook_id = error.facebook_id
    else:
        given = resources.spec.campaign.what.audience.update
        if given is None or (standing.known and standing.known.created):
            return None
        facebook_id = given.id
    status = facebook_audiences.read(resources.facebook, facebook_id)
    return Adoptable(
        id=status.id,
        name=status.name,
        ad_account=resources.spec.account.id,
        description=status.description,
        marks=tuple(str(mark) for mark in marks_in(status.description)),
        lower=status.lower,
        upper=status.upper,
    )


def adopt(resources: CampaignResources, found: Adoptable, at: datetime) -> Adoption:
    """Make the audience the campaign's: on record, in doubt, and marked so at Facebook, in this order.

    A crash in between leaves it refused, and adopting again completes it. Members that a former campaign of this ledger has
    in it end on record; what the campaign wants replaces them at Facebook with its next run. Raises AudienceTakenError while
    another campaign changes it.
    """
    create, ledger = resources.spec.campaign.what.audience.create, resources.ledger
    with resources.working() as campaign:
        known = known_audiences.adopted(
            ledger,
            ad_account=found.ad_account,
            facebook_id=found.id,
            name=create.name if create else found.name,
            campaign=campaign.id,
            reason=f"it was adopted on {at:%d %b %Y}, and nobody knows who is in it",
        )
        mark = recorded_mark(resources)
        description = create.description if create else found.description
        facebook_audiences.remark(resources.facebook, found.id, description=description, mark=mark)
        known_audiences.note_mark(ledger, known.id, str(mark))
    return Adoption(
        campaign=resources.spec.id,
        audience=found.id,
        name=known.name,
        ad_account=found.ad_account,
        mark=str(mark),
        at=at,
    )


def what_it_does(resources: CampaignResources, found: Adoptable) -> str:
    """For the person who is asked: what is there, and what adopting it leads to."""
    own = own_mark(resources)
    size = (
        f"{found.lower:,} to {found.upper:,} people" if found.lower is not None and found.upper else "of unknown size"
    )
    marks = [mark for mark in found.marks if own is None or mark != str(own)]
    whose = f"It carries the mark {', '.join(marks)}" if marks else "It carries no mark of anybody"
    name = harmless_line(found.name)
    return (
        f"Audience {found.id} `{name}` in ad account {found.ad_account}, {size}. {whose}. Adopting it for the campaign "
        f"`{resources.spec.id}` puts this ledger's mark there, so that runs of whoever had it stop; and the next run sends the "
        "whole set, which may remove everybody whom this ledger has not put there."
    )
