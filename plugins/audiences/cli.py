"""The command line: check, preview, run and explain campaigns without Airflow.

Exit code 0: right. 1: a file, a campaign or a run is wrong. 2: the command was used wrongly.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import uuid4

import typer
from rich.console import Console
from rich.logging import RichHandler

from audiences import console as show
from audiences.campaign.project import Project
from audiences.errors import AudiencesError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.doors import Doors

app = typer.Typer(
    name="audiences",
    help="Campaigns as code: from a Postgres warehouse to Facebook Custom Audiences.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
ledger_app = typer.Typer(help="The ledger: what we know we did.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")
out, err = Console(), Console(stderr=True)

GUARDS = ("allow_empty", "skip_run_above", "max_removal", "fresh_within")
CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id: its file's name without .yml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs; logs go to standard error.")]
At = Annotated[
    datetime | None,
    typer.Option(
        parser=lambda text: _instant(text),
        metavar="ISO8601",
        help="The run's as-of time, for example 2026-12-01T09:00:00+05:30; now if left out, UTC if without offset.",
    ),
]


class Here:
    """The project that the command is about."""

    project = Path()


@app.callback()
def common(
    project: Annotated[
        Path,
        typer.Option(
            envvar="AUDIENCES_PROJECT", file_okay=False, exists=True, help="The folder with campaigns/ and include/."
        ),
    ] = Path(),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Campaigns as code: from a Postgres warehouse to Facebook Custom Audiences.

    Begin with [bold]audiences validate[/bold], look with [bold]audiences preview CAMPAIGN[/bold], then commit the file
    or [bold]audiences run CAMPAIGN[/bold] by hand.
    """
    Here.project = project.resolve()
    _log_to_stderr()
    logging.getLogger("audiences").setLevel(logging.DEBUG if verbose else logging.INFO)


@app.command()
def validate(
    campaigns: Annotated[list[str] | None, typer.Argument(help="Campaign ids; all when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check all files of the project, offline: every problem with file, line and column."""
    project = Project.load(Here.project)
    unknown = sorted(set(campaigns or ()) - set(project.campaigns) - {Path(file).stem for file in project.broken})
    if unknown:
        _usage(f"no such campaign: {', '.join(unknown)}; there are {', '.join(sorted(project.campaigns)) or 'none'}")
    problems = [
        problem for problem in project.problems if not campaigns or _concerns(problem.file, campaigns)
    ]  # fmt: skip
    if as_json:
        show.json_line({"valid": sorted(project.campaigns), "problems": [show.fields(problem) for problem in problems]})
    else:
        show.validation(out, project, problems)
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
    from audiences.when.upcoming import next_runs

    spec, moment = _campaign(campaign), at or datetime.now(UTC)
    text = None
    if sql:
        from audiences.who.compile import qualified
        from audiences.who.render import pretty, render

        text = pretty(render(qualified(spec, moment)))
        if not as_json:
            out.print(show.sql(text))
    with _doors(spec, looking_only=True) as doors:
        found = look(doors, moment).model_copy(
            update={"next_runs": tuple(next_runs(spec, moment, 10, if_published=True))}
        )
    _print(found, as_json, show.preview, more={"sql": text} if text else {})


@app.command()
def run(
    campaign: CampaignId,
    at: At = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write and send.")] = False,
    allow: Annotated[list[str] | None, typer.Option(help=f"Lift a guard this once: {', '.join(GUARDS)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole campaign once, in this process and without Airflow."""
    from audiences.pipeline.preview import preview as look
    from audiences.pipeline.references import RunRequest
    from audiences.pipeline.whole import run_campaign

    if wrong := sorted(set(allow or ()) - set(GUARDS)):
        _usage(f"no such guard: {', '.join(wrong)}; there are {', '.join(GUARDS)}")
    spec, moment = _campaign(campaign), at or datetime.now(UTC)
    if dry_run:
        with _doors(spec, looking_only=True) as doors:
            _print(look(doors, moment), as_json, show.preview, more={"run": None, "state": "dry_run"})
        return
    request = RunRequest(
        external_id=f"cli__{moment.isoformat()}__{uuid4().hex[:8]}", at=moment, allow=frozenset(allow or ())
    )
    with _doors(spec) as doors:
        summary = run_campaign(doors, request)
    _print(summary, as_json, show.summary)
    raise typer.Exit(0 if summary.state == "success" else 1)


@app.command()
def explain(
    campaign: CampaignId,
    user: Annotated[str, typer.Option(help="The user's id in the warehouse.")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say for one user which step decides, and by which values; identifiers are masked."""
    from audiences.pipeline.explain import explain as look

    spec = _campaign(campaign)
    with _doors(spec, looking_only=True) as doors:
        found = look(doors, user, at or datetime.now(UTC))
    _print(found, as_json, show.explanation)


@app.command()
def preflight(as_json: AsJson = False) -> None:
    """Ask Facebook whether uploads will be taken: token, permissions, terms, limits, audiences; a remedy per line."""
    from audiences.facebook import preflight as facebook

    accounts = {spec.account.id: spec for spec in Project.load(Here.project).campaigns.values()}
    found: dict[str, list[facebook.Check]] = {}
    for account, spec in accounts.items():
        update = spec.campaign.what.audience.update
        with _doors(spec, looking_only=True) as doors:
            audiences = (update.id,) if update else ()
            found[account] = facebook.run(doors.facebook, now=datetime.now(UTC), audience_ids=audiences)
    failed = any(check.state is facebook.State.FAIL for checks in found.values() for check in checks)
    if as_json:
        listed = {account: [show.check_fields(check) for check in checks] for account, checks in found.items()}
        show.json_line({"ok": not failed, "accounts": listed})
    else:
        show.checks(out, found)
    raise typer.Exit(1 if failed else 0)


@app.command()
def schedule(
    campaign: CampaignId,
    following: Annotated[int, typer.Option("--next", min=1, max=1000, help="How many run times.")] = 10,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Print the campaign's next run times, as Airflow will schedule them."""
    from audiences.when.upcoming import next_runs

    spec = _campaign(campaign)
    times = next_runs(spec, at or datetime.now(UTC), following)
    if as_json:
        show.json_line({"campaign": campaign, "timezone": spec.timezone, "next": [time.isoformat() for time in times]})
    else:
        show.schedule(out, spec, times)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8090,
    state: Annotated[Path | None, typer.Option(help="Keep the sandbox's memory in this file.")] = None,
) -> None:
    """Serve a local Facebook to rehearse on; point a connection's `graph_url` at it."""
    from audiences.sandbox.server import serve

    serve(port=port, state=state)


@app.command()
def normalise() -> None:
    """Read JSON lines {"field", "input", "context"} and write {"normalised", "sha256"}, null for a rejected value."""
    from audiences.what.identifiers.lines import normalise_lines

    wrong = False
    for line in normalise_lines(sys.stdin):
        wrong = wrong or line.startswith('{"error"')
        sys.stdout.write(line + "\n")
    raise typer.Exit(1 if wrong else 0)


@ledger_app.command("migrate")
def ledger_migrate(
    connection: Annotated[str, typer.Option(help="The Airflow connection of the ledger.")] = "ledger",
) -> None:
    """Create the ledger's tables or bring them up to date; safe to repeat."""
    from audiences.connections import look_up
    from audiences.ledger.migrate import migrate

    _import_airflow()
    out.print(f"the ledger is at revision {migrate(look_up(connection))}")


def main() -> None:
    """The entry point: our errors become a message and exit code 1, never a traceback."""
    as_json = "--json" in sys.argv
    try:
        app()
    except ConfigError as error:
        if as_json:
            show.json_line({"state": "failed", "problems": [show.fields(problem) for problem in error.problems]})
        else:
            show.problems(err, error.problems)
        sys.exit(1)
    except AudiencesError as error:
        if as_json:
            show.json_line({"state": "failed", "error": str(error), "kind": type(error).__name__})
        else:
            err.print(f"[bold red]error[/]  {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


def _campaign(campaign: str) -> CampaignSpec:
    return Project.load_campaign(Here.project, campaign)


def _doors(spec: CampaignSpec, *, looking_only: bool = False) -> Doors:
    from audiences.pipeline.doors import Doors

    _import_airflow()
    return Doors(spec, looking_only=looking_only)


def _import_airflow() -> None:
    """Airflow looks connections up. On import it sends all logs to standard output, which is for our JSON."""
    import airflow.sdk  # noqa: F401  # for what the import does

    _log_to_stderr()


def _log_to_stderr() -> None:
    handler = RichHandler(console=err, show_path=False, rich_tracebacks=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler], force=True)


def _print(found: BaseModel, as_json: bool, table: Callable[..., None], more: dict[str, Any] | None = None) -> None:
    if as_json:
        show.json_line({**found.model_dump(mode="json"), **(more or {})})
    else:
        table(out, found)


def _concerns(file: str, campaigns: list[str]) -> bool:
    return not file.startswith("campaigns/") or Path(file).stem in campaigns


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"`{text}` is not an ISO 8601 time"
        raise typer.BadParameter(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _usage(message: str) -> NoReturn:
    raise typer.BadParameter(message)


if __name__ == "__main__":
    main()
