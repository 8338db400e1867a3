"""Where an audience and ad sets are looked at by people: in Ads Manager, or on the pages of a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from audiences.errors import FixAccessError, RetryError
from audiences.facebook.contract import GRAPH_URL
from audiences.facebook.credentials import Credentials
from audiences.reporting.shape import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.campaign.spec import CampaignSpec
    from audiences.connections import Connection

# Assumed, as Meta documents no addresses of its pages: these open the account's list with the object chosen.
_ADS_MANAGER: Final = "https://adsmanager.facebook.com/adsmanager"


class Links(Shown):
    """Addresses of web pages; `sandbox` where they are those of a local Facebook. `ad_sets` by Facebook's id."""

    sandbox: bool
    audience: str | None
    ad_sets: dict[str, str]


def links(spec: CampaignSpec, audience: str | None, *, look_up: Callable[[str], Connection]) -> Links | None:
    """Links of the campaign's audience (Facebook's id) and ad sets; None where its connection cannot be read.

    Of the connection only `graph_url` is looked at, which says whose pages these are.
    """
    try:
        credentials = Credentials.of_account(look_up(spec.account.connection), spec.account.id)
    except (FixAccessError, RetryError):
        return None  # health and preflight tell what is wrong with it
    what = spec.campaign.what
    ids = (*what.ad_sets, *what.exclude_from_ad_sets)
    if credentials.graph_url != GRAPH_URL:
        page = f"{credentials.graph_url}/audiences/{quote(audience, safe='')}" if audience else None
        return Links(sandbox=True, audience=page, ad_sets=dict.fromkeys(ids, f"{credentials.graph_url}/"))
    account = credentials.account_number
    return Links(
        sandbox=False,
        audience=_ads_manager("audiences", account, selected_audience_ids=audience) if audience else None,
        ad_sets={each: _ads_manager("manage/adsets", account, selected_adset_ids=each) for each in ids},
    )


def _ads_manager(page: str, account: str, **chosen: str) -> str:
    return f"{_ADS_MANAGER}/{page}?{urlencode({'act': account, **chosen})}"
