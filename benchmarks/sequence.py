"""Many campaigns over one catalog, one after the other on the command line, as a cron line of an hour would run them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks import spent
from benchmarks.rows import Row, against
from benchmarks.world import Place, world_with_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from benchmarks.builds import Build

OTHER_BUILD: Final = 0.5
EVENTS: Final = ("App Opened", "Added To Cart", "Charged")
SEGMENT: Final = "did: {any_of: [App Opened, Added To Cart], within: last 30 days}\n"
# Half of the campaigns ask for the same segment, as campaigns of one shop do.
TEXT: Final = """
name: Campaign {number}
status: published
ad_account: main
who:
  {who}
  with_properties: {{customer_type: {{in: [{types}]}}}}
  control_group: {{percent: 5}}
what:
  audience: {{create: {{name: Campaign {number}}}}}
  identifiers: [email, phone]
when: {{cron: "0 * * * *"}}
"""


def campaigns(count: int) -> dict[str, str]:
    """The files by their ids."""
    found = {}
    for number in range(count):
        event, days = EVENTS[number % 3], 5 + number % 40
        own = f"did: {{event: {event}, within: last {days} days}}"
        types = "Silver, Gold" if number % 4 < 2 else "Gold, Platinum, Bronze"
        who = "segment: active" if number % 2 else own
        found[f"c{number:03d}"] = TEXT.format(number=number, who=who, types=types)
    return found


def measure(builds: Sequence[Build], console: Console, *, count: int, users: int, rounds: int) -> list[Row]:
    """All campaigns are synced first, which does not count; then each round changes 1 % of the users and runs all of them."""
    keys, names = [build.key for build in builds], [build.name for build in builds]
    files = campaigns(count)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    with world_with_places(keys, users=users, events=4 * users) as (world, places):
        for build in builds:
            at = places[build.key]
            at.forget()
            at.write(files, {"include/segments/active.yml": SEGMENT})
            environment = {**at.environment(), "BENCH_CAMPAIGNS": " ".join(files)}
            spent.by_command(build.module("ours"), build.environment(environment))
        for number in range(rounds):
            world.change(percent=1)
            for build in builds if number % 2 == 0 else builds[::-1]:
                wall, spent_cpu = _all(build, places[build.key], list(files), world.postgres.uri("postgres"))
                console.print(f"{count} campaigns, {build.name}: {wall:.1f} s, {spent_cpu:.1f} s of CPU", style="dim")
                seconds[build.name].append(wall)
                cpu[build.name].append(spent_cpu)
    work = f"{count} campaigns over one catalog, hourly, a command each; {users:,} users"
    return [Row(work, "s", seconds, against(names, seconds, OTHER_BUILD), cpu)]


def _all(build: Build, at: Place, campaigns: Sequence[str], server: str) -> tuple[float, float]:
    """Seconds by the clock and on processors, Postgres' included, of a command for each campaign."""
    environment = build.environment(at.environment())
    begun, before = time.perf_counter(), spent.by_server(server)
    spent_here = sum(
        spent.by_command(build.command("run", campaign, "--json"), environment).cpu for campaign in campaigns
    )
    return time.perf_counter() - begun, spent_here + spent.by_server(server) - before
