"""Whole runs over a large warehouse: the first sync, 1 % changed, nothing changed; beside the script and the floor."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from benchmarks import pace, spent
from benchmarks.rows import Bound, Row, against
from benchmarks.world import CAMPAIGN, QUALIFIED, World, world_with_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from benchmarks.builds import Build
    from benchmarks.peer import Peer

SCRIPT: Final = "the script"
FLOOR: Final = "the floor"
FIRST: Final = "first sync"
CHANGED: Final = "1 % changed"
UNCHANGED: Final = "nothing changed"
LATENCY_MS: Final = 500
FAR: Final = "first sync, each answer half a second later"
"""As from a Facebook that is far away or busy: the sandbox is on the same machine, and answers an upload within some 40 ms."""
OTHER_BUILD: Final = {FIRST: 0.75, CHANGED: 0.45, UNCHANGED: 0.4}
"""What is wanted of the seconds of the build before."""
PEAK_MB: Final = 600
PEAK_SHARE: Final = 0.65

Found = dict[tuple[str, str], list[dict[str, Any]]]
"""What each round found, by work and contender."""


def measure(
    builds: Sequence[Build], console: Console, *, users: int, events: int, rounds: int, peer: Peer | None = None
) -> tuple[list[Row], Table]:
    """The rows, and the seconds of each step. Builds take turns in each piece of work, and the first turn, too.

    A `peer` sends the same set as the first sync does. What is compared runs one after the other, since the machine's pace may
    change within minutes.
    """
    console.print(f"loading {users:,} users and {events:,} events …")
    found: Found = defaultdict(list)
    keys = [build.key for build in builds]
    with world_with_places(keys, users=users, events=events) as (world, places):
        for at in places.values():
            at.write({"benchmark": CAMPAIGN})

        def note(work: str, contender: str, figures: dict[str, Any]) -> None:
            found[work, contender].append(figures)
            console.print(f"{work}, {contender}: {figures}", style="dim", soft_wrap=True)

        def alone(contender: str) -> dict[str, Any]:
            build = builds[0]
            return run(world, build.module(contender.removeprefix("the ")), build.environment(aside.environment()))

        aside = places[keys[0]]
        for number in range(rounds):
            for contender, module in ((SCRIPT, SCRIPT), (builds[0].name, "ours")):
                aside.forget(latency_ms=LATENCY_MS)
                note(FAR, contender, alone(module))
            if peer:
                aside.forget()
                note(FIRST, peer.name, run(world, peer.command, peer.environment(aside.environment(), QUALIFIED)))
            for contender in (SCRIPT, FLOOR):
                aside.forget()
                note(FIRST, contender, alone(contender))
            turns = builds if number % 2 == 0 else builds[::-1]
            for work in (FIRST, CHANGED, UNCHANGED):
                if work == CHANGED:
                    world.change(percent=1)
                for build in turns:
                    at = places[build.key]
                    if work == FIRST:
                        at.forget()
                    else:
                        at.settle()
                    note(work, build.name, run(world, build.module("ours"), build.environment(at.environment())))
    names = [build.name for build in builds]
    return _rows(found, names, users, [peer.name] if peer else []), steps(found, names)


def run(world: World, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """One contender in a process of its own; `cpu` with what Postgres spent meanwhile, `workers` that searched for users.

    The same query over tables of this size takes nearly twice as long without workers. `paces` are the machine's, before
    and after.
    """
    shop = world.postgres.uri("postgres")
    first_pace = pace.seconds()
    before, workers = spent.by_server(shop), spent.workers(shop, "shop")
    done = spent.by_command(command, environment)
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    found["cpu"] += spent.by_server(shop) - before
    found["workers"] = spent.workers(shop, "shop") - workers
    found["paces"] = [round(each, 2) for each in (first_pace, pace.seconds())]
    return found


def _rows(found: Found, names: Sequence[str], users: int, peers: Sequence[str]) -> list[Row]:
    def figures(work: str, name: str, key: str = "seconds") -> list[float]:
        return [float(each[key]) for each in found[work, name]]

    def paces(work: str, shown: Sequence[str]) -> list[float]:
        return [pace for name in shown for each in found[work, name] for pace in each["paces"]]

    ours = names[0]
    script, floor = (figures(FIRST, name) for name in (SCRIPT, FLOOR))
    first = figures(FIRST, ours)
    besides = {
        FIRST: [Bound(SCRIPT, script, 0.35), Bound(FLOOR, floor, 1.6)],
        CHANGED: [Bound("its first sync", first, 0.3)],
        UNCHANGED: [Bound(FLOOR, floor, 0.5), Bound("its first sync", first, 0.25)],
    }
    rows = []
    for work, share in OTHER_BUILD.items():
        shown = [*names, *((SCRIPT, FLOOR, *peers) if work == FIRST else ())]
        seconds = {name: figures(work, name) for name in shown}
        cpu = {name: figures(work, name, "cpu") for name in shown}
        bounds = [*against(names, seconds, share), *besides[work]]
        rows.append(Row(f"{work}, {users:,} users", "s", seconds, bounds, cpu, paces=paces(work, shown)))
    far = {name: figures(FAR, name) for name in (ours, SCRIPT)}
    far_cpu = {name: figures(FAR, name, "cpu") for name in far}
    bounds = [Bound(SCRIPT, far[SCRIPT], 0.35)]
    rows.insert(1, Row(f"{FAR}, {users:,} users", "s", far, bounds, far_cpu, paces=paces(FAR, list(far))))
    peaks = {
        name: [max(round_) for round_ in zip(*(figures(work, name, "peak_mb") for work in OTHER_BUILD), strict=True)]
        for name in names
    }
    limit = Bound(f"{PEAK_MB} MB", [PEAK_MB], 1.0)
    bounds = [*against(names, peaks, PEAK_SHARE), limit]
    by_contender = {**peaks, **{name: figures(FIRST, name, "peak_mb") for name in (SCRIPT, *peers)}}
    return [*rows, Row(f"peak memory, {users:,} users", "MB", by_contender, bounds)]


def steps(found: Found, names: Sequence[str]) -> Table:
    """Median seconds of each step of the builds' runs, and how many parallel workers of Postgres each round had."""
    columns = list(found[FIRST, names[0]][0]["steps"])
    shown = Table("", *columns, "Postgres' workers", title="seconds by step")
    for work in OTHER_BUILD:
        for name in names:
            rounds = [each["steps"] for each in found[work, name]]
            medians = [median(each.get(column, 0.0) for each in rounds) for column in columns]
            workers = " ".join(str(each["workers"]) for each in found[work, name])
            shown.add_row(f"{work}, {name}", *(f"{seconds:.2f}" for seconds in medians), workers)
    return shown
