"""`audiences schedule`: when a campaign sends next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from audiences.cli import console as show
from audiences.cli.app import AsJson, At, CampaignArgument, app, load, out


@app.command(epilog="Example: `audiences schedule abandoned_cart --next 3`")
def schedule(
    campaign: CampaignArgument,
    following: Annotated[int, typer.Option("--next", min=1, max=1000, help="How many run times.")] = 10,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Print when the campaign sends next: its run times, or the opening of an export window that a run waits for.

    Exit code 1 when the campaign's file is wrong.
    """
    from audiences.when.upcoming import next_sends

    spec = load(campaign)
    times = next_sends(spec, at or datetime.now(UTC), following)
    if as_json:
        show.json_line({"campaign": campaign, "timezone": spec.timezone, "next": [time.isoformat() for time in times]})
    else:
        show.schedule(out, spec, times)
