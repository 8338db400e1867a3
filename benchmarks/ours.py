"""(c), (d), (e) The product: the whole run with staging, ledger and receipts, as `audiences run` does it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import airflow.sdk  # noqa: F401  # imported here so that the clock does not count it

from audiences.campaign.project import Project
from audiences.pipeline.resources import CampaignResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from benchmarks.contender import report


def work() -> dict[str, object]:
    """One run."""
    spec = Project.load_campaign(Path(os.environ["BENCH_PROJECT"]), "benchmark")
    now = datetime.now(UTC)
    with CampaignResources(spec) as resources:
        summary = run_campaign(resources, RunRequest(external_id=now.isoformat(), at=now))
    if summary.state != "success":
        raise SystemExit(summary.error)
    return {"rows": summary.audience.members, "requests": summary.requests, "steps": summary.timings}


if __name__ == "__main__":
    report(work)
