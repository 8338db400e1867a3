"""What the demo says at the end: a table and addresses for people, one line of JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from audiences.demo.samples import Sample
    from audiences.demo.start import Demo

_STYLES = {"success": "green", "preview": "cyan"}
# Outcomes in the order in which they are decided; a column that is zero throughout is left out.
_COLUMNS = {
    "qualified": "qualified",
    "filtered_out": "filtered out",
    "opted_out": "opted out",
    "no_identifier": "no identifier",
    "control_system": "control: system",
    "control_custom": "control: custom",
    "control_campaign": "control: campaign",
    "over_cap": "over cap",
    "targeted": "targeted",
    "added": "added",
    "kept": "kept",
    "failed": "failed",
    "removed": "removed",
}


def print_table(console: Console, samples: Sequence[Sample]) -> None:
    """A row per campaign, and below it what is wrong."""
    shown = {name: title for name, title in _COLUMNS.items() if any(one.outcomes.get(name) for one in samples)}
    table = Table(title="Sample campaigns, one run each", title_justify="left", pad_edge=False)
    table.add_column("campaign", no_wrap=True)
    table.add_column("run", no_wrap=True)
    for title in (*shown.values(), "in the sandbox", "requests"):
        table.add_column(title, justify="right")
    for one in samples:
        state = Text(one.state, style="red" if one.problems else _STYLES.get(one.state, "yellow"))
        counts = [f"{one.outcomes.get(name, 0):,}" if one.outcomes else "" for name in shown]
        size = "" if one.members is None else f"{one.members:,}"
        table.add_row(one.campaign, state, *counts, size, "" if one.state == "preview" else f"{one.requests:,}")
    console.print(table)
    for one in samples:
        for problem in one.problems:
            console.print(f"✗ {one.campaign}: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)


def print_addresses(console: Console, demo: Demo) -> None:
    """Where to look, and how to get in."""
    lines = {
        "Airflow": f"{demo.airflow.url}  (no login is needed, everybody on this machine is admin)",
        "Sandbox": f"{demo.sandbox_url}  (the local Facebook: audiences, sizes, requests)",
        "Warehouse": demo.server.tcp_uri("shop"),
        "Ledger": demo.server.tcp_uri("ledger"),
        "Commands": f"source {demo.place.exports}; audiences preview abandoned_cart",
        "Logs": f"{demo.place.logs}, tasks: {demo.place.airflow / 'logs'}",
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        grid.add_row(Text(name, style="bold"), Text(str(value), overflow="fold"))
    console.print(grid)


def json_line(samples: Sequence[Sample], *, seconds: float, problems: Sequence[str]) -> str:
    """One object: `ok`, `seconds`, `campaigns` (with outcomes, requests, audience, members, problems), `problems`."""
    ok = not problems and all(not one.problems for one in samples)
    return json.dumps(
        {
            "ok": ok,
            "seconds": round(seconds, 1),
            "campaigns": [asdict(one) for one in samples],
            "problems": list(problems),
        }
    )
