"""What Airflow's executor means for us: whether the tasks of a run may be on several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.configuration import conf

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec


def ensure_shared_staging(spec: CampaignSpec) -> None:
    """Raise StagingNotSharedError where the next task, or the next run, would not find what is staged now."""
    from audiences.pipeline.preconditions.shared_staging import ensure_shared

    ensure_shared(spec.staging, conf.get("core", "executor"))
