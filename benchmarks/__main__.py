"""`make bench`: one table from one run, medians of several rounds; other figures below it."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from benchmarks import (
    answers,
    builds,
    latency,
    loading,
    many_campaigns,
    peer,
    results,
    rows,
    run_cost,
    sequence,
    shards,
    small_plan,
    starts,
    whole_runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.builds import Build
    from benchmarks.rows import Row


def main() -> None:
    """Measure what was asked for, print the table and the rest, and write the page."""
    asked = _arguments()
    console = Console() if sys.stdout.isatty() else Console(width=160)
    with ExitStack() as opened:
        contenders = [builds.this_build()]
        if asked.against:
            contenders.append(opened.enter_context(builds.build_of(asked.against)))
        found = [row for name in asked.only if name in ROWS for row in ROWS[name](contenders, asked, console)]
    if found:
        console.print(rows.table(found))
        for row in found:
            for verdict in row.verdicts():
                console.print(verdict, soft_wrap=True)
        page = results.page(found, contenders, shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]))
        if asked.results:
            asked.results.write_text(page, encoding="utf-8")
    for name in asked.only:
        if name in FIGURES:
            for line in FIGURES[name](asked, console):
                console.print(line, soft_wrap=True)


def _arguments() -> argparse.Namespace:
    told = "\n".join(f"  {name:15} {measure.__doc__}" for name, measure in (*ROWS.items(), *FIGURES.items()))
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        epilog=EPILOG.format(told),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--against", metavar="REV", help="measure the build of this commit beside this one")
    parser.add_argument("--peer", action="store_true", help="install dlt, and have it send the same rows")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*ROWS, *FIGURES],
        metavar="WHAT",
        help="what is measured, see below; all but `shards` when left out",
    )
    parser.add_argument("--results", type=Path, help="the page to write; RESULTS.md when all rows are measured")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="of each row (%(default)s)")
    parser.add_argument("--users", type=int, default=1_000_000, metavar="N", help="of whole runs (%(default)s)")
    parser.add_argument("--events", type=int, default=4_000_000, metavar="N", help="of whole runs (%(default)s)")
    parser.add_argument(
        "--members",
        type=int,
        default=5_000_000,
        metavar="N",
        help="of the audience of the small campaign (%(default)s)",
    )
    parser.add_argument(
        "--in-sequence",
        type=int,
        default=100,
        metavar="N",
        help="campaigns over one catalog, on the command line (%(default)s)",
    )
    parser.add_argument(
        "--commands",
        type=int,
        default=10,
        metavar="N",
        help="of these that are run by a command each, too (%(default)s)",
    )
    parser.add_argument(
        "--sequence-users", type=int, default=100_000, metavar="N", help="of the shop of these (%(default)s)"
    )
    parser.add_argument(
        "--live-events", type=int, default=40, metavar="N", help="for the latency of live campaigns (%(default)s)"
    )
    parser.add_argument("--campaigns", type=int, default=1000, metavar="N", help="that Airflow loads (%(default)s)")
    parser.add_argument(
        "--ledger-runs", type=int, default=100_000, metavar="N", help="over which pages are answered (%(default)s)"
    )
    parser.add_argument(
        "--runs-at-once", type=int, default=60, metavar="N", help="through Airflow, beside single runs (%(default)s)"
    )
    asked = parser.parse_args()
    if asked.only is None:
        asked.only = [name for name in (*ROWS, *FIGURES) if name not in ON_REQUEST]
        asked.results = asked.results or results.FILE
    return asked


def _whole_runs(contenders: Sequence[Build], asked: argparse.Namespace, console: Console) -> list[Row]:
    """First sync, 1 % changed, nothing changed, peak memory; beside the script, the floor, and with --peer dlt."""
    with peer.installed() if asked.peer else nullcontext() as beside:
        found, steps = whole_runs.measure(
            contenders, console, users=asked.users, events=asked.events, rounds=asked.rounds, peer=beside
        )
    console.print(steps)
    return found


def _shards(contenders: Sequence[Build], asked: argparse.Namespace, console: Console) -> list[Row]:
    """First sync and nothing changed over ten times --users, beside those, with the memory of each step. Some ten minutes."""
    found, steps = shards.measure(contenders[0], console, users=asked.users, events=asked.events)
    console.print(steps)
    return found


def _plan(contenders: Sequence[Build], asked: argparse.Namespace, console: Console) -> list[Row]:
    """The plan of a campaign of 10,000 in an audience that another one fills."""
    return small_plan.measure(contenders, console, members=asked.members, rounds=asked.rounds)


def _sequence(contenders: Sequence[Build], asked: argparse.Namespace, console: Console) -> list[Row]:
    """Campaigns over one catalog: first sync, and an hour later by a command each and by one command for all."""
    size = {"count": asked.in_sequence, "commands": asked.commands, "users": asked.sequence_users}
    return sequence.measure(contenders, console, **size, rounds=asked.rounds)


def _starts(contenders: Sequence[Build], asked: argparse.Namespace, console: Console) -> list[Row]:
    """CPU of a process of `audiences explain`, `preview` and others, over a small shop."""
    return starts.measure(contenders, console, rounds=asked.rounds)


def _loading(asked: argparse.Namespace, _: Console) -> list[str]:
    """What Airflow takes to load, build and serialise many campaigns."""
    return loading.verdicts(loading.measure(asked.campaigns))


def _many(asked: argparse.Namespace, console: Console) -> list[str]:
    """A demo over many campaigns: until a changed file shows, and while nothing happens."""
    with tempfile.TemporaryDirectory(prefix="audiences-many-") as folder:
        return many_campaigns.verdicts(many_campaigns.measure(Path(folder), console, asked.campaigns))


def _answers(asked: argparse.Namespace, _: Console) -> list[str]:
    """Pages and commands over a large ledger, with the plans of their statements."""
    found, remarks, plans = answers.measure(1_000, asked.ledger_runs)
    return [*remarks, *answers.verdicts(found, plans)]


def _run_cost(asked: argparse.Namespace, console: Console) -> list[str]:
    """Runs through Airflow, one by one and many at once."""
    with tempfile.TemporaryDirectory(prefix="audiences-cost-") as folder:
        return run_cost.verdicts(*run_cost.measure(Path(folder), console, at_once=asked.runs_at_once))


def _latency(asked: argparse.Namespace, console: Console) -> list[str]:
    """Live campaigns, from the commit of an event until Facebook has taken it."""
    with tempfile.TemporaryDirectory(prefix="audiences-live-") as folder:
        found = latency.measure(Path(folder), asked.live_events, console)
    console.print(latency.table(found))
    return list(latency.verdicts(found))


ROWS: Final[dict[str, Callable[[Sequence[Build], argparse.Namespace, Console], list[Row]]]] = {
    "whole-runs": _whole_runs,
    "plan": _plan,
    "sequence": _sequence,
    "starts": _starts,
    "shards": _shards,
}
"""The rows of the table, which builds are compared by."""
FIGURES: Final[dict[str, Callable[[argparse.Namespace, Console], Sequence[str]]]] = {
    "loading": _loading,
    "many-campaigns": _many,
    "answers": _answers,
    "run-cost": _run_cost,
    "live": _latency,
}
"""What is measured of this build alone, in lines."""

EPILOG: Final = """what can be measured, the first five as rows of the table:
{}

A bound that is missed is told as MISSED, and fails nothing. The table alone, in a quarter of an hour on two cores:
  make bench ARGS="--against REV --peer --only whole-runs plan sequence starts --rounds 2 --results FILE"
"""
ON_REQUEST: Final = {"shards"}
"""What takes longer than all the rest, and is measured only when it is named."""

if __name__ == "__main__":
    main()
