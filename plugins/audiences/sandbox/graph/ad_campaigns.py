"""Facebook's campaigns: read only; they matter because a lifetime budget may sit there instead of on the ad set."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.fields import constants, iso, page, select
from audiences.sandbox.objects import Account, AdCampaign

if TYPE_CHECKING:
    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.world import World


def read(call: Call) -> dict[str, Any]:
    """GET /CAMPAIGN."""
    return _read(call, call.the(AdCampaign))


def list_of_account(call: Call) -> dict[str, Any]:
    """GET /act_N/campaigns."""
    account = call.the(Account)
    campaigns = [one for one in call.world.campaigns.values() if one.account == account.id]
    return page(call, [(one.id, partial(_read, call, one)) for one in campaigns])


def _read(call: Call, campaign: AdCampaign) -> dict[str, Any]:
    return select(call, constants(campaign_fields(call.world, campaign)), node="AdCampaignGroup")


def campaign_fields(world: World, campaign: AdCampaign) -> dict[str, Any]:
    """Every field of a campaign; a budget that is not set is absent, one that is set is a string of cents."""
    return {
        "id": campaign.id,
        "account_id": world.accounts[campaign.account].number,
        "name": campaign.name,
        "objective": campaign.objective,
        "status": campaign.status,
        "configured_status": campaign.status,
        "effective_status": campaign.status,
        "daily_budget": str(campaign.daily_budget) if campaign.daily_budget else None,
        "lifetime_budget": str(campaign.lifetime_budget) if campaign.lifetime_budget else None,
        "special_ad_categories": campaign.special_ad_categories,
        "buying_type": "AUCTION",
        "created_time": iso(campaign.created_at),
        "updated_time": iso(campaign.updated_at),
        "start_time": iso(campaign.created_at),
    }
