"""`audiences validate`: check all files of the project, offline."""

from __future__ import annotations

from typing import Annotated

import typer

from audiences.campaign.files import campaign_of
from audiences.campaign.project import Project
from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, out, wrong_usage


@app.command(epilog="Example: `audiences validate abandoned_cart`")
def validate(
    campaigns: Annotated[list[str] | None, typer.Argument(help="Campaign ids; all when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check all files of the project, offline: every problem with file, line and column.

    Exit code 1 when there is a problem; a warning is none.
    """
    from audiences.when.never import told_never

    project = Project.load(Here.project)
    unknown = sorted({*(campaigns or ())} - project.campaigns.keys() - project.broken_campaigns.keys())
    if unknown:
        wrong_usage(
            f"no such campaign: {', '.join(unknown)}; there are {', '.join(sorted(project.campaigns)) or 'none'}"
        )
    problems = [problem for problem in project.problems if not campaigns or _concerns(problem.file, campaigns)]
    warnings = sorted((*project.warnings, *told_never(project)))
    if as_json:
        listed = {"problems": problems, "warnings": warnings}
        told = {kind: [show.fields(each) for each in found] for kind, found in listed.items()}
        show.json_line({"valid": sorted(project.campaigns), **told})
    else:
        show.validation(out, project, problems, warnings)
    raise typer.Exit(1 if problems else 0)


def _concerns(file: str, campaigns: list[str]) -> bool:
    of = campaign_of(file)
    return of is None or of in campaigns
