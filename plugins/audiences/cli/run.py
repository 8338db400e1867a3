"""`audiences run`: run a campaign once, as of now, without Airflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import uuid4

import typer

from audiences.campaign.wording import choice
from audiences.cli import console as show
from audiences.cli.app import (
    AsJson,
    At,
    CampaignArgument,
    app,
    load,
    out,
    resources_of,
    show_found,
    wrong_usage,
)
from audiences.cli.safe_console import as_text
from audiences.pipeline.results import LIFTABLE

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.results import RunRequest


@app.command(
    epilog="Example: `audiences run abandoned_cart --dry-run`, then `audiences run abandoned_cart --allow max_removal`"
)
def run(
    campaign: CampaignArgument,
    at: At = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write and send.")] = False,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Send the whole set, not the difference: heals whatever drifted.")
    ] = False,
    allow: Annotated[list[str] | None, typer.Option(help=f"Lift a guard this once: {', '.join(LIFTABLE)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole campaign once, as of now, in this process and without Airflow.

    A draft, a stopped campaign and one that is over are refused, and so is another time than now: `--at` is for `--dry-run`.

    Exit code 0 when the run has succeeded, 1 when it failed or a guard stopped it.
    """
    from audiences.pipeline.preview import preview as look
    from audiences.pipeline.results import RunRequest
    from audiences.pipeline.run import run_campaign

    if wrong := sorted(set(allow or ()) - set(LIFTABLE)):
        wrong_usage(f"no such guard: {', '.join(wrong)}{choice(wrong[0], LIFTABLE)}")
    spec, moment = load(campaign), at or datetime.now(UTC)
    if dry_run:
        with resources_of(spec, read_only=True) as resources:
            found = look(resources, moment, ask_facebook=True, full_refresh=full_refresh, allow=frozenset(allow or ()))
            show_found(found, as_json, show.preview, more={"run": None, "state": "dry_run"})
        return
    request = RunRequest(
        external_id=f"cli__{moment.isoformat()}__{uuid4().hex[:8]}",
        at=moment,
        allow=frozenset(allow or ()),
        full_refresh=full_refresh,
    )
    if spec.campaign.qualification == "live":
        _run_live(spec, request, as_json)
    with resources_of(spec) as resources:
        summary = run_campaign(resources, request)
    show_found(summary, as_json, show.summary)
    raise typer.Exit(0 if summary.state == "success" else 1)


def _run_live(spec: CampaignSpec, request: RunRequest, as_json: bool) -> NoReturn:
    """Look once for events of a live campaign, and export those that are due."""
    from audiences.pipeline.live.run_batch import Idle, run_due

    if request.full_refresh:
        wrong_usage("--full-refresh sends a whole set; a live campaign knows the users of a few events at a time")
    with resources_of(spec) as resources:
        done = run_due(resources, request)
    if isinstance(done, Idle) and not as_json:
        out.print(as_text(done.in_words()))
    else:
        show_found(done, as_json, show.live_summary)
    raise typer.Exit(0 if done.state == "success" else 1)
