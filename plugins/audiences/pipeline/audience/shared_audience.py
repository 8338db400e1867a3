"""What a person should know of the other campaigns of an audience, and of the campaign's own former name.

Files say which campaigns name an audience by its id; that a campaign without a file still holds members, or that the audience
which one campaign creates is named by another, only the ledger knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from audiences.campaign import sharing
from audiences.campaign.model import Campaign
from audiences.campaign.wording import did_you_mean, nearest
from audiences.ledger import formerly, other_campaigns
from audiences.ledger.formerly import CannotTakeOverError

if TYPE_CHECKING:
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.pipeline.resources import CampaignResources


def warnings(resources: CampaignResources, *, campaign: int, audience: KnownAudience) -> list[str]:
    """In sentences: members of campaigns without a file, and campaigns that undo what this one does."""
    return [*_without_file(resources, campaign, audience), *_undoing(resources, campaign, audience)]


def check_formerly(resources: CampaignResources) -> list[str]:
    """Whether `formerly` names a campaign that the ledger knows; a sentence where it does not, as in a new environment.

    Raises CannotTakeOverError where it is nearly the id of one that has no file, and probably meant.
    """
    spec, ledger = resources.spec, resources.ledger
    if formerly.has_state(ledger, spec.id) or not formerly.all_unknown(ledger, spec.campaign.formerly):
        return []
    without_file = [
        name for name in formerly.names(ledger) if resources.on_file is not None and name not in resources.on_file
    ]
    for old in spec.campaign.formerly:
        if nearest(old, without_file):
            why = f"the ledger knows no campaign of this id{did_you_mean(old, without_file)}"
            raise CannotTakeOverError(spec.id, old, why, "Correct `formerly`, or leave it out to begin anew.")
    named = " and ".join(f"`{old}`" for old in spec.campaign.formerly)
    return [f"`formerly` names {named}, of which the ledger knows nothing, so the campaign begins anew"]


def _without_file(resources: CampaignResources, campaign: int, audience: KnownAudience) -> list[str]:
    if resources.on_file is None:
        return []
    mine, ledger = resources.spec.id, resources.ledger
    said = []
    for other in other_campaigns.holding(ledger, audience=audience.id, campaign=campaign):
        if other.name not in resources.on_file:
            held = other_campaigns.members_of(ledger, audience=audience.id, campaign=other.id)
            renamed = (
                f"If `{mine}` is that campaign under a new name, say `formerly: {other.name}` in its file; else bring"
            )
            said.append(
                f"campaign `{other.name}` has no file any more and holds {held:,} members in audience "
                f"{audience.facebook_id}, whom no run takes out. {'Bring' if formerly.has_state(ledger, mine) else renamed} "
                "its file back and let it say `status: stopped` and `when.on_end: empty`, so that they leave"
            )
    return said


def _undoing(resources: CampaignResources, campaign: int, audience: KnownAudience) -> list[str]:
    said = []
    mine = resources.spec.campaign
    for other in other_campaigns.changing(resources.ledger, audience=audience.id, campaign=campaign):
        if resources.on_file is not None and other.name not in resources.on_file:
            continue
        try:
            theirs = Campaign.model_validate(other.config)
        except ValidationError:  # of an earlier version; its next run puts on record what it says today
            continue
        pairs = (((mine, resources.spec.id), (theirs, other.name)), ((theirs, other.name), (mine, resources.spec.id)))
        for (taking, taker), (adding, adder) in pairs:
            if sharing.quarrel(taking, adding):
                said.append(
                    sharing.in_words(
                        taking,
                        adding,
                        taker=f"campaign `{taker}`",
                        adder=f"campaign `{adder}`",
                        audience=f"audience {audience.facebook_id}",
                    )
                )
    return said
