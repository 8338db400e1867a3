"""`audiences preflight`: whether Facebook will take uploads, whether rows can be staged, and what Airflow lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from audiences.campaign.common_files import load_settings
from audiences.campaign.project import Project
from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.campaign.spec import CampaignSpec
    from audiences.checklist import Check


@app.command(epilog="Example: `audiences preflight --json`")
def preflight(as_json: AsJson = False) -> None:
    """Ask Facebook whether uploads will be taken: token, permissions, terms, limits, audiences; and look at staging.

    Where Airflow's database can be reached, it tells of pools that are not there, too.

    Exit code 1 when something is wrong, or could not be found out.
    """
    from audiences.checklist import State
    from audiences.pipeline.preconditions.shared_staging import check_staging
    from audiences.pipeline.upkeep.check_accounts import check_accounts

    project, settings = Project.load(Here.project), load_settings(Here.project)
    staging = check_staging(settings.staging, _executor())
    airflow = _airflow(project.campaigns.values())
    found = check_accounts(settings, project.campaigns.values(), now=datetime.now(UTC))
    every = [staging, *airflow, *(check for checks in found.values() for check in checks)]
    failed = any(check.state is State.FAIL or not check.known for check in every)
    if as_json:
        listed = {account: [show.check_fields(check) for check in checks] for account, checks in found.items()}
        here = {"staging": show.check_fields(staging), "airflow": list(map(show.check_fields, airflow))}
        show.json_line({"ok": not failed, **here, "accounts": listed})
    else:
        show.checks(out, {"this installation": [staging, *airflow], **found})
    raise typer.Exit(1 if failed else 0)


def _executor() -> str:
    """Airflow's `[core] executor`, as it is configured here."""
    from audiences.connections import import_airflow

    import_airflow()
    from airflow.sdk.configuration import conf

    return str(conf.get("core", "executor"))


def _airflow(campaigns: Iterable[CampaignSpec]) -> tuple[Check, ...]:
    """What Airflow lacks; nothing where it has no database here, as beside files that are only edited."""
    from audiences.airflow import endless_waits

    return endless_waits.checks(endless_waits.pools_in(campaigns)) if endless_waits.has_database() else ()
