"""`audiences preview`: count on the real data what a run would do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from audiences.cli import console as show
from audiences.cli.app import AsJson, At, CampaignArgument, app, load, out, resources_of, show_found


@app.command(epilog="Example: `audiences preview abandoned_cart --sql`")
def preview(
    campaign: CampaignArgument,
    at: At = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that finds the qualified users.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count on the real data what a run would do, and write nothing anywhere.

    Exit code 1 when the campaign's file is wrong, or the warehouse does not answer.
    """
    from audiences.pipeline.preview import preview as look
    from audiences.pipeline.preview import statement
    from audiences.when.upcoming import next_sends

    spec, moment = load(campaign), at or datetime.now(UTC)
    text = None
    with resources_of(spec, read_only=True) as resources:
        if sql:
            text = statement(resources, moment)
            if not as_json:
                show.sql(out, text)
        times = next_sends(spec, moment, 10, if_published=True)
        found = look(resources, moment).model_copy(
            update={"next_runs": tuple(time.astimezone(spec.zone) for time in times)}
        )
    show_found(found, as_json, show.preview, more={"sql": text} if text else {})
