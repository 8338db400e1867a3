"""Ownership of an audience, told before anything is sent: by the mark in its description at Facebook and by the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.campaign.mark import Mark, marks_in
from audiences.campaign.wording import bare
from audiences.errors import FixAccessError, FixConfigError
from audiences.ledger.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.facebook.custom_audiences import ListedAudience
    from audiences.facebook.status import AudienceStatus
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.pipeline.resources import CampaignResources

_NOT_SENT = "Nothing was sent."


@dataclass(eq=False)
class NotOursError(FixAccessError):
    """An audience that the campaign would change is somebody else's, or may be; with `several`, it is one of several."""

    facebook_id: str
    found: str
    ways_out: str
    several: bool = False

    def __str__(self) -> str:
        return f"{self.found}. {_NOT_SENT} {self.ways_out}".strip()


@dataclass(eq=False)
class WrongAccountError(FixConfigError):
    """The audience that the campaign names is in another ad account than the campaign."""

    facebook_id: str
    belongs_to: str
    ad_account: str
    named: str

    def __str__(self) -> str:
        return (
            f"audience {self.facebook_id} belongs to ad account {self.belongs_to}, and the campaign to {self.named} "
            f"(`ad_account: {self.ad_account}`). {_NOT_SENT} Name an audience of {self.named} under "
            f"`what.audience.update.id`, or give the campaign an `ad_account` that stands for {self.belongs_to} in "
            "include/settings.yml"
        )


def own_mark(resources: CampaignResources) -> Mark | None:
    """The mark of the campaign's audiences; None where a read-only command finds a ledger that was never used."""
    found = identity(resources.ledger)
    return Mark.of(resources.spec.id, found) if found else None


def own_marks(resources: CampaignResources) -> list[Mark]:
    """The marks by which a ledger that does not know the campaign's audience finds it: under its id, and under former ones."""
    found = identity(resources.ledger)
    return [Mark.of(name, found) for name in (resources.spec.id, *resources.spec.campaign.formerly)] if found else []


def ensure_still_ours(resources: CampaignResources, known: KnownAudience, status: AudienceStatus) -> None:
    """Raise NotOursError when an audience on record as the campaign's own is not marked so at Facebook.

    A mark of this ledger is enough, whatever its campaign: the ledger says whose it is. So is one of an earlier version,
    where the audience is on record. One that has lost a mark that we put there was edited by a person.
    """
    own, marks = own_mark(resources), marks_in(status.description)
    if own and any(mark.ledger == own.ledger for mark in marks):
        return
    for mark in marks:
        if mark.ledger:
            raise _marked(resources, known.facebook_id, known.name, mark)
    if not marks and known.mark is None:
        # Earlier versions took over an audience of the right name without a word, whoever had made it.
        found = (
            f"audience {known.facebook_id} `{bare(known.name)}` is on record as this campaign's, but nothing at Facebook says "
            "that a campaign made it, so it may hold members that others put there"
        )
        ways_out = f"Choose another name under `what.audience.create`, or take it over: {_adopt(resources)}"
        raise NotOursError(known.facebook_id, found, ways_out)


def ensure_nobody_elses(resources: CampaignResources, status: AudienceStatus) -> None:
    """Raise NotOursError when an audience given by its id is marked as that of another ledger."""
    own = own_mark(resources)
    for mark in marks_in(status.description):
        if mark.ledger and (own is None or mark.ledger != own.ledger):
            raise _marked(resources, status.id, status.name, mark)


def ensure_name_free(
    resources: CampaignResources, listed: Iterable[ListedAudience], name: str, *, but: str = ""
) -> None:
    """Raise NotOursError when the ad account has an audience of this name besides the one of the id `but`."""
    taken = [one for one in listed if one.name == name and one.id != but]
    for one in taken:
        for mark in marks_in(one.description):
            raise _marked(resources, one.id, name, mark)
    if taken:
        ids = ", ".join(one.id for one in taken)
        which = f"an audience of this name exists in the ad account (id {ids})"
        if len(taken) > 1:
            which = f"{len(taken)} audiences of this name exist in the ad account (ids {ids})"
        found = f"`{bare(name)}`: {which}: choose another name, or name it under `update.id`"
        raise NotOursError(taken[0].id, found, "", several=len(taken) > 1)


def _marked(resources: CampaignResources, facebook_id: str, name: str, mark: Mark) -> NotOursError:
    """The error for an audience with the mark of another campaign or ledger, or of an earlier version, which names no ledger."""
    own, which = own_mark(resources), f"audience {facebook_id} `{bare(name)}`"
    if own and mark.ledger == own.ledger:
        found = f"{which} belongs to the campaign `{mark.campaign}` of this ledger"
        ways_out = (
            f"If this file is that campaign under a new name, write `formerly: {mark.campaign}`, which takes its members and "
            "control groups along; else choose another name"
        )
    elif mark.ledger:
        found = f"{which} belongs to the campaign `{mark.campaign}` of another ledger (its mark is `{mark}`)"
        ways_out = "Choose another name, so that each project has an audience of its own"
    else:
        found = (
            f"{which} was made for a campaign `{mark.campaign}` by an earlier version, and this ledger does not know it: it "
            "belongs to another ledger, or to this one before it was lost"
        )
        ways_out = "If it is another project's, choose another name"
    return NotOursError(facebook_id, found, f"{ways_out}. To take it over: {_adopt(resources)}")


def _adopt(resources: CampaignResources) -> str:
    return f"`audiences adopt {resources.spec.id}`"
