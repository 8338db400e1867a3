"""`audiences preflight`: whether Facebook will take uploads, and whether rows can be staged for them."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from audiences.campaign.common_files import load_settings
from audiences.campaign.project import Project
from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, out


@app.command(epilog="Example: `audiences preflight --json`")
def preflight(as_json: AsJson = False) -> None:
    """Ask Facebook whether uploads will be taken: token, permissions, terms, limits, audiences; and look at staging.

    Exit code 1 when something is wrong, or could not be found out.
    """
    from audiences.checklist import State
    from audiences.pipeline.preconditions.shared_staging import check_staging
    from audiences.pipeline.upkeep.check_accounts import check_accounts

    project, settings = Project.load(Here.project), load_settings(Here.project)
    staging = check_staging(settings.staging, _executor())
    found = check_accounts(settings, project.campaigns.values(), now=datetime.now(UTC))
    every = [staging, *(check for checks in found.values() for check in checks)]
    failed = any(check.state is State.FAIL or not check.known for check in every)
    if as_json:
        listed = {account: [show.check_fields(check) for check in checks] for account, checks in found.items()}
        show.json_line({"ok": not failed, "staging": show.check_fields(staging), "accounts": listed})
    else:
        show.checks(out, {"this installation": [staging], **found})
    raise typer.Exit(1 if failed else 0)


def _executor() -> str:
    """Airflow's `[core] executor`, as it is configured here."""
    from audiences.connections import import_airflow

    import_airflow()
    from airflow.sdk.configuration import conf

    return str(conf.get("core", "executor"))
