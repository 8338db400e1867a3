"""`audiences diff`: what a change of files does to whom, for a pull request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from audiences.cli import console as show
from audiences.cli.app import AsJson, Here, app, out, resources_of

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources


@app.command(epilog="Example: `audiences diff origin/main`")
def diff(
    revision: Annotated[
        str | None,
        typer.Argument(
            metavar="[REV]", help="The git revision to compare with; by default where the branch left the main branch."
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Look at the files alone, and count nobody.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a change of files does to whom: each campaign before and after, in words, counts, and people who come and go.

    Both versions are counted as of now; nothing is written, and Facebook is not asked. The output is Markdown, and names nobody.
    Without a connection to the warehouse it says what the files say. Exit code 1 when a file is wrong or a campaign cannot be
    counted.
    """
    from audiences.review.change_report import as_json as for_programs
    from audiences.review.change_report import as_markdown, review

    def open_resources(spec: CampaignSpec) -> CampaignResources:
        return resources_of(spec, read_only=True)

    found = review(Here.project, revision, datetime.now(UTC), None if offline else open_resources)
    if as_json:
        show.json_line(for_programs(found))
    else:
        show.markdown(out, as_markdown(found))
    raise typer.Exit(0 if found.right else 1)
