"""Campaigns that differ in their `when` only, from the sample project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiences.campaign.project import Project
from audiences.campaign.when import When

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.campaign.spec import CampaignSpec

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def campaign() -> Callable[..., CampaignSpec]:
    """Makes a campaign from the words of its `when`."""
    sample = Project.load_campaign(ROOT, "abandoned_cart")

    def make(when: Any, zone: str = "UTC", status: str = "published") -> CampaignSpec:
        changed = sample.campaign.model_copy(update={"when": When.model_validate(when), "status": status})
        return sample.model_copy(update={"campaign": changed, "timezone": zone})

    return make
