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
CHANGED: Final = 0.2
"""So many percent of the users change in an hour."""
FIRST: Final = "first sync"
EACH: Final = "a command each"
AT_ONCE: Final = "one command"
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


def measure(
    builds: Sequence[Build], console: Console, *, count: int, commands: int, users: int, rounds: int
) -> list[Row]:
    """First syncs, then rounds of an hour's changes: `commands` of the campaigns by a command each, and all by one command.

    Figures are of one campaign, so that not all of them need be run by a command each, which takes both builds a quarter of an
    hour. Builds from before `audiences run` took several campaigns are compared by a command for each of them.
    """
    keys, names = [build.key for build in builds], [build.name for build in builds]
    files = campaigns(count)
    each = list(files)[:commands]
    found: dict[str, dict[str, list[Spent]]] = {work: {name: [] for name in names} for work in (FIRST, EACH, AT_ONCE)}

    def note(work: str, build: Build, spent_for: Spent, campaigns: int) -> None:
        one = Spent(spent_for.seconds / campaigns, spent_for.cpu / campaigns)
        found[work][build.name].append(one)
        console.print(f"{campaigns} campaigns, {build.name}, {work}: {one} each", style="dim", soft_wrap=True)

    with world_with_places(keys, users=users, events=4 * users) as (world, places):
        server = world.postgres.uri("postgres")
        for build in builds:
            at = places[build.key]
            at.forget()
            at.write(files, {"include/segments/active.yml": SEGMENT})
            synced = list(files) if build is builds[0] else each
            more = {"BENCH_CAMPAIGNS": " ".join(synced)}
            note(FIRST, build, _spent(build, at, [build.module("ours")], server, more), len(synced))
        for number in range(rounds):
            world.change(percent=CHANGED)
            for build in builds if number % 2 == 0 else builds[::-1]:
                own = [build.command("run", name, "--json") for name in each]
                note(EACH, build, _spent(build, places[build.key], own, server), len(each))
            world.change(percent=CHANGED)
            all_of_them = [builds[0].command("run", *files, "--json")]
            note(AT_ONCE, builds[0], _spent(builds[0], places[keys[0]], all_of_them, server), count)
    found[AT_ONCE] |= {name: found[EACH][name] for name in names[1:]}
    return [
        _row(f"first sync of one of {count} campaigns over one catalog, {users:,} users", names, found[FIRST], None),
        _row("one of them an hour later, a command each", names, found[EACH], OTHER_BUILD),
        _row(f"one of them an hour later, one command of {names[0]} for all", names, found[AT_ONCE], OTHER_BUILD),
    ]


class Spent(NamedTuple):
    """Seconds by the clock, and on processors with those of Postgres."""

    seconds: float
    cpu: float


def _spent(
    build: Build, at: Place, commands: Sequence[Sequence[str]], server: str, more: Mapping[str, str] | None = None
) -> Spent:
    """What it takes to run these command lines one after the other."""
    environment = build.environment({**at.environment(), **(more or {})})
    begun, before = time.perf_counter(), spent.by_server(server)
    here = sum(spent.by_command(command, environment).cpu for command in commands)
    return Spent(time.perf_counter() - begun, here + spent.by_server(server) - before)


def _row(work: str, names: Sequence[str], found: Mapping[str, Sequence[Spent]], share: float | None) -> Row:
    seconds = {name: [each.seconds for each in found[name]] for name in names}
    cpu = {name: [each.cpu for each in found[name]] for name in names}
    return Row(work, "s", seconds, against(names, seconds, share) if share else (), cpu)
