"""Assets: the one that a campaign updates, so that others can follow it, and those that it runs after.

An event of an asset is a wake-up and no data: a run looks at everything there is when it begins. So several events before a
run begins are one run, and one that comes while a run is under way waits in Airflow's queue and leads to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAll, AssetAny

if TYPE_CHECKING:
    from airflow.sdk.definitions.asset import BaseAsset

    from audiences.campaign.after import RunAfter, Upstream
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.results import Summary


def audience_asset(spec: CampaignSpec) -> Asset:
    """The audience that the campaign keeps: `facebook://act_1001/Carts%20left`."""
    return Asset(spec.asset_uri)


def update_of(summary: Summary) -> dict[str, Any]:
    """What an event says of the run that brought the audience up to date: counts, nobody's data."""
    return {
        "campaign": summary.campaign,
        "run": summary.run,
        "as_of": summary.at.isoformat(),
        "audience": summary.audience.id,
        "members": summary.audience.members,
        "outcomes": summary.outcomes,
        "requests": summary.requests,
    }


def schedule_after(after: RunAfter) -> BaseAsset:
    """What Airflow schedules a campaign on."""
    together = AssetAll if after.all else AssetAny
    return together(*map(_awaited, after.sources))


def finished_uri(dag: str) -> str:
    """The asset that stands for "a run of this DAG has succeeded"; see `finished_dags.py`."""
    return f"dag:{dag}"


def _awaited(source: Upstream) -> BaseAsset:
    """An asset of somebody else's is referred to, since declaring it again would quarrel with its owner about its name."""
    if source.dag is not None:
        return Asset(finished_uri(source.dag))
    asset = source.asset or ""
    # As Airflow writes the URI where its owner declares it.
    return Asset.ref(uri=Asset(name="x", uri=asset).uri) if ":" in asset else Asset.ref(name=asset)
