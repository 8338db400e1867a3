"""Audiences in which a campaign has members though it feeds another one now: told at every run, until they are deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.campaign.wording import bare
from audiences.errors import AudiencesError
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.ledger import known_audiences
from audiences.logs import logger

if TYPE_CHECKING:
    from audiences.ledger.known_audiences import KnownAudience, LeftBehind
    from audiences.pipeline.resources import CampaignResources

_log = logger(__name__)


def told_left_behind(
    resources: CampaignResources, campaign: int, audience: KnownAudience, *, run: int | None = None
) -> list[str]:
    """In sentences, those that are still at Facebook, or may be.

    A person deletes them, as they are told to. With a `run` that is put on record, and the members end with it.
    """
    left = known_audiences.left_behind(resources.ledger, campaign=campaign, audience=audience.id)
    gone = _gone(resources, left)
    if run is not None:
        for each in gone:
            _log.info("audience %s of ad account %s was deleted", each.facebook_id, each.ad_account)
            known_audiences.deleted(resources.ledger, each.id, run=run, at=resources.now())
    return [
        f"the campaign feeds audience {audience.facebook_id} of ad account {audience.ad_account} now, and {each.members:,} of "
        f"its members are still in audience {each.facebook_id} `{bare(each.name)}` of ad account {each.ad_account}, where no "
        "run changes anything any more: delete that audience in Ads Manager, once no ad set needs it, or name it again"
        for each in left
        if each not in gone
    ]


def _gone(resources: CampaignResources, left: list[LeftBehind]) -> list[LeftBehind]:
    """Those that are no longer in the list of their ad account; an account that does not answer us says nothing."""
    found: dict[str, set[str] | None] = {}
    for account in {each.ad_account for each in left}:
        try:
            listed = facebook_audiences.list_audiences(resources.facebook, of=account)
            found[account] = {one.id for one in listed}
        except AudiencesError as error:
            _log.info("whether its audiences are still there cannot be asked of ad account %s: %s", account, error)
            found[account] = None
    return [each for each in left if (there := found[each.ad_account]) is not None and each.facebook_id not in there]
