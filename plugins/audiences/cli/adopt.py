"""`audiences adopt`: an audience that a run refuses as somebody else's becomes the campaign's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from audiences.cli import console as show
from audiences.cli.app import AsJson, CampaignArgument, app, load, out, resources_of, show_found, wrong_usage
from audiences.cli.safe_console import as_text

if TYPE_CHECKING:
    from rich.console import Console

    from audiences.pipeline.audience.adopt import Adoption


@app.command(epilog="Example: `audiences adopt abandoned_cart`")
def adopt(
    campaign: CampaignArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take over the audience that a run of the campaign refuses as somebody else's; says what that means, and asks.

    Its description at Facebook gets this ledger's mark, it is on record as the campaign's own, and the next run sends the
    whole set. Exit code 1 when there is nothing to adopt, or the answer is no.
    """
    from audiences.pipeline.audience.adopt import adopt as carry_out
    from audiences.pipeline.audience.adopt import adoptable, what_it_does

    if as_json and not yes:
        wrong_usage("--json is for programs, which cannot be asked; add --yes")
    with resources_of(load(campaign)) as resources:
        found = adoptable(resources)
        if found is None:
            said = "there is nothing to adopt: the audience is the campaign's own, or the next run creates it"
            if as_json:
                show.json_line({"campaign": campaign, "state": "failed", "error": said})
            else:
                out.print(said)
            raise typer.Exit(1)
        if not yes:
            out.print(as_text(what_it_does(resources, found)), highlight=False, soft_wrap=True)
            typer.confirm("Adopt it?", abort=True)
        done = carry_out(resources, found, datetime.now(UTC))
    show_found(done, as_json, _adoption)


def _adoption(console: Console, done: Adoption) -> None:
    console.print(
        f"audience {as_text(done.audience)} {as_text(done.name)} is the campaign's own now; its next run sends the whole set",
        highlight=False,
        soft_wrap=True,
    )
