"""The `audiences` command itself, and what its subcommands share: options, the project, the resources, how results are shown."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from typer.core import TyperGroup

from audiences.campaign.files import on_file
from audiences.campaign.project import Project
from audiences.cli import console as show
from audiences.cli.safe_console import SafeConsole
from audiences.logs import ONE_LINE, logger
from audiences.redact import harmless_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from audiences.campaign.spec import CampaignSpec
    from audiences.open_connections import OpenConnections
    from audiences.pipeline.resources import CampaignResources, Resources
    from audiences.reporting.project_files import ProjectFiles

IN_ORDER_OF_USE = (
    *(
        "validate",
        "preview",
        "explain",
        "schedule",
        "run",
        "diff",
        "status",
        "runs",
        "run-detail",
        "report",
        "adopt",
        "erase",
    ),
    *("preflight", "catalog", "sandbox", "ledger", "normalise"),
)


class InOrderOfUse(TyperGroup):
    """Lists the commands as a newcomer meets them: first what only looks, then what acts, then what is needed seldom."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command; one that the order does not know comes last. (The type of `ctx` is private to typer.)"""
        known = {name: place for place, name in enumerate(IN_ORDER_OF_USE)}
        return sorted(super().list_commands(ctx), key=lambda name: known.get(name, len(known)))


app = typer.Typer(
    name="audiences",
    cls=InOrderOfUse,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["--help", "-h"]},
)
# Names of files and databases stand as they are, `a:b:` too.
out, err = SafeConsole(emoji=False), SafeConsole(stderr=True, emoji=False)

CampaignArgument = Annotated[
    str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id: its file's name without .yml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs; logs go to standard error.")]
At = Annotated[
    datetime | None,
    typer.Option(
        parser=lambda text: _instant(text),
        metavar="ISO8601",
        help="The as-of time, for example 2026-12-01T09:00:00+05:30; now if left out, UTC if without offset.",
    ),
]

Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many are shown.")]
Offset = Annotated[int, typer.Option(min=0, help="How many are passed over first.")]


class Here:
    """The project that the command is about."""

    project = Path()


def _tell_version(asked: bool) -> None:
    if not asked:
        return
    from importlib.metadata import PackageNotFoundError, version

    from audiences.ledger.migrate import NEWEST

    try:
        installed = version("audiences")
    except PackageNotFoundError:  # the modules are found by a path alone
        installed = "of no installed version"
    typer.echo(f"audiences {installed}, for a ledger at revision {NEWEST}")
    raise typer.Exit


@app.callback()
def common(
    project: Annotated[
        Path,
        typer.Option(
            envvar="AUDIENCES_PROJECT", file_okay=False, exists=True, help="The folder with campaigns/ and include/."
        ),
    ] = Path(),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_tell_version,
            is_eager=True,
            help="Print the version and that of the ledger's tables.",
        ),
    ] = False,
) -> None:
    """Campaigns as code: from a Postgres warehouse to Facebook Custom Audiences.

    Begin with `audiences validate`, look with `audiences preview CAMPAIGN`, then commit the file, or
    `audiences run CAMPAIGN` by hand. Afterwards `audiences status` shows all campaigns, problems first, and
    `audiences explain CAMPAIGN --user ID` says why a user is in or out.

    Exit code 0: right. 1: a file, a campaign, a run or a connection is wrong, and the message says what to do. 2: the
    command was used wrongly.
    """
    Here.project = project.resolve()
    _log_to_stderr()
    logger("audiences").setLevel(logging.DEBUG if verbose else logging.INFO)


def load(campaign: str) -> CampaignSpec:
    """The project's campaign of that id; raises ConfigError."""
    return Project.load_campaign(Here.project, campaign)


def resources_of(
    spec: CampaignSpec, *, read_only: bool = False, shared: OpenConnections | None = None
) -> CampaignResources:
    """The resources of the campaign, closed by the caller; `shared` are connections of other campaigns, too."""
    from audiences.pipeline.resources import CampaignResources

    return CampaignResources(spec, read_only=read_only, on_file=on_file(Here.project), shared=shared)


@contextmanager
def reading() -> Iterator[tuple[ProjectFiles, Resources]]:
    """The project's files, and resources by which its ledger is looked at. Raises ConfigError for settings that are wrong."""
    from audiences.reporting.project_files import ProjectFiles
    from audiences.reporting.read_only import ReadOnlyResources

    files = ProjectFiles.read(Here.project)
    show.problems(err, files.unread)
    with ReadOnlyResources(files) as resources:
        yield files, resources


def _log_to_stderr() -> None:
    # What stands out at a terminal is found by a dozen patterns, which take 30 ms to compile.
    highlighter = None if err.is_terminal else NullHighlighter()
    handler = RichHandler(console=err, show_path=False, rich_tracebacks=False, highlighter=highlighter)
    handler.addFilter(ONE_LINE)  # which libraries log comes here too
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler], force=True)


def show_found(found: BaseModel, as_json: bool, table: Callable[..., None], more: dict[str, Any] | None = None) -> None:
    """A result as one line of JSON, with `more` keys, or as a table for people."""
    if as_json:
        show.json_line({**found.model_dump(mode="json"), **(more or {})})
    else:
        table(out, found)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = harmless_line(f"`{text}` is not an ISO 8601 time; write for example `2026-12-01T09:00:00+05:30`")
        raise typer.BadParameter(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def wrong_usage(message: str) -> NoReturn:
    """End with exit code 2 and these words."""
    raise typer.BadParameter(harmless_line(message))
