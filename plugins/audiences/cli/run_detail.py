"""`audiences run-detail`: one run from end to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from audiences.cli import runs_shown
from audiences.cli.app import AsJson, Offset, app, reading, show_found
from audiences.errors import FixConfigError


@dataclass(eq=False)
class NoSuchRunError(FixConfigError):
    """A number that is no run's was asked for."""

    run: int

    def __str__(self) -> str:
        return f"there is no run {self.run}; `audiences runs CAMPAIGN` lists those of a campaign with their numbers"


@app.command("run-detail", epilog="Example: `audiences run-detail 42 --json`")
def run_detail(
    run: Annotated[int, typer.Argument(metavar="RUN", help="The run's number, as `audiences runs` lists it.")],
    limit: Annotated[
        int, typer.Option(min=0, max=10_000, help="How many requests are shown, those with errors first.")
    ] = 20,
    offset: Offset = 0,
    as_json: AsJson = False,
) -> None:
    """Show one run: its funnel, which adds up, what was sent, what came back, and what to do about it.

    Exit code 1 when there is no run of this number.
    """
    from audiences.reporting.run_detail import run_detail as look

    with reading() as (_, resources):
        found = look(resources.ledger, run, now=datetime.now(UTC), offset=offset, limit=limit)
    if found is None:
        raise NoSuchRunError(run=run)
    show_found(found, as_json, runs_shown.detail)
