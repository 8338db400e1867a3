"""What a command costs before and beside its work: over a small shop, whose answers take next to nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from benchmarks import spent
from benchmarks.rows import Row, against
from benchmarks.world import CAMPAIGN, world_with_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from benchmarks.builds import Build

OTHER_BUILD: Final = 0.4
COMMANDS: Final = (
    ("explain", "benchmark", "--user", "7", "--json"),
    ("preview", "benchmark", "--json"),
    ("run", "benchmark", "--json"),
    ("validate",),
    ("schedule", "benchmark", "--json"),
    ("status", "--json"),
    ("runs", "benchmark", "--json"),
    ("--help",),
)
WANTED: Final = {"explain", "preview"}


def measure(builds: Sequence[Build], console: Console, *, rounds: int) -> list[Row]:
    """CPU seconds of a process for each command, once everything is on record and compiled."""
    keys, names = [build.key for build in builds], [build.name for build in builds]
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: {name: [] for name in names})
    with world_with_places(keys, users=1_000, events=4_000) as (_, places):
        for build in builds:
            at = places[build.key]
            at.forget()
            at.write({"benchmark": CAMPAIGN})
            spent.by_command(build.module("ours"), build.environment(at.environment()))
        for number in range(-1, rounds):  # in the first one modules are compiled
            for words in COMMANDS:
                for build in builds if number % 2 == 0 else builds[::-1]:
                    environment = build.environment(places[build.key].environment())
                    ran = spent.by_command(build.command(*words), environment)
                    if number >= 0:
                        found[words[0]][build.name].append(ran.cpu)
    for command, figures in found.items():
        console.print(f"{command}: {figures}", style="dim", soft_wrap=True)
    return [
        Row(
            f"process of `audiences {command}`",
            "s of CPU",
            figures,
            against(names, figures, OTHER_BUILD) if command in WANTED else (),
        )
        for command, figures in found.items()
    ]
