"""Goals: what the targets did beyond the control group."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiences.campaign.project import Project
from audiences.cli import console as show
from audiences.cli import goal_table
from audiences.cli.app import AsJson, At, Here, app, err, load, out, resources_of, wrong_usage
from audiences.cli.safe_console import as_text
from audiences.errors import AudiencesError

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.goal.report import Report


@app.command(epilog="Example: `audiences report abandoned_cart --csv`")
def report(
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="The campaign's id; all with a goal when left out.")
    ] = None,
    at: At = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: a line per campaign and group.")] = False,
) -> None:
    """Measure a campaign's goal now: targets against control groups, from the ledger and the warehouse.

    Every call measures anew and keeps the result in the ledger, beside those of the daily upkeep. What counts is what
    happened up to the as-of time; a past one gives the report of that day. Exit code 0 when there is a report, even
    one that says in words why there is no figure, and 1 when a campaign could not be measured.
    """
    if as_json and as_csv:
        wrong_usage("--json and --csv exclude each other")
    moment = at or datetime.now(UTC)
    if moment > datetime.now(UTC):
        err.print(
            f"[yellow]![/] {moment.isoformat(timespec='minutes')} is still to come: windows that end until then are taken as "
            "over, though their users may convert yet",
            highlight=False,
            soft_wrap=True,
        )
    if campaign:
        found = _measured(load(campaign), moment)
        _show([found], as_csv=as_csv, line=found.model_dump(mode="json") if as_json else None)
        return
    reports, failed = [], {}
    for spec in _with_goals():
        try:
            reports.append(_measured(spec, moment))
        except AudiencesError as error:
            failed[spec.id] = str(error)
            err.print(f"[bold red]{spec.id}[/]  {as_text(error)}", highlight=False, soft_wrap=True)
    listed = {"reports": [found.model_dump(mode="json") for found in reports], "failed": failed}
    _show(reports, as_csv=as_csv, line=listed if as_json else None)
    raise typer.Exit(1 if failed else 0)


def _with_goals() -> list[CampaignSpec]:
    project = Project.load(Here.project)
    show.problems(err, project.problems)
    return [spec for _, spec in sorted(project.campaigns.items()) if spec.campaign.goal is not None]


def _measured(spec: CampaignSpec, moment: datetime) -> Report:
    from audiences.pipeline.upkeep.measure import measure

    with resources_of(spec) as resources:
        return measure(resources, moment)


def _show(reports: list[Report], *, as_csv: bool, line: dict[str, Any] | None) -> None:
    if line is not None:
        show.json_line(line)
    elif as_csv:
        goal_table.write_csv(reports)
    else:
        for number, found in enumerate(reports):
            if number:
                out.print()
            goal_table.table(out, found)
        if not reports:
            out.print("there is no report: no campaign has a goal that could be measured")
