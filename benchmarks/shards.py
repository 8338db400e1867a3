"""Whole runs over ten times as many users as in the other rows: as many seconds a user, and no more memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from benchmarks.memory import END, STEPS
from benchmarks.rows import Bound, Row
from benchmarks.whole_runs import FIRST, UNCHANGED, run
from benchmarks.world import CAMPAIGN, world_with_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from benchmarks.builds import Build

TIMES: Final = 10
LINEAR: Final = 1.2
"""So much more may a user of the larger warehouse cost."""
SAME: Final = 1.1
"""So much more memory may the larger one take: some of it is what a process happens to have kept."""
WORKS: Final = (FIRST, UNCHANGED)


def measure(build: Build, console: Console, *, users: int, events: int) -> tuple[list[Row], Table]:
    """One run of each over both warehouses by this build, and the seconds and memory of each step."""
    found = {size: _runs(build, console, users * size, events * size) for size in (1, TIMES)}
    few, many = found[1], found[TIMES]
    rows = []
    for work in WORKS:
        once = float(few[work]["seconds"])
        name = f"{TIMES} times {users:,} users"
        bounds = [Bound(name, [TIMES * once], LINEAR)]
        seconds, cpu = [float(many[work]["seconds"])], [float(many[work]["cpu"])]
        rows.append(Row(f"{work}, {TIMES * users:,} users", "s", {build.name: seconds}, bounds, {build.name: cpu}))
    peaks = {size: max(float(found[size][work]["peak_mb"]) for work in WORKS) for size in found}
    bounds = [Bound(f"that of {users:,} users", [peaks[1]], SAME)]
    rows.append(Row(f"peak memory, {TIMES * users:,} users", "MB", {build.name: [peaks[TIMES]]}, bounds))
    return rows, _steps(found, users)


def _runs(build: Build, console: Console, users: int, events: int) -> dict[str, dict[str, Any]]:
    console.print(f"loading {users:,} users and {events:,} events …")
    found = {}
    with world_with_places([build.key], users=users, events=events) as (world, places):
        at = places[build.key]
        at.forget()
        at.write({"benchmark": CAMPAIGN})
        for work in WORKS:
            if work != FIRST:
                at.settle()
            found[work] = run(world, build.module("ours"), build.environment(at.environment()))
            console.print(f"{work}, {users:,} users: {found[work]}", style="dim", soft_wrap=True)
    return found


def _steps(found: Mapping[int, Mapping[str, Mapping[str, Any]]], users: int) -> Table:
    columns: Sequence[str] = (*STEPS, END)
    shown = Table("", *columns, title="by step: seconds, and the most memory in MB")
    for work in WORKS:
        for size, works in found.items():
            told = works[work]
            seconds, memory = told["steps"], told["memory"]
            cells = (f"{seconds.get(step, 0.0):.1f} / {memory.get(step, 0)}" for step in columns)
            shown.add_row(f"{work}, {size * users:,}", *cells)
    return shown
