"""Many campaigns over one catalog, one after the other on the command line, as a cron line of an hour would run them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks import spent
from benchmarks.rows import Row, against
from benchmarks.world import Place, world_with_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """All campaigns are synced first, which does not count; then each round changes 1 % of the users and runs all of them.

    Builds from before `audiences run` took several campaigns are compared by a command for each of them.
    """
    keys, names = [build.key for build in builds], [build.name for build in builds]
    files = campaigns(count)
    each: dict[str, list[Spent]] = {name: [] for name in names}
    at_once: list[Spent] = []
    with world_with_places(keys, users=users, events=4 * users) as (world, places):
        for build in builds:
            at = places[build.key]
            at.forget()
            at.write(files, {"include/segments/active.yml": SEGMENT})
            environment = {**at.environment(), "BENCH_CAMPAIGNS": " ".join(files)}
            spent.by_command(build.module("ours"), build.environment(environment))
        server = world.postgres.uri("postgres")
        for number in range(rounds):
            world.change(percent=1)
            for build in builds if number % 2 == 0 else builds[::-1]:
                found = _spent(build, places[build.key], [[name] for name in files], server)
                console.print(f"{count} campaigns, {build.name}, a command each: {found}", style="dim", soft_wrap=True)
                each[build.name].append(found)
            world.change(percent=1)
            at_once.append(_spent(builds[0], places[builds[0].key], [list(files)], server))
            console.print(f"{count} campaigns, one command: {at_once[-1]}", style="dim", soft_wrap=True)
    return [
        _row(f"{count} campaigns over one catalog, a command each; {users:,} users", names, each),
        _row(f"the same, one command for all of {names[0]}", names, {**each, names[0]: at_once}),
    ]


class Spent(NamedTuple):
    """Seconds by the clock, and on processors with those of Postgres."""

    seconds: float
    cpu: float


def _spent(build: Build, at: Place, commands: Sequence[Sequence[str]], server: str) -> Spent:
    """What it takes to run each list of campaigns by a command."""
    environment = build.environment(at.environment())
    begun, before = time.perf_counter(), spent.by_server(server)
    here = sum(spent.by_command(build.command("run", *names, "--json"), environment).cpu for names in commands)
    return Spent(time.perf_counter() - begun, here + spent.by_server(server) - before)


def _row(work: str, names: Sequence[str], found: Mapping[str, Sequence[Spent]]) -> Row:
    seconds = {name: [each.seconds for each in found[name]] for name in names}
    cpu = {name: [each.cpu for each in found[name]] for name in names}
    return Row(work, "s", seconds, against(names, seconds, OTHER_BUILD), cpu)
