"""`audiences run`: run campaigns once, as of now, without Airflow."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from audiences.campaign.wording import choice
from audiences.cli import console as show
from audiences.cli.app import (
    AsJson,
    At,
    app,
    load,
    out,
    resources_of,
    show_found,
    wrong_usage,
)
from audiences.cli.errors_shown import as_ours, tell
from audiences.cli.safe_console import as_text
from audiences.errors import AudiencesError
from audiences.pipeline.results import LIFTABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.campaign.spec import CampaignSpec
    from audiences.open_connections import OpenConnections
    from audiences.pipeline.results import RunRequest


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for each of the campaigns, and the connections that they share."""

    at: datetime | None
    dry_run: bool
    full_refresh: bool
    allow: frozenset[str]
    as_json: bool
    shared: OpenConnections


@app.command(
    epilog="Example: `audiences run abandoned_cart --dry-run`, then `audiences run abandoned_cart --allow max_removal`"
)
def run(
    campaigns: Annotated[
        list[str],
        typer.Argument(
            metavar="CAMPAIGN", help="The campaign's id: its file's name without .yml. Several run one by one."
        ),
    ],
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

    Several campaigns are run one after the other, each as of when it begins, in a fraction of the time that a command for each of
    them takes. Whatever becomes of one, the others run. With `--json` there is a line for each.

    Exit code 0 when all runs have succeeded, 1 when one failed or a guard stopped it.
    """
    if wrong := sorted(set(allow or ()) - set(LIFTABLE)):
        wrong_usage(f"no such guard: {', '.join(wrong)}{choice(wrong[0], LIFTABLE)}")
    if full_refresh and not dry_run and any(map(_is_live, campaigns)):
        wrong_usage("--full-refresh sends a whole set; a live campaign knows the users of a few events at a time")
    from audiences.cli.whole_process import few_arenas
    from audiences.open_connections import OpenConnections

    few_arenas()
    with OpenConnections() as shared:
        asked = _Asked(at, dry_run, full_refresh, frozenset(allow or ()), as_json, shared)
        right = _run(campaigns[0], asked) if len(campaigns) == 1 else _run_all(campaigns, asked)
    raise typer.Exit(0 if right else 1)


def _is_live(campaign: str) -> bool:
    with suppress(AudiencesError):  # told when its turn comes
        return load(campaign).campaign.qualification == "live"
    return False


def _run_all(campaigns: Sequence[str], asked: _Asked) -> bool:
    """Run each of them once, whatever becomes of the others; a defect of our own is raised when all have had their turn."""
    right, defects = True, list[Exception]()
    for campaign in dict.fromkeys(campaigns):
        try:
            right &= _run(campaign, asked)
        except OSError:  # mostly of what is printed to: nobody would see the others
            raise
        except Exception as error:  # noqa: BLE001  # raised, at the end
            right = False
            asked.shared.close()
            if (ours := as_ours(error)) is not None:
                tell(ours, as_json=asked.as_json, campaign=campaign)
            else:
                error.add_note(f"This was raised by `{campaign}`; the campaigns after it were run all the same.")
                defects.append(error)
    if defects:
        raise defects[0]
    return right


def _run(campaign: str, asked: _Asked) -> bool:
    """Run it and show what came of it; returns whether all went right."""
    from audiences.pipeline.preview import preview as look
    from audiences.pipeline.results import RunRequest
    from audiences.pipeline.run import run_campaign

    spec, moment = load(campaign), asked.at or datetime.now(UTC)
    if asked.dry_run:
        with resources_of(spec, read_only=True, shared=asked.shared) as resources:
            found = look(resources, moment, ask_facebook=True, full_refresh=asked.full_refresh, allow=asked.allow)
        show_found(found, asked.as_json, show.preview, more={"run": None, "state": "dry_run"})
        return True
    request = RunRequest(
        external_id=f"cli__{moment.isoformat()}__{uuid4().hex[:8]}",
        at=moment,
        allow=asked.allow,
        full_refresh=asked.full_refresh,
    )
    if spec.campaign.qualification == "live":
        return _run_live(spec, request, asked)
    with resources_of(spec, shared=asked.shared) as resources:
        summary = run_campaign(resources, request)
    show_found(summary, asked.as_json, show.summary)
    if summary.state != "success":
        asked.shared.close()  # the next campaign is not to meet whatever it was
    return summary.state == "success"


def _run_live(spec: CampaignSpec, request: RunRequest, asked: _Asked) -> bool:
    """Look once for events of a live campaign, and export those that are due."""
    from audiences.pipeline.live.run_batch import Idle, run_due

    with resources_of(spec, shared=asked.shared) as resources:
        done = run_due(resources, request)
    if isinstance(done, Idle) and not asked.as_json:
        out.print(as_text(done.in_words()))
    else:
        show_found(done, asked.as_json, show.live_summary)
    if done.state != "success":
        asked.shared.close()
    return done.state == "success"
