"""Commands that look and change nothing: validate, preview, explain, schedule, preflight."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Annotated, Literal

import typer

from audiences.campaign.project import Project, load_settings
from audiences.cli import console as show
from audiences.cli.app import (
    AsJson,
    At,
    CampaignId,
    Here,
    app,
    import_airflow,
    load,
    out,
    resources_of,
    show_found,
    wrong_usage,
)


@app.command()
def validate(
    campaigns: Annotated[list[str] | None, typer.Argument(help="Campaign ids; all when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check all files of the project, offline: every problem with file, line and column."""
    from audiences.when.never import told_never

    project = Project.load(Here.project)
    unknown = sorted(set(campaigns or ()) - set(project.campaigns) - {Path(file).stem for file in project.broken})
    if unknown:
        wrong_usage(
            f"no such campaign: {', '.join(unknown)}; there are {', '.join(sorted(project.campaigns)) or 'none'}"
        )
    problems = [
        problem for problem in project.problems if not campaigns or _concerns(problem.file, campaigns)
    ]  # fmt: skip
    warnings = sorted((*project.warnings, *told_never(project)))
    if as_json:
        listed = {"problems": problems, "warnings": warnings}
        told = {kind: [show.fields(each) for each in found] for kind, found in listed.items()}
        show.json_line({"valid": sorted(project.campaigns), **told})
    else:
        show.validation(out, project, problems, warnings)
    raise typer.Exit(1 if problems else 0)


@app.command()
def preview(
    campaign: CampaignId,
    at: At = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that finds the qualified users.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count on the real data what a run would do, and write nothing anywhere."""
    from audiences.pipeline.preview import preview as look
    from audiences.when.upcoming import next_sends

    spec, moment = load(campaign), at or datetime.now(UTC)
    text = None
    if sql:
        from audiences.query.render import render
        from audiences.who.compile import qualified

        text = render(qualified(spec, moment))
        if not as_json:
            show.sql(out, text)
    with resources_of(spec, read_only=True) as resources:
        times = next_sends(spec, moment, 10, if_published=True)
        found = look(resources, moment).model_copy(
            update={"next_runs": tuple(time.astimezone(spec.zone) for time in times)}
        )
    show_found(found, as_json, show.preview, more={"sql": text} if text else {})


@app.command()
def explain(
    campaign: CampaignId,
    user: Annotated[str | None, typer.Option(help="The user's id in the warehouse.")] = None,
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS|-", help="Whoever has this e-mail address; `-` reads it.")
    ] = None,
    phone: Annotated[
        str | None, typer.Option(metavar="NUMBER|-", help="Whoever has this phone number; `-` reads it.")
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say for one user which step decides, and by which values; identifiers are masked.

    The user is given by id, or by an e-mail address or a phone number, which is hashed and looked for in the warehouse
    and in the ledger. With `--email -` it is read from standard input, so that it need not be in the shell's history.

    Exit code 1 when the warehouse has no user of this id, or when nobody has the address.
    """
    from audiences.pipeline import explain as look

    given: dict[Literal["email", "phone"], str | None] = {"email": email, "phone": phone}
    by = [(kind, address) for kind, address in given.items() if address is not None]
    if (user is not None) + len(by) != 1:
        wrong_usage("give one of --user, --email and --phone")
    spec, moment = load(campaign), at or datetime.now(UTC)
    with resources_of(spec, read_only=True) as resources:
        if user is not None:
            one = look.explain(resources, user, moment)
            show_found(one, as_json, show.explanation)
            raise typer.Exit(0 if one.known else 1)
        ((kind, address),) = by
        found = look.explain_address(resources, kind, _read(kind) if address == "-" else address, moment)
        show_found(found, as_json, show.explanations)
        raise typer.Exit(0 if found.users else 1)


def _read(kind: str) -> str:
    """An address from standard input; where that is a terminal, asked for and not shown."""
    if sys.stdin.isatty():
        return getpass(f"{kind}: ")
    return sys.stdin.readline()


@app.command()
def schedule(
    campaign: CampaignId,
    following: Annotated[int, typer.Option("--next", min=1, max=1000, help="How many run times.")] = 10,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Print when the campaign sends next: its run times, or the opening of an export window that a run waits for."""
    from audiences.when.upcoming import next_sends

    spec = load(campaign)
    times = next_sends(spec, at or datetime.now(UTC), following)
    if as_json:
        show.json_line({"campaign": campaign, "timezone": spec.timezone, "next": [time.isoformat() for time in times]})
    else:
        show.schedule(out, spec, times)


@app.command()
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


def _concerns(file: str, campaigns: list[str]) -> bool:
    return not file.startswith("campaigns/") or Path(file).stem in campaigns
