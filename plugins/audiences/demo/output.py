"""What the demo says at the end: a table and addresses for people, one line of JSON for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from audiences.cli import goal_table
from audiences.demo.visits import LAUNCH_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from audiences.demo.samples import SampleCampaign
    from audiences.demo.start import Demo
    from audiences.goal.report import Report

_STYLES = {"success": "green", "preview": "cyan"}
# Outcomes in the order in which they are decided; one that nobody had is left out.
_OUTCOMES = (
    *("qualified", "filtered_out", "opted_out", "no_identifier", "control_system", "control_custom"),
    *("control_campaign", "over_cap", "targeted", "added", "kept", "failed", "removed"),
)


def print_table(console: Console, samples: Sequence[SampleCampaign]) -> None:
    """A column per campaign, and below it what is wrong."""
    table = Table(title="One run of each sample campaign", title_justify="left", title_style="bold")
    table.add_column("campaign", style="bold")
    for one in samples:
        table.add_column(Text(one.campaign), justify="right", overflow="fold")
    states = [Text(one.state, style="red" if one.problems else _STYLES.get(one.state, "yellow")) for one in samples]
    table.add_row("run", *states, end_section=True)
    for name in _OUTCOMES:
        if any(one.outcomes.get(name) for one in samples):
            counts = [f"{one.outcomes[name]:,}" if one.outcomes else "" for one in samples]
            table.add_row(name.replace("_", " "), *counts, end_section=name == "targeted")
    table.add_section()
    sizes = ["" if one.members is None else f"{one.members:,}" for one in samples]
    table.add_row("members in the sandbox", *sizes)
    table.add_row("upload requests", *(f"{one.requests:,}" for one in samples))
    console.print(table)
    for one in samples:
        for problem in one.problems:
            console.print(f"✗ {one.campaign}: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)


def print_goals(console: Console, goals: Sequence[Report]) -> None:
    """What `audiences report` says of the campaign that was launched before."""
    for found in goals:
        console.print(f"\nThe goal of a campaign that was launched {LAUNCH_DAYS} days ago", style="bold")
        goal_table.table(console, found)
        console.print()


def print_addresses(console: Console, demo: Demo) -> None:
    """Where to look, and how to get in."""
    lines = {
        "Airflow": f"{demo.airflow.url}  no login needed: everybody on this machine is admin",
        "Audiences": f"{demo.airflow.url}/plugin/audiences  the product's own page there: every campaign, runs, people, health",
        "Sandbox": f"{demo.sandbox_url}  the local Facebook: audiences, sizes, requests",
        "Live": f"customers fill carts by now: {demo.folders.logs / 'shoppers.log'}; see the audience Cart_Left in the sandbox",
        "Warehouse": demo.server.tcp_uri("shop"),
        "Ledger": demo.server.tcp_uri("ledger"),
        "Commands": f"source {demo.folders.exports}; {Path(sys.executable).parent}/audiences preview abandoned_cart",
        "Logs": f"{demo.folders.logs}, those of tasks in {demo.folders.airflow / 'logs'}",
    }
    for name, value in lines.items():
        console.print(f"[bold]{name:<10}[/] {value}", highlight=False, soft_wrap=True)


def json_line(
    samples: Sequence[SampleCampaign], *, seconds: float, problems: Sequence[str], goals: Sequence[Report] = ()
) -> str:
    """One object: `ok`, `seconds`, `campaigns` (with outcomes, requests, audience, members, problems), `goals`, `problems`."""
    ok = not problems and all(not one.problems for one in samples)
    return json.dumps(
        {
            "ok": ok,
            "seconds": round(seconds, 1),
            "campaigns": [asdict(one) for one in samples],
            "goals": [found.model_dump(mode="json") for found in goals],
            "problems": list(problems),
        }
    )
