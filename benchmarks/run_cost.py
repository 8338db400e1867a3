"""What a small campaign costs through Airflow, in the demo's set-up: `python -m benchmarks.run_cost [--at-once N]`.

CPU is that of all processes of the set-up but Postgres: Airflow's, those of tasks that have ended too, and the sandbox's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rich.console import Console

from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.start import started
from benchmarks import spent
from benchmarks.carts import cart, project_of_carts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audiences.demo.start import Demo

CPU, WALL, AT_ONCE = 6.1, 7.4, 3.5
"""Seconds that are wanted at most on a quiet machine of two cores: of a small campaign, and for each of many at once.

With a task for each step, each of which imported everything anew, they were 17.4 of CPU and 14.8 until it was over.
"""
_WARM = 2
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU and of wall clock of `runs` that were triggered at the same time; `tasks` that were executed for them.

    `parts` says which process spent the CPU; that of Postgres comes beside it, and of all databases in it.
    """

    runs: int
    cpu: float
    wall: float
    tasks: int
    parts: Mapping[str, float]


def measure(folder: Path, console: Console, *, rounds: int = 3, at_once: int = 60) -> tuple[float, list[Cost]]:
    """The idle set-up's share of a core, and the costs of `rounds` single runs and of `at_once` together, all of them warm."""
    project = project_of_carts(folder / "project", max(at_once, 1))
    folders = DemoFolders(project=project, folder=folder / "demo")
    with folders.occupied(), started(folders, Progress(console)) as demo:
        _wait_for_dags(demo, max(at_once, 1))
        for _ in range(_WARM):
            _cost_of(demo, [cart(0)])
        begun, before = time.monotonic(), cpu_seconds()
        time.sleep(20)
        idle = (cpu_seconds() - before) / (time.monotonic() - begun)
        found = [_cost_of(demo, [cart(0)]) for _ in range(rounds)]
        if at_once:
            found.append(_cost_of(demo, [cart(number) for number in range(at_once)]))
    return idle, found


def verdicts(idle: float, found: Iterable[Cost]) -> list[str]:
    """The figures beside what is wanted, a line each."""
    lines = [f"        idle: {idle:.0%} of a core"]
    for cost in found:
        parts = ", ".join(f"{name} {seconds / cost.runs:.2f}" for name, seconds in cost.parts.items())
        lines.append(f"        CPU of each of {cost.runs}: {parts}")
        said = f"{cost.cpu:.1f} s of CPU, {cost.wall:.1f} s until it is over, {cost.tasks} tasks"
        if cost.runs > 1:
            reached = "reached" if cost.wall <= AT_ONCE * cost.runs else "MISSED "
            lines.append(f"{reached} {cost.runs} runs at once: {said}, wanted until then ≤ {AT_ONCE * cost.runs:.0f}")
            continue
        reached = "reached" if cost.cpu <= CPU and cost.wall <= WALL else "MISSED "
        lines.append(f"{reached} a small campaign: {said}, wanted ≤ {CPU:.1f} and {WALL:.1f}")
    return lines


def cpu_seconds() -> float:
    """What all processes below this one have spent, those that have ended and were waited for included."""
    return spent.below(psutil.Process())


def cpu_by_part(demo: Demo) -> dict[str, float]:
    """What each component has spent, and apart from the scheduler the tasks, which are forked from it; and Postgres."""
    found = {}
    for child in demo.children.started:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.process.pid)
            own, below = sum(process.cpu_times()[:2]), spent.below(process) + sum(process.cpu_times()[2:4])
            apart = child.name.endswith("scheduler")
            found[child.name] = own if apart else own + below
            if apart:
                found["tasks"] = below
    found["Postgres"] = spent.by_server(demo.server.uri("postgres"))
    return found


def _wait_for_dags(demo: Demo, campaigns: int) -> None:
    until = time.monotonic() + 300
    while len([dag for dag in demo.airflow.dag_ids() if dag.startswith("cart_")]) < campaigns:
        demo.children.check()
        if time.monotonic() > until:
            message = f"Airflow did not read the campaigns: {demo.airflow.import_errors()}"
            raise SystemExit(message)
        time.sleep(1)


def _cost_of(demo: Demo, dags: list[str]) -> Cost:
    """Trigger these campaigns at once, wait for all of them, and say what that took."""
    before, parts, begun = cpu_seconds(), cpu_by_part(demo), time.monotonic()
    open_runs = {(dag, demo.airflow.trigger(dag)) for dag in dags}
    runs = set(open_runs)
    while open_runs:
        time.sleep(_POLL_SECONDS if len(dags) == 1 else 1.0)
        demo.children.check()
        for dag, run in [*open_runs]:
            state = demo.airflow.run_state(dag, run)
            if state == "failed":
                message = f"the run {run} of {dag} failed: {demo.airflow.task_states(dag, run)}"
                raise SystemExit(message)
            if state != "success":
                break  # the others come later still
            open_runs.discard((dag, run))
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            message = "the runs took too long"
            raise SystemExit(message)
    wall = time.monotonic() - begun
    time.sleep(1)  # processes that are ending
    cpu = cpu_seconds() - before
    tasks = sum(list(demo.airflow.task_states(*run).values()).count("success") for run in runs)
    by_part = {name: seconds - parts.get(name, 0.0) for name, seconds in cpu_by_part(demo).items()}
    return Cost(runs=len(dags), cpu=cpu, wall=wall, tasks=tasks, parts=by_part)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audiences-cost-") as folder:
        idle, found = measure(Path(folder), Console(stderr=True), rounds=asked.rounds, at_once=asked.at_once)
    sys.stdout.write("\n".join(verdicts(idle, found)) + "\n")


if __name__ == "__main__":
    main()
