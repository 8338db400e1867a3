"""What a thousand campaign files cost an Airflow that runs, in the demo's set-up: `python -m benchmarks.many_campaigns [N]`.

How long until the DAGs of all are there, how soon a changed file shows, and what all processes spend while nothing happens.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from rich.console import Console

from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.start import started
from benchmarks import spent
from benchmarks.carts import cart, project_of_carts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

    from audiences.demo.start import Demo

VISIBLE, IDLE = 40.0, 0.25
"""Seconds until a changed file among a thousand shows, and the share of a core that all processes spend meanwhile, at most."""
_PATIENCE_SECONDS = 900
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ManyCampaigns:
    """Seconds until the DAGs of all `campaigns` were there; seconds until each change showed; shares of a core by component."""

    campaigns: int
    all_there: float
    changes: tuple[float, ...]
    idle: Mapping[str, float]


_SETTLED_SECONDS = 100.0
"""Whatever is new is given to Airflow at each reading for a minute and a half (`audiences.airflow.readings`)."""


def measure(
    folder: Path, console: Console, campaigns: int, *, changes: int = 3, idle_seconds: float = 180
) -> ManyCampaigns:
    """Start the demo over that many campaigns of one kind, and watch Airflow's tables."""
    project = project_of_carts(folder / "project", campaigns)
    folders = DemoFolders(project=project, folder=folder / "demo")
    begun = time.monotonic()
    with (
        folders.occupied(),
        started(folders, Progress(console)) as demo,
        psycopg.connect(demo.server.uri("airflow"), autocommit=True) as tables,
    ):
        _wait(demo, tables, "select count(*) from dag where dag_id like %s and not is_stale", "cart\\_%", campaigns)
        all_there = time.monotonic() - begun
        time.sleep(_SETTLED_SECONDS)
        idle = _idle(demo, idle_seconds)
        seconds = [_change(demo, tables, project, number) for number in range(changes)]
    return ManyCampaigns(campaigns, all_there, tuple(seconds), idle)


def verdicts(found: ManyCampaigns) -> list[str]:
    """The figures beside what is wanted, a line each."""
    idle, slowest = sum(found.idle.values()), max(found.changes)
    parts = ", ".join(f"{name} {share:.1%}" for name, share in found.idle.items())
    few = found.campaigns <= 1000
    return [
        f"        {found.campaigns:,} campaigns: all there after {found.all_there:.0f} s",
        f"{_verdict(slowest <= VISIBLE, counts=few)}  a changed file shows after {slowest:.0f} s, wanted ≤ {VISIBLE:.0f}",
        f"{_verdict(idle <= IDLE, counts=few)}  idle: {idle:.0%} of a core ({parts}), wanted ≤ {IDLE:.0%}",
    ]


def _verdict(reached: bool, *, counts: bool) -> str:
    return ("reached" if reached else "MISSED ") if counts else "       "


def _wait(demo: Demo, tables: psycopg.Connection, query: LiteralString, pattern: str, wanted: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while (row := tables.execute(query, (pattern,)).fetchone()) is None or row[0] != wanted:
        demo.children.check()
        if time.monotonic() > until:
            message = f"{row} instead of {wanted}: {query}"
            raise SystemExit(message)
        time.sleep(_LOOK_SECONDS)


def _change(demo: Demo, tables: psycopg.Connection, project: Path, number: int) -> float:
    """Seconds until a campaign's new name shows in the list of DAGs; begun at another moment of the reading each time."""
    time.sleep(7 * number)
    file = project / "campaigns" / f"{cart(number)}.yml"
    changed = re.sub("^name: .*", f"name: Changed {number}", file.read_text(), count=1, flags=re.MULTILINE)
    begun = time.monotonic()
    file.write_text(changed)
    shown: LiteralString = "select count(*) from dag where dag_display_name like %s"
    _wait(demo, tables, shown, f"Changed {number} %", 1)
    return time.monotonic() - begun


def _idle(demo: Demo, seconds: float) -> dict[str, float]:
    """The share of a core that each component spends, with what it starts."""
    known = json.loads(demo.folders.record.read_text())
    before, begun = {entry["name"]: _spent(entry["pid"]) for entry in known}, time.monotonic()
    time.sleep(seconds)
    past = time.monotonic() - begun
    return {
        entry["name"]: (_spent(entry["pid"]) - before[entry["name"]]) / past
        for entry in known
        if psutil.pid_exists(entry["pid"])
    }


def _spent(pid: int) -> float:
    with suppress(psutil.NoSuchProcess):
        return spent.by_tree(psutil.Process(pid))
    return 0.0


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaigns", type=int, nargs="?", default=1000)
    parser.add_argument("--changes", type=int, default=3)
    parser.add_argument("--idle-seconds", type=float, default=180)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audiences-many-") as folder:
        found = measure(
            Path(folder), Console(stderr=True), asked.campaigns, changes=asked.changes, idle_seconds=asked.idle_seconds
        )
    sys.stdout.write("\n".join(verdicts(found)) + "\n")


if __name__ == "__main__":
    main()
