"""The campaign that the demo has launched before: what its report says is true of the data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.pipeline import conftest as pipeline

from audiences.demo import launched
from audiences.demo.shop import load_shop

pytestmark = pytest.mark.integration
sandbox_server, shop = pipeline.sandbox_server, pipeline.shop  # fixtures
ROOT = Path(__file__).parents[2]
AS_OF = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_the_report_shows_the_lift_that_is_built_into_the_shop(shop):
    spec = launched.launched_campaign(ROOT)
    warehouse = shop.connections["warehouse"]
    load_shop(warehouse.dsn(application="test"), as_of=AS_OF, reached=launched.reached(spec))
    look_up = shop.connections.__getitem__
    assert launched.launch(spec, look_up, staging=shop.staging, as_of=AS_OF).state == "success"
    held_out = np.flatnonzero(~launched.reached(spec)) + 1
    controls = shop.sql("select user_id::int from audiences.assignment where arm <> 'target'", on="ledger")
    assert {user for (user,) in controls} <= set(held_out.tolist())
    report = launched.report(spec, look_up, at=AS_OF)
    assert report.config_digest == spec.digest
    found = report.comparisons[0].conversions
    assert found.significant
    assert found.low > 0


def test_a_project_without_the_campaign_has_none_that_was_launched(tmp_path):
    assert launched.launched_campaign(tmp_path) is None
