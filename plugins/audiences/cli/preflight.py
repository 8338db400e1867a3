"""`audiences preflight`: whether Facebook will take uploads."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from audiences.campaign.project import Project, load_settings
from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, import_airflow, out


@app.command(epilog="Example: `audiences preflight --json`")
def preflight(as_json: AsJson = False) -> None:
    """Ask Facebook whether uploads will be taken: token, permissions, terms, limits, audiences; a remedy per line.

    Exit code 1 when something is wrong, or could not be found out.
    """
    from audiences.checklist import State
    from audiences.pipeline.upkeep.check_accounts import check_accounts

    project, settings = Project.load(Here.project), load_settings(Here.project)
    import_airflow()
    found = check_accounts(settings, project.campaigns.values(), now=datetime.now(UTC))
    failed = any(check.state is State.FAIL or not check.known for checks in found.values() for check in checks)
    if as_json:
        listed = {account: [show.check_fields(check) for check in checks] for account, checks in found.items()}
        show.json_line({"ok": not failed, "accounts": listed})
    else:
        show.checks(out, found)
    raise typer.Exit(1 if failed else 0)
