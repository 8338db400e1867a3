"""`audiences status`: every campaign at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from audiences.cli import campaigns_shown
from audiences.cli.app import AsJson, Limit, Offset, app, out, reading, show_found


@app.command(epilog="Example: `audiences status` or, of some, `audiences status cart`")
def status(
    search: Annotated[
        str,
        typer.Argument(
            metavar="WORDS", help="Only those with all of these in id, name, brand, tags, owner or audience."
        ),
    ] = "",
    limit: Limit = 50,
    offset: Offset = 0,
    as_json: AsJson = False,
) -> None:
    """Show every campaign: status, schedule, next run that sends, last run in plain words, size; problems first.

    Broken files are in the list, and campaigns whose file is gone while members of them are still in an audience. Nothing is
    asked of Facebook or of the warehouse: what is shown is on record. Exit code 0, also when campaigns have problems.
    """
    from audiences.reporting.overview import overview

    now = datetime.now(UTC)
    with reading() as (files, resources):
        found = overview(files, resources.ledger, now=now, search=search, offset=offset, limit=limit)
    show_found(found, as_json, campaigns_shown.overview)
    if not as_json and not found.total:
        out.print("no campaign has these words in it" if search else "there are no campaigns yet: see campaigns/")
