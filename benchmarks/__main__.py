"""`make bench`: one table from one run, medians of several rounds."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from audiences.demo.postgres import running_postgres
from audiences.sandbox import running_sandbox_process
from benchmarks import answers, latency, loading, many_campaigns, run_cost
from benchmarks.world import World

NAMES = {
    "a": "the script people write",
    "b": "the floor",
    "c": "ours, first sync",
    "d": "ours, 1 % changed",
    "e": "ours, nothing changed",
}
TARGETS = (("c", "a", 0.5), ("c", "b", 4.0), ("d", "c", 0.3), ("e", "c", 0.25))
PEAK_MB = 600


def main() -> None:
    """Run all contenders and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="of the comparison; 0 leaves it out")
    parser.add_argument(
        "--live-events", type=int, default=40, help="for the latency of live campaigns; 0 leaves it out"
    )
    parser.add_argument("--campaigns", type=int, default=1000, help="that Airflow loads; 0 leaves it out")
    parser.add_argument(
        "--ledger-runs", type=int, default=100_000, help="over which pages are answered; 0 leaves it out"
    )
    parser.add_argument(
        "--runs-at-once", type=int, default=60, help="through Airflow, beside single runs; 0 leaves both out"
    )
    asked = parser.parse_args()
    console = Console()
    if asked.rounds:
        compare(asked, console)
    if asked.campaigns:
        for line in loading.verdicts(loading.measure(asked.campaigns)):
            console.print(line)
        with tempfile.TemporaryDirectory(prefix="audiences-many-") as folder:
            for line in many_campaigns.verdicts(many_campaigns.measure(Path(folder), console, asked.campaigns)):
                console.print(line, soft_wrap=True)
    if asked.ledger_runs:
        found_answers, remarks, plans = answers.measure(1_000, asked.ledger_runs)
        for line in (*remarks, *answers.verdicts(found_answers, plans)):
            console.print(line, soft_wrap=True)
    if asked.runs_at_once:
        with tempfile.TemporaryDirectory(prefix="audiences-cost-") as folder:
            for line in run_cost.verdicts(*run_cost.measure(Path(folder), console, at_once=asked.runs_at_once)):
                console.print(line, soft_wrap=True)
    if asked.live_events:
        with tempfile.TemporaryDirectory(prefix="audiences-live-") as folder:
            found = latency.measure(Path(folder), asked.live_events, console)
        console.print(latency.table(found))
        for line in latency.verdicts(found):
            console.print(line)


def compare(asked: argparse.Namespace, console: Console) -> None:
    """The product against the script and the floor."""
    with (
        tempfile.TemporaryDirectory(prefix="audiences-bench-") as folder,
        running_postgres(Path(folder) / "pg") as postgres,
        running_sandbox_process() as sandbox,
    ):
        world = World(postgres, sandbox.url, Path(folder))
        console.print(f"loading {asked.users:,} users and {asked.events:,} events …")
        world.make(users=asked.users, events=asked.events)
        figures: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number in range(asked.rounds):
            for key, module in (("a", "script"), ("b", "floor"), ("c", "ours"), ("d", "ours"), ("e", "ours")):
                if key in "abc":
                    sandbox.admin.reset()
                    postgres.create_database("ledger")
                if key == "d":
                    world.change(percent=1)
                figures[key].append(run(world, module))
                console.print(
                    f"round {number + 1} ({key}) {NAMES[key]}: {figures[key][-1]}", style="dim", soft_wrap=True
                )
    console.print(table(figures))
    console.print(steps(figures))
    for key, other, bound in TARGETS:
        ratio = seconds(figures[key]) / seconds(figures[other])
        console.print(
            f"{'reached' if ratio <= bound else 'MISSED '}  ({key}) / ({other}) = {ratio:.2f}, wanted ≤ {bound}"
        )
    peak = max(figure["peak_mb"] for key in "cde" for figure in figures[key])
    console.print(f"{'reached' if peak <= PEAK_MB else 'MISSED '}  peak memory {peak:.0f} MB, wanted ≤ {PEAK_MB}")


def run(world: World, module: str) -> dict[str, Any]:
    """One contender in a process of its own."""
    done = subprocess.run(  # noqa: S603  # our own modules
        [sys.executable, "-m", f"benchmarks.{module}"],
        env=world.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"benchmarks.{module} failed:\n{done.stderr[-3000:]}"
        raise SystemExit(message)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def seconds(figures: list[dict[str, Any]]) -> float:
    """The median over the rounds."""
    return float(median(figure["seconds"] for figure in figures))


def table(figures: dict[str, list[dict[str, Any]]]) -> Table:
    """Medians."""
    shown = Table("", "", "seconds", "peak MB", "rows", "requests", "vs (a)", "vs (b)")
    for key, name in NAMES.items():
        rounds = figures[key]
        shown.add_row(
            key,
            name,
            f"{seconds(rounds):.2f}",
            f"{median(found['peak_mb'] for found in rounds):.0f}",
            f"{rounds[0]['rows']:,}",
            f"{rounds[0]['requests']:,}",
            f"{seconds(rounds) / seconds(figures['a']):.2f}",
            f"{seconds(rounds) / seconds(figures['b']):.2f}",
        )
    return shown


def steps(figures: dict[str, list[dict[str, Any]]]) -> Table:
    """Median seconds of each step of our runs."""
    names = list(figures["c"][0]["steps"])
    shown = Table("", *names, title="seconds by step")
    for key in "cde":
        medians = [median(found["steps"][name] for found in figures[key]) for name in names]
        shown.add_row(key, *(f"{spent:.2f}" for spent in medians))
    return shown


if __name__ == "__main__":
    main()
