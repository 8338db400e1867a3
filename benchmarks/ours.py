"""The product: whole runs with staging, ledger and receipts, as `audiences run` does them; `BENCH_CAMPAIGNS` are their ids."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from audiences.campaign.project import Project
from audiences.pipeline.resources import CampaignResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from benchmarks.contender import report
from benchmarks.memory import Looks


def work() -> dict[str, object]:
    """One run of each; the figures are of the last."""
    found: dict[str, object] = {}
    for campaign in os.environ.get("BENCH_CAMPAIGNS", "benchmark").split():
        spec = Project.load_campaign(Path(os.environ["BENCH_PROJECT"]), campaign)
        now = datetime.now(UTC)
        with CampaignResources(spec) as resources, Looks() as looks:
            summary = run_campaign(resources, RunRequest(external_id=now.isoformat(), at=now))
        if summary.state != "success":
            raise SystemExit(summary.error)
        found = {"rows": summary.audience.members, "requests": summary.requests, "steps": summary.timings}
        found["memory"] = looks.by_step(summary.timings)
    return found


if __name__ == "__main__":
    # What the command line of a build does before a run comes before the clock: older ones import Airflow.
    getattr(import_module("audiences.cli.app"), "import_airflow", lambda: None)()
    with suppress(ModuleNotFoundError):
        import_module("audiences.cli.whole_process").few_arenas()
    report(work)
